"""The world is built once in each database; every test gets it as if it were built for it alone."""

from __future__ import annotations

import pytest

from .world import World, stored_rows


@pytest.mark.parametrize("time", ["first", "second"])
def test_each_test_gets_the_world_as_it_was_built(built: World, world: World, time: str) -> None:
    assert stored_rows() == built.rows
    assert world.a.said == built.a.said and world.a.ids == built.a.ids and world.a.tokens == built.a.tokens
    world.a.ids["new"] = world.say(world.a)
    assert len(world.a.said) == len(built.a.said) + 1
    assert "new" not in built.a.ids
    assert stored_rows() != built.rows
