"""Mutants that no test can find, since they do the same; each with the reason."""

from __future__ import annotations

EQUIVALENT: dict[str, str] = {}
