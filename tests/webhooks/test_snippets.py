"""The manual's functions that check a signature, each run in its language against the same messages.

Python and Node.js have to be there. Those of Go, PHP and Ruby run where the language is on the machine; elsewhere
they are no tests. (In Debian: golang-go, php-cli, ruby.)
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.db import new_id, now
from service.webhooks import signing
from tests.conftest import ROOT
from tests.widget.elsewhere import INSTALLED, installed

PAGE = ROOT / "docs" / "webhooks.md"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

IN_PYTHON = """
import json
import sys


def is_right(one):
    try:
        verify(one["secret"], one["headers"], base64.b64decode(one["body"]), one["now"])
    except ValueError:
        return False
    return True


print(json.dumps([is_right(one) for one in json.load(sys.stdin)]))
"""
IN_PYTHON_BY_LIBRARY = """
import base64

from standardwebhooks import WebhookVerificationError
from standardwebhooks.webhooks import EmptyWebhookSecretError


def verify(secret, headers, body, _now):
    try:
        event(secret, headers, body)
    except (WebhookVerificationError, EmptyWebhookSecretError) as error:
        raise ValueError from error
"""
IN_JAVASCRIPT = """
import { readFileSync } from "node:fs";
import * as snippet from "./snippet.mjs";

function isRight({ secret, headers, body, now }) {
  try {
    (snippet.verify ?? snippet.event)(secret, headers, Buffer.from(body, "base64"), now);
  } catch {
    return false;
  }
  return true;
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(isRight)));
"""
IN_GO = """
package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"time"

	"receiver/webhooks"
)

type message struct {
	Secret, Body string
	Headers      map[string]string
	Now          int64
}

func main() {
	var all []message
	if err := json.NewDecoder(os.Stdin).Decode(&all); err != nil {
		panic(err)
	}
	var right []bool
	for _, one := range all {
		header := http.Header{}
		for name, value := range one.Headers {
			header.Set(name, value)
		}
		body, err := base64.StdEncoding.DecodeString(one.Body)
		if err != nil {
			panic(err)
		}
		right = append(right, webhooks.Verify(one.Secret, header, body, time.Unix(one.Now, 0)) == nil)
	}
	json.NewEncoder(os.Stdout).Encode(right)
}
"""
IN_PHP = """
$right = [];
foreach (json_decode(file_get_contents('php://stdin'), true) as $one) {
    try {
        verify($one['secret'], $one['headers'], base64_decode($one['body']), $one['now']);
        $right[] = true;
    } catch (RuntimeException $refused) {
        $right[] = false;
    }
}
echo json_encode($right);
"""
IN_RUBY = """
require "json"

right = JSON.parse($stdin.read).map do |one|
  verify(one["secret"], one["headers"], one["body"].unpack1("m0"), one["now"])
  true
rescue RuntimeError
  false
end
puts JSON.generate(right)
"""


@dataclass(frozen=True)
class Language:
    """How a snippet is run: `file` is the snippet's, `more` those beside it, `below` what is added to its end."""

    heading: str
    fence: str
    file: str
    command: tuple[str, ...]
    below: str = ""
    more: Mapping[str, str] = field(default_factory=dict)


PYTHON = Language("Python", "python", "snippet.py", (sys.executable, "snippet.py"), IN_PYTHON)
JAVASCRIPT = Language("JavaScript", "js", "snippet.mjs", ("node", "main.mjs"), more={"main.mjs": IN_JAVASCRIPT})
OTHERS = (
    Language("Go", "go", "webhooks/verify.go", ("go", "run", "."),
             more={"main.go": IN_GO, "go.mod": "module receiver\n\ngo 1.19\n"}),
    Language("PHP", "php", "snippet.php", ("php", "snippet.php"), IN_PHP),
    Language("Ruby", "ruby", "snippet.rb", ("ruby", "snippet.rb"), IN_RUBY),
)  # fmt: skip
HERE = [one for one in OTHERS if shutil.which(one.command[0])]
BY_LIBRARY = (
    Language("Python", "python", "snippet.py", PYTHON.command, IN_PYTHON_BY_LIBRARY + PYTHON.below),
    JAVASCRIPT,
)


def cases(*languages: Language) -> list[Any]:
    """What needs more than Python is run with what needs a browser, not by `make test`."""
    return [
        pytest.param(one, id=one.heading, marks=[] if one.heading == "Python" else [pytest.mark.browser])
        for one in languages
    ]


