"""JSON as it is specified is read; what parsers differ about is refused with a sentence, in linear time."""

from __future__ import annotations

import base64
import json
import math
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.strictjson import BadJSON, loads

REFUSED_ON_PURPOSE = {
    "y_object_duplicated_key.json": "readers differ about which one counts",
    "y_object_duplicated_key_and_value.json": "readers differ about which one counts",
    "y_object_escaped_null_in_key.json": "PostgreSQL stores no NUL",
    "y_string_null_escape.json": "PostgreSQL stores no NUL",
}
ACCEPTED_SCALARS = st.none() | st.booleans() | st.text() | st.integers(-(2**53), 2**53)
ACCEPTED_NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def accepted(raw: bytes) -> bool:
    try:
        loads(raw)
    except BadJSON as error:
        assert error.detail.endswith(".")
        return False
    return True


def without_nul(value: object) -> bool:
    return "\\u0000" not in json.dumps(value)


@pytest.fixture(scope="module")
def suite(shared: Path) -> list[tuple[str, str, bytes]]:
    cases = json.loads((shared / "corpora/jsontestsuite/cases.json").read_text())
    assert len(cases) >= 318
    return [(case["name"], case["expect"], base64.b64decode(case["b64"])) for case in cases]


def test_nothing_that_is_no_json_is_accepted(suite: list[tuple[str, str, bytes]]) -> None:
    wrong = [raw for name, _, raw in suite if name.startswith("n_")]
    assert len(wrong) >= 185
    assert [raw for raw in wrong if accepted(raw)] == []


def test_all_json_is_accepted_but_for_what_is_refused_on_purpose(suite: list[tuple[str, str, bytes]]) -> None:
    right = [(name, raw) for name, _, raw in suite if name.startswith("y_")]
    assert len(right) >= 95
    assert {name for name, raw in right if not accepted(raw)} == set(REFUSED_ON_PURPOSE)


def test_what_may_be_either_is_answered_without_a_crash(suite: list[tuple[str, str, bytes]]) -> None:
    assert {accepted(raw) for _, expected, raw in suite if expected == "either"} == {True, False}


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ('{"a": 1}'.encode("utf-16"), "UTF-8"),
        ('{"a": 1}'.encode("utf-16-le"), "valid JSON"),
        (b'"\xff"', "byte 2"),
        (b"\xed\xa0\x80", "UTF-8"),
        (b'{"a": 1,\n "b" 2}', "line 2, column 6"),
        (b'{"a": 1, "a": 1}', "same key twice"),
        (b'{"b": [{"a": 1, "\\u0061": 2}]}', "same key twice"),
        (b"NaN", "NaN"),
        (b"[Infinity]", "Infinity"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b"9007199254740993", "too large"),
        (b"-9007199254740993", "too large"),
        (b"1" + b"0" * 5_000, "too large"),
        (b"1e400", "too large"),
        (b"-1e400", "too large"),
        (b'"\\ud800"', "surrogate"),
        (b'["\\udc00\\ud800"]', "surrogate"),
        (b'{"\\ud800": 1}', "surrogate"),
        (b'{"a": {"b": ["\\u0000"]}}', "NUL"),
        (b'"\x00"', "valid JSON"),
        (b"[" * 21 + b"]" * 21, "20 levels"),
        (b'{"a":' * 21 + b"1" + b"}" * 21, "20 levels"),
        (b"[" * 1_000_000, "20 levels"),
        (b'["]]]]", ' * 21, "20 levels"),
        (b'["\\"]", ' * 21, "20 levels"),
    ],
)
def test_a_refusal_says_what_is_wrong(raw: bytes, sentence: str) -> None:
    with pytest.raises(BadJSON, match=sentence):
        loads(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"9007199254740992", 2**53),
        (b"-9007199254740992", -(2**53)),
        (b"[" * 20 + b"]" * 20, None),
        (b'["' + b"[{" * 100 + b'"]', ["[{" * 100]),
        (b'["\\\\", [[[]]]]', ["\\", [[[]]]]),
        (b"[[]" + b",[]" * 1_000 + b"]", [[]] * 1_001),
        (b'"\\ud83d\\ude00"', "😀"),
        (b"1e-400", 0.0),
        (b' {"a" : [1.5, true, null]}\n', {"a": [1.5, True, None]}),
    ],
)
def test_what_is_right_is_read(raw: bytes, value: object) -> None:
    assert loads(raw) == value or value is None


def test_the_depth_is_the_callers_choice() -> None:
    assert loads(b"[[1]]", max_depth=2) == [[1]]
    with pytest.raises(BadJSON, match="1 levels"):
        loads(b"[[1]]", max_depth=1)


@settings(deadline=None)
@given(
    st.recursive(
        (ACCEPTED_SCALARS | ACCEPTED_NUMBERS).filter(without_nul),
        lambda inner: st.lists(inner) | st.dictionaries(st.text().filter(without_nul), inner),
    ),
    st.booleans(),
)
def test_whatever_was_written_is_read_back(value: object, escaped: bool) -> None:
    assert loads(json.dumps(value, ensure_ascii=escaped).encode(), max_depth=100) == value


@settings(deadline=None)
@given(
    st.binary() | st.lists(st.sampled_from([b"[", b"]", b"{", b"}", b'"', b"\\", b":", b",", b"1", b"e"])).map(b"".join)
)
def test_any_bytes_are_read_as_python_reads_them_or_refused(raw: bytes) -> None:
    try:
        value = loads(raw)
    except BadJSON:
        return
    assert value == json.loads(raw)
    assert not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize("unit", [b'"', b'"\\', b'\\"', b"[]", b"[],", b'"a', b'{"a":1},', b'["', b"\\"])
def test_a_hostile_body_is_looked_at_once(unit: bytes) -> None:
    raw = unit * (250_000 // len(unit))
    begun = time.thread_time()
    assert not accepted(raw)
    assert time.thread_time() - begun < 1
