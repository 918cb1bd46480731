"""The code blocks of the documentation are run, or say why not: see tests/recipes/page.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import NewDatabase
from tests.pitfalls.story import ToldOtherwise, stage
from tests.recipes.page import Recipe, read_pages
from tests.recipes.player import PagePlayer

RECIPES = {f"{name}:{recipe.line}": recipe for name, (recipes, _) in read_pages().items() for recipe in recipes}


@pytest.mark.parametrize(
    ("recipe", "engine"),
    [pytest.param(it, engine, id=f"{name}-{engine}") for name, it in RECIPES.items() for engine in it.story.engines],
)
def test_recipe(recipe: Recipe, engine: str, tmp_path: Path, new_database: NewDatabase) -> None:
    player = PagePlayer.in_project(stage(tmp_path, recipe.story, engine, new_database).project)
    told = ""
    try:
        player.play(recipe.story)
    except ToldOtherwise as error:
        told = str(error)
    if told:
        pytest.fail(told, pytrace=False)