def snippets(heading: str) -> list[tuple[str, str]]:
    """Language and text of the examples below a heading of the page."""
    parts = re.split(r"^###? (.+)\n", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (below,) = [text for title, text in zip(parts[1::2], parts[2::2], strict=True) if title == heading]
    return _FENCE.findall(below)


@dataclass(frozen=True)
class Message:
    """What arrives, when, and whether it is right."""

    name: str
    is_right: bool
    secret: str
    headers: Mapping[str, str]
    body: bytes
    at: datetime

    def told(self) -> dict[str, Any]:
        body, seconds = base64.b64encode(self.body).decode(), int(self.at.timestamp())
        return {"secret": self.secret, "headers": dict(self.headers), "body": body, "now": seconds}


def messages(at: datetime, *, edge: int) -> Iterator[Message]:
    """Signed about a moment, and changed. `edge`: seconds that a message may be away from five minutes."""
    new, old = signing.new_secret(), signing.new_secret()
    body = '{"type":"ping","data":{"text":"Ärger über 50 €"}}'.encode()

    def sent(*secrets: str, away: int = 0) -> dict[str, str]:
        return signing.headers(secrets or (new,), str(new_id()), int((at + timedelta(seconds=away)).timestamp()), body)

    def right(name: str, headers: Mapping[str, str], secret: str = new) -> Message:
        return Message(name, True, secret, headers, body, at)

    def wrong(name: str, headers: Mapping[str, str], body: bytes = body, secret: str = new) -> Message:
        return Message(name, False, secret, headers, body, at)

    one = sent()
    digest = one["webhook-signature"].removeprefix("v1,")
    yield right("as it was sent", one)
    yield right("two secrets, the new one", sent(new, old))
    yield right("two secrets, the old one", sent(new, old), old)
    yield right("beside versions that nobody knows", one | {"webhook-signature": f"v2,x v1,{digest} v1a,{digest}"})
    yield right("almost too old", sent(away=edge - 300))
    yield right("almost too early", sent(away=300 - edge))
    yield wrong("too old", sent(away=-300 - edge))
    yield wrong("too early", sent(away=300 + edge))
    yield wrong("another body", one, body.replace(b"50", b"51"))
    yield wrong("a longer body", one, body + b"\n")
    yield wrong("no body", one, b"")
    yield wrong("another id", one | {"webhook-id": str(new_id())})
    yield wrong("another time", one | {"webhook-timestamp": str(int(one["webhook-timestamp"]) + 1)})
    yield wrong("another version", one | {"webhook-signature": f"v2,{digest}"})
    yield wrong("a shorter signature", one | {"webhook-signature": f"v1,{digest[:-4]}"})
    yield wrong("an empty signature", one | {"webhook-signature": "v1,"})
    yield wrong("the signature of another", one | {"webhook-signature": sent()["webhook-signature"]})
    yield wrong("a secret that is over", sent(new), secret=old)
    nobodys = hmac.digest(b"", f"{one['webhook-id']}.{one['webhook-timestamp']}.".encode() + body, "sha256")
    signed = one | {"webhook-signature": f"v1,{base64.b64encode(nobodys).decode()}"}
    yield wrong("no secret, and signed with none", signed, secret="")
    yield wrong("a prefix, and signed with nothing", signed, secret="whsec_")
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        yield wrong(f"without {name}", {other: value for other, value in one.items() if other != name})


@pytest.fixture
def known(shared: Path) -> list[Message]:
    """The known answer of the specification's authors: right at its time, and not today."""
    (one,) = json.loads((shared / "corpora/standard-webhooks/vector.json").read_text())
    headers = {
        "webhook-id": one["msg_id"],
        "webhook-timestamp": str(one["timestamp"]),
        "webhook-signature": one["signature"],
    }
    its_time = datetime.fromtimestamp(one["timestamp"], now().tzinfo)
    return [
        Message(f"the known answer, {name}", is_right, one["secret"], headers, one["payload"].encode(), at)
        for name, is_right, at in (("at its time", True, its_time), ("today", False, now()))
    ]


def mistakes(place: Path, language: Language, snippet: str, made: list[Message]) -> list[str]:
    """What a snippet says of messages that is not so."""
    for name, text in {language.file: snippet + language.below, **language.more}.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
    told = json.dumps([one.told() for one in made])
    env = os.environ | {"GOCACHE": str(place / ".cache"), "GOFLAGS": "-mod=mod", "GOPROXY": "off"}
    done = subprocess.run(language.command, cwd=place, env=env, input=told, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    found = zip(made, json.loads(done.stdout), strict=True)
    return [f"{one.name}: {is_right}" for one, is_right in found if is_right is not one.is_right]


def test_the_page_has_a_snippet_for_each_language() -> None:
    for one in (PYTHON, JAVASCRIPT, *OTHERS):
        assert {language for language, _ in snippets(one.heading)} == {one.fence}
    assert [len(snippets(one.heading)) for one in (PYTHON, JAVASCRIPT, *OTHERS)] == [2, 2, 1, 1, 1]


@pytest.mark.parametrize("language", cases(PYTHON, JAVASCRIPT, *HERE))
def test_a_snippet_knows_right_from_wrong(tmp_path: Path, language: Language, known: list[Message]) -> None:
    made = [*messages(now(), edge=1), *known]
    assert mistakes(tmp_path, language, snippets(language.heading)[0][1], made) == []


@pytest.mark.parametrize("language", cases(*BY_LIBRARY))
def test_a_snippet_with_a_library_knows_right_from_wrong(tmp_path: Path, language: Language) -> None:
    """The library asks the clock itself, so nothing is left to the last second."""
    if language is JAVASCRIPT:
        installed("standardwebhooks", "package.json")
        (tmp_path / "node_modules").symlink_to(INSTALLED)
    made = list(messages(now(), edge=60))
    assert mistakes(tmp_path, language, snippets(language.heading)[1][1], made) == []


@pytest.mark.parametrize(
    ("there", "instead", "seen"),
    [
        ('raise ValueError("not signed with this secret")', "pass", "another body: True"),
        ('raise ValueError("too old, or from the future")', "pass", "too old: True"),
        ('f"{message_id}.{sent}."', 'f"{sent}."', "as it was sent: False"),
        ('split(b" ")', 'split(b"+")', "two secrets, the new one: False"),
    ],
)
def test_a_snippet_that_is_wrong_is_seen(
    tmp_path: Path, known: list[Message], there: str, instead: str, seen: str
) -> None:
    text = snippets("Python")[0][1]
    assert text.count(there) == 1
    assert seen in mistakes(tmp_path, PYTHON, text.replace(there, instead), [*messages(now(), edge=1), *known])
