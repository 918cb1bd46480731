"""The stories in `stories/`, each played with the real commands and judged by Django."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import NewDatabase
from tests.pitfalls.story import ToldOtherwise, read_story, stage

STORIES = {path.stem: read_story(path) for path in sorted(Path(__file__).parent.glob("stories/*.txt"))}


@pytest.mark.parametrize(("name", "engine"), [(name, engine) for name, it in STORIES.items() for engine in it.engines])
def test_story(name: str, engine: str, tmp_path: Path, new_database: NewDatabase) -> None:
    player, told = stage(tmp_path, STORIES[name], engine, new_database), ""
    try:
        player.play(STORIES[name])
    except ToldOtherwise as error:
        told = str(error)
    if told:
        pytest.fail(told, pytrace=False)
