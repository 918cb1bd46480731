"""Entries that only running the file shows: they stay as they are, where it is known that they name nothing of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migsync.history import Key
from tests.edits.pairs import RENAMES, B, C, check_noop, check_refused, edited, file

pytestmark = pytest.mark.pure

AUTH, SITES = Key("auth", "__first__"), Key("sites", "0001_initial")
LITERAL = 'dependencies = [("shop", "0002_b"), migrations.swappable_dependency(conf.TOKEN_MODEL)]'
CONDITION = """\
dependencies = (
    [("sites", "0001_initial")] if conf.SITES else []
) + [
    ("shop", "0002_b"),
]
"""
INHERITED = "dependencies = conf.DEPENDENCIES"


def loaded(*keys: Key, **changes: object):
    return replace(RENAMES, loaded={"dependencies": keys}, **changes)  # type: ignore[arg-type]


def check_renamed(body: str, edit) -> None:
    assert edited(file(body).encode(), edit).decode() == file(body.replace("0002_b", "0003_b"))


def test_the_others_change() -> None:
    check_renamed(LITERAL, loaded(B, AUTH))
    check_renamed(CONDITION, loaded(B))
    check_renamed(CONDITION, loaded(B, SITES))


def test_a_list_that_is_computed_as_a_whole() -> None:
    check_noop(INHERITED, edit=loaded(AUTH, SITES))
    check_refused(INHERITED, text=INHERITED, found="conf.DEPENDENCIES", edit=loaded(AUTH, B))


def test_other_parents() -> None:
    check_renamed(LITERAL, loaded(B, AUTH, parents=(C,)))
    own = Key("shop", "0001_a")
    check_refused(LITERAL, text="TOKEN_MODEL", found="conf.TOKEN_MODEL", edit=loaded(B, own, parents=(C,)))


@pytest.mark.parametrize(
    "edit",
    [
        RENAMES,  # nobody knows what it comes to
        loaded(B, Key("shop", "0006_gone")),  # it names what goes
        loaded(AUTH),  # the statement is not what Django has in the end
    ],
)
def test_what_is_not_known_is_refused(edit) -> None:
    check_refused(LITERAL, text="TOKEN_MODEL", found="conf.TOKEN_MODEL", edit=edit)


def test_what_a_condition_leaves_out_today_is_there_tomorrow() -> None:
    body = CONDITION.replace('"sites", "0001_initial"', '"shop", "0006_gone"')
    check_refused(body, text="0006_gone", found="not a list written", edit=loaded(B))
