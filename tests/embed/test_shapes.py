"""Stars, bars and pictures: the same for the same numbers, and right at the edges."""

from __future__ import annotations

import re
import secrets

import pytest

from service.embed import avatars
from service.embed.ratings import bars, choices, stars
from service.embed.words import wait
from service.sites.operations import Scale


@pytest.mark.parametrize(
    ("value", "best", "count"), [(10, 10, 5), (9, 10, 4.5), (1, 10, 0.5), (0.5, 5, 0.5), (73, 100, 3.5), (4.74, 5, 4.5)]
)
def test_a_rating_is_drawn_in_half_stars(value: float, best: float, count: float) -> None:
    assert stars(value, best) == count


@pytest.mark.parametrize(("scale", "count"), [(Scale(5, False), 5), (Scale(5, True), 10), (Scale(10, False), 10)])
def test_few_steps_are_picked_from(scale: Scale, count: int) -> None:
    steps = choices(scale)

    assert len(steps) == count
    assert all(scale.has(one) for one in steps) and steps == sorted(steps)


@pytest.mark.parametrize("scale", [Scale(100, False), Scale(10, True)])
def test_many_steps_are_typed(scale: Scale) -> None:
    assert choices(scale) == []


@pytest.mark.parametrize(
    ("best", "worst", "labels"),
    [
        (5, 1, "5 4 3 2 1"),
        (3, 0.5, "3 2.5 2 1.5 1 0.5"),
        (25, 1, "23–25 21–22 18–20 16–17 13–15 11–12 8–10 6–7 3–5 1–2"),
    ],
)
def test_bars_cover_the_scale_once(best: float, worst: float, labels: str) -> None:
    every = [{"value": n * worst, "count": 1} for n in range(1, round(best / worst) + 1)]
    rating = {"best": best, "worst": worst, "count": len(every), "histogram": every}

    found = bars(rating)

    assert " ".join(one.label for one in found) == labels
    assert sum(one.count for one in found) == len(every)


def test_a_picture_is_its_seeds_alone() -> None:
    seeds = [secrets.token_hex(8) for _ in range(200)]

    assert all(avatars.draw(seed) == avatars.draw(seed) for seed in seeds)
    assert len({avatars.draw(seed) for seed in seeds}) > 150


def test_a_picture_stays_in_its_frame_and_has_a_shape() -> None:
    for seed in ("0" * 16, "f" * 16, "66666666" * 2, *(secrets.token_hex(8) for _ in range(100))):
        picture = avatars.draw(seed)
        starts = [(int(x), int(y)) for _, path in picture.inks for x, y in re.findall(r"M(\d+) (\d+)", path)]
        assert all(0 <= x <= 48 and 0 <= y <= 48 for x, y in starts)
        assert len(starts) >= 3


@pytest.mark.parametrize(("seconds", "said"), [("1", "1 second"), ("90", "90 seconds"), ("121", "3 minutes")])
def test_a_wait_is_said_in_words(seconds: str, said: str) -> None:
    assert wait(seconds) == said
