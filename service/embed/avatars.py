"""Pictures for authors: nine tiles of plain shapes, drawn from a random seed, mirrored left to right."""

from __future__ import annotations

from dataclasses import dataclass

TILE = 16
"""Side of a tile; a picture is three tiles wide and high."""

# Ground, first and second ink. Each pair of ground and ink is told apart at a glance on white and on black.
_PALETTES = (
    ("#dbe7f3", "#2f5d8a", "#e08a3c"),
    ("#f6e3d3", "#a2482b", "#2f6f73"),
    ("#e3eddc", "#4a7a3a", "#c2603f"),
    ("#efe0ee", "#7a4a86", "#3d7f8f"),
    ("#fbeecb", "#8a6414", "#5a5fa8"),
    ("#d9eeec", "#1f7a74", "#b5568a"),
    ("#f4dce0", "#a63d56", "#4a6fa5"),
    ("#e6e3f5", "#5650a0", "#c98a1b"),
)
_NOTHING = ""
_SQUARE = "M{x} {y}h16v16h-16z"
_DISC = "M{x} {cy}a8 8 0 0 1 16 0a8 8 0 0 1 -16 0z"
# Quarter discs with their centre in one corner each; an ear on the left has its mirror image on the right.
_QUARTERS = (
    "M{x} {y}h16a16 16 0 0 1 -16 16z",
    "M{x} {y}h16v16a16 16 0 0 1 -16 -16z",
    "M{x} {y}a16 16 0 0 1 16 16h-16z",
    "M{x} {by}a16 16 0 0 1 16 -16v16z",
)
_SHAPES = (*_QUARTERS, _SQUARE, _DISC, _NOTHING, _DISC)
_MIRRORED = (*(_QUARTERS[n] for n in (1, 0, 3, 2)), _SQUARE, _DISC, _NOTHING, _DISC)
_UPRIGHT = (_SQUARE, _DISC)
"""Shapes that are their own mirror image: one of them stands in the middle of each row."""


@dataclass(frozen=True)
class Avatar:
    """A ground colour, and for each of two inks its colour and the SVG path of all its shapes."""

    ground: str
    inks: tuple[tuple[str, str], ...]


def draw(seed: str) -> Avatar:
    """The picture of a seed of 16 hexadecimal digits, the same every time."""
    digits = [int(digit, 16) for digit in seed.ljust(8, "0")]
    ground, *colours = _PALETTES[digits[0] % len(_PALETTES)]
    paths = ["", ""]
    for row in range(3):
        side, middle = digits[1 + 2 * row], digits[2 + 2 * row]
        ink = side // 8
        paths[ink] += _at(_SHAPES[side % 8], 0, row) + _at(_MIRRORED[side % 8], 2, row)
        paths[1 - ink] += _at(_UPRIGHT[middle % 2], 1, row)
    return Avatar(ground, tuple((colour, path) for colour, path in zip(colours, paths, strict=True) if path))


def _at(shape: str, column: int, row: int) -> str:
    x, y = column * TILE, row * TILE
    return shape.format(x=x, y=y, cy=y + TILE // 2, by=y + TILE)
