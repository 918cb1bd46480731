"""Each engine gives all that an engine must give, and asking for it is cheap."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations

import pytest

from migsync.engines import ENGINES, SERVERLESS, Engine, engine_named, engine_of
from migsync.errors import UnknownEngine


@pytest.mark.pure
@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_an_engine_says_everything_that_it_must_say(engine: Engine) -> None:
    stated = [name for name in Engine.__annotations__ if not hasattr(engine, name)]
    assert stated == []


@pytest.mark.pure
@pytest.mark.parametrize("names", ["schemes", "backends", "other_backends", "other_names"])
def test_no_two_engines_go_by_one_name(names: str) -> None:
    for one, other in combinations(ENGINES, 2):
        assert not set(getattr(one, names)) & set(getattr(other, names))


@pytest.mark.pure
def test_an_engine_is_found_by_its_names_and_by_a_url() -> None:
    for engine in ENGINES:
        assert all(engine_named(name) is engine for name in (engine.name, *engine.other_names))
        assert engine_of(f"{engine.driver}://") is engine
    with pytest.raises(UnknownEngine, match="oracle"):
        engine_of("oracle://user@host/name")


@pytest.mark.pure
def test_databases_are_made_on_the_spot_on_one_engine() -> None:
    assert [engine for engine in ENGINES if engine.file_suffix] == [SERVERLESS]


@pytest.mark.fresh
def test_the_worker_imports_engines_and_no_sqlalchemy() -> None:
    code = "import sys, migsync.engines; print(sorted({'sqlalchemy', 'psycopg', 'pymysql'} & {*sys.modules}))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"
