"""The code blocks of the documentation are run, or say why not: see tests/recipes/page.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import NewDatabase
from tests.pitfalls.story import ToldOtherwise, stage
from tests.recipes.page import Recipe, recipes_of
from tests.recipes.player import PagePlayer

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/*/*.md")]
GENERATED = "docs/reference/commands.md"
READ = {
    str(page.relative_to(ROOT)): recipes_of(page, str(page.relative_to(ROOT)))
    for page in sorted(PAGES)
    if str(page.relative_to(ROOT)) != GENERATED
}
RECIPES = {f"{name}:{recipe.line}": recipe for name, (recipes, _) in READ.items() for recipe in recipes}


@pytest.mark.pure
def test_every_block_is_run_or_says_why_not() -> None:
    assert [place for _, loose in READ.values() for place in loose] == []


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
