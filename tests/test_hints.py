"""What hints say to type is typed: the judge of the examples, judged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.hints import commands, refusals
from tests.recorder import ROOT, STATES, VARIABLE


def test_a_hint_is_kept_typed_and_refused_where_it_says_the_same_again(tmp_path: Path) -> None:
    root, states, found = tmp_path / "root", tmp_path / "states", tmp_path / "found"
    root.mkdir()
    states.mkdir()
    names = {STATES: str(states), ROOT: str(root), VARIABLE: str(found)}
    subprocess.run([sys.executable, "-m", "migsync", "explain", "name-takn"], cwd=root, env=os.environ | names)
    [path] = states.glob("*/state.json")
    state = json.loads(path.read_text())
    [hint] = state["hints"]
    assert commands(hint["hint"])
    assert list(refusals(states, root, {hint["code"]})) == []
    path.write_text(json.dumps(state | {"hints": [hint | {"hint": "migsync explain name-takn"}]}))
    [refused] = refusals(states, root, {hint["code"]})
    assert "migsync explain name-takn" in refused


def test_what_is_for_another_state_or_has_to_be_filled_in_is_not_typed() -> None:
    assert commands("Type: migsync plan --map shop.OLD=0002_aaa") == []
    assert commands("Type: migsync plan --timeout SECONDS") == []
    assert commands("Type: migsync show shop.0002_aaa") == ["migsync show shop.0002_aaa"]
    assert commands("First: git rebase main\nThen: migsync rebase --onto main") == []
    assert commands("First: migsync recover\nThen: migsync plan") == ["migsync recover", "migsync plan"]
