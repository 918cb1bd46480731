"""What stands against a proposal in a database: planner and command must agree about the records of afterwards."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from migsync.files.reshape import Reshape
from migsync.history import Key
from migsync.refactor.databases import database_findings
from migsync.refactor.ground import Ground, SurveyedDatabase, Terms
from migsync.refactor.renumber import renumber
from migsync.sync.planner import make_plan
from tests.sync.planner.texts import REF, history, records, rewrites

pytestmark = pytest.mark.pure

OLD = "0001_initial 0003_price"
ROWS = records("shop.0001_initial", "shop.0003_price")


def found(reshape: Reshape, *words: str) -> list[tuple[str, str]]:
    """What is found of one database, where the rewrite of the proposal is that of `words`."""
    disk, new = history(shop=OLD), history(shop="0001_initial 0002_price")
    held = SimpleNamespace(records=ROWS)
    target = SimpleNamespace(alias="default", read_only="")
    state = SimpleNamespace(target=target, ref=target, held=held)
    survey = SimpleNamespace(history=disk, errors={}, findings=[])
    database = SurveyedDatabase(state, make_plan(disk, rewrites(disk), ROWS, REF))
    plan = make_plan(new, rewrites(new, *words, old={"shop": OLD}), ROWS, REF)
    terms = Terms(update_db=True)
    ground = Ground(survey, {"default": database})
    made = database_findings(ground, {"default": plan}, reshape, ["default"], terms)
    return [(each.code, each.found) for each in made]


def test_they_agree() -> None:
    assert found(renumber(history(shop=OLD)), "shop.0003_price=0002_price") == []


def test_where_they_disagree_it_is_refused() -> None:
    """Nothing leads there; a fault of one of them would."""
    reshape = renumber(history(shop=OLD))
    reshape.keys.renamed[Key("shop", "0003_price")] = Key("shop", "0002_cost")
    ((code, text),) = found(reshape, "shop.0003_price=0002_price")
    assert (code, text) == ("unexpected-plan", "The records of default would not follow the change of the files.")
