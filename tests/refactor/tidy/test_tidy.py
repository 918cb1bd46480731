"""What is left of each squash, which database forbids what, and what tidy makes of it: from files and records alone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migsync.cli.commands.tidy import transition_document
from migsync.errors import UsageError
from migsync.files.builder import make_proposal
from migsync.files.proposal import Proposal
from migsync.files.reshape import Reshape
from migsync.history import Key
from migsync.refactor.tidy import DatabaseRecords, SquashState, open_squashes, settled_transitions, tidy, transitions
from migsync.rewrites.rewrite_graph import Rewrites
from tests.files.proposals import CREATED, Project, carry_out

SQUASH = "shop.0002_squashed"
OLD = ("shop.0002_b", "shop.0003_c")


def key(text: str) -> Key:
    return Key.parse(text)


def database(*names: str, alias: str = "default") -> DatabaseRecords:
    return DatabaseRecords(alias, frozenset(map(key, names)), rows=frozenset(map(key, names)))


DOWN = DatabaseRecords("down", None, "nobody answers")
FRESH = database()
OLD_ONLY = database("shop.0001_a", *OLD, alias="old")
PAST = database("shop.0001_a", *OLD, SQUASH)
PARTIAL = database("shop.0001_a", "shop.0002_b", alias="partial")


def shop(root: Path) -> Project:
    project = Project(root)
    project.add("shop.0001_a")
    project.add("shop.0002_b", "shop.0001_a")
    project.add("shop.0003_c", "shop.0002_b")
    project.add(SQUASH, "shop.0001_a", replaces=OLD)
    project.add("shop.0004_d", "shop.0003_c")
    project.add("blog.0001_x", "shop.0002_b")
    project.add("news.0001_n", run_before=["shop.0003_c"])
    return project


def proposed(project: Project, databases: Iterable[DatabaseRecords], **wanted: Any) -> Proposal:
    history = project.read()
    reshape: Reshape = tidy(history, tuple(databases), **wanted)
    return make_proposal(history, Rewrites(), reshape, root=project.root, created=CREATED)


def refusals(proposal: Proposal) -> list[str]:
    return [finding.code for finding in proposal.findings if finding.blocks]


@pytest.mark.parametrize(
    ("recorded", "state", "past"),
    [
        (FRESH, SquashState.NOTHING, True),
        (database("shop.0001_a"), SquashState.NOTHING, True),
        (OLD_ONLY, SquashState.REPLACED, True),
        (PAST, SquashState.RECORDED, True),
        (database("shop.0001_a", SQUASH), SquashState.RECORDED, True),
        (PARTIAL, SquashState.PARTIAL, False),
        (DOWN, SquashState.UNREACHABLE, False),
    ],
)
def test_where_a_database_stands(tmp_path: Path, recorded: DatabaseRecords, state: SquashState, past: bool) -> None:
    (found,) = transitions(shop(tmp_path).read(), [recorded], ["shop", "blog"])
    (place,) = found.places
    assert (place.state, place.past) == (state, past)
    assert {step.status for step in found.steps if step.keys} == ({"open"} if past else {"blocked"})


def test_the_steps_that_are_left(tmp_path: Path) -> None:
    (found,) = transitions(shop(tmp_path).read(), [PAST, OLD_ONLY], ["shop"])
    left = {step.name: [str(key) for key in step.keys] for step in found.steps}
    assert left == {
        "deployed": [],
        "dependants": ["blog.0001_x", "news.0001_n", "shop.0004_d"],
        "files": [*OLD],
        "replaces": [SQUASH],
        "rows": [*OLD],
    }
    assert transitions(shop(tmp_path).read(), [PAST], ["blog"]) == ()


def test_dependants_are_pointed_and_what_was_squashed_is_left_alone(tmp_path: Path) -> None:
    project = shop(tmp_path)
    proposal = proposed(project, [PAST, OLD_ONLY, FRESH])
    assert refusals(proposal) == []
    assert proposal.rewrite is None
    carry_out(proposal)
    after = project.read()
    assert after.migrations[key("blog.0001_x")].dependencies == (key(SQUASH),)
    assert after.migrations[key("news.0001_n")].run_before == (key(SQUASH),)
    assert after.migrations[key("shop.0004_d")].dependencies == (key(SQUASH),)
    assert after.migrations[key("shop.0003_c")].dependencies == (key("shop.0002_b"),)
    assert after.migrations[key(SQUASH)].replaces == tuple(map(key, OLD))
    assert proposed(project, [PAST]).files == ()


def test_replaces_goes_unasked_where_the_old_files_are_gone(tmp_path: Path) -> None:
    project = shop(tmp_path)
    for name in OLD:
        (tmp_path / "shop/migrations" / f"{key(name).name}.py").unlink()
    before = (tmp_path / "shop/migrations/0002_squashed.py").read_text()
    proposal = proposed(project, [PAST])
    assert proposal.rewrite is not None
    assert proposal.rewrite.apps["shop"].absorbing == {"0002_squashed": ("0002_b", "0003_c")}
    carry_out(proposal)
    lines = [line for line in before.splitlines(keepends=True) if "replaces" not in line]
    assert (tmp_path / "shop/migrations/0002_squashed.py").read_text() == "".join(lines)
    assert project.read().migrations[key("blog.0001_x")].dependencies == (key(SQUASH),)


@pytest.mark.parametrize("asked", [{}, {"remove_replaced": True}])
def test_databases_that_are_not_past_it_refuse_by_name(tmp_path: Path, asked: dict[str, bool]) -> None:
    project = shop(tmp_path)
    found = proposed(project, [PAST, PARTIAL, DOWN], **asked)
    assert refusals(found) == ["squash-partial", "squash-unknown"]
    assert not found.files
    assert "partial has applied only a part" in found.findings[0].found
    assert found.findings[0].hint == "Apply the rest first: python manage.py migrate shop --database partial"
    assert "--assume-deployed" in found.findings[1].hint
    assert refusals(proposed(project, [PAST, PARTIAL, DOWN], assume_deployed=True, **asked)) == ["squash-partial"]
    assert refusals(proposed(project, [PAST, DOWN], assume_deployed=True, **asked)) == []


def test_a_squash_of_squashes_waits_for_the_inner_one(tmp_path: Path) -> None:
    project = shop(tmp_path)
    project.add("shop.0001_all", replaces=["shop.0001_a", SQUASH, "shop.0004_d"])
    proposal = proposed(project, [PAST], remove_replaced=True)
    assert refusals(proposal) == []
    assert [note for note in proposal.notes if note.startswith("shop.0001_all replaces shop.0002_squashed")]
    carry_out(proposal)
    (outer,) = open_squashes(project.read(), ["shop"])
    assert (outer.key, outer.inner) == (key("shop.0001_all"), ())
    assert outer.replaced == (key("shop.0001_a"), key(SQUASH), key("shop.0004_d"))
    everything = database("shop.0001_a", SQUASH, "shop.0004_d", "shop.0001_all", "blog.0001_x")
    carry_out(proposed(project, [everything], remove_replaced=True))
    assert project.read().names("shop") == ("0001_all",)
    assert open_squashes(project.read(), ["shop"]) == ()


def test_what_a_squash_replaces_in_another_app(tmp_path: Path) -> None:
    """Rows are never carried over: the squash must have a record of its own in every database."""
    project = shop(tmp_path)
    project.add("blog.0002_y", "blog.0001_x")
    project.add("blog.0003_z", "blog.0002_y")
    project.add("shop.0005_moved", "shop.0004_d", "blog.0001_x", replaces=["blog.0002_y"])
    named = ("blog.0001_x", "blog.0002_y", "shop.0004_d")
    recorded = database(*named, *OLD, SQUASH, alias="old")
    assert refusals(proposed(project, [recorded], remove_replaced=True)) == ["squash-unrecorded"]
    assert refusals(proposed(project, [DOWN], remove_replaced=True, assume_deployed=True)) == ["squash-unknown"]
    past = database(*named, *OLD, SQUASH, "shop.0005_moved")
    proposal = proposed(project, [past], remove_replaced=True)
    assert refusals(proposal) == []
    assert proposal.rewrite is not None
    assert proposal.rewrite.apps["blog"].removed == ("0002_y",)
    carry_out(proposal)
    after = project.read()
    assert after.migrations[key("blog.0003_z")].dependencies == (key("shop.0005_moved"),)
    assert not after.findings


def test_a_later_file_under_a_replaced_name_and_rivals_refuse(tmp_path: Path) -> None:
    project = shop(tmp_path)
    project.add("shop.0003_c", "shop.0004_e")
    project.add("shop.0004_e", SQUASH)
    assert refusals(proposed(project, [FRESH], remove_replaced=True)) == ["name-of-replaced"]
    project = shop(tmp_path / "rivals")
    project.add("shop.0003_squashed", "shop.0002_b", replaces=["shop.0003_c"])
    assert refusals(proposed(project, [FRESH], remove_replaced=True)) == ["squash-overlap", "squash-overlap"]


def test_other_peoples_files_stay(tmp_path: Path) -> None:
    project = shop(tmp_path)
    project.app("wares", tmp_path / "lib/wares/migrations", first_party=False)
    project.add("wares.0001_w", "shop.0003_c")
    proposal = proposed(project, [PAST])
    assert refusals(proposal) == []
    assert not any("wares" in str(change.old_path) for change in proposal.files)
    (found,) = transitions(project.read(), [PAST], ["shop"])
    assert {step.name: step.status for step in found.steps}["files"] == "blocked"
    assert refusals(proposed(project, [PAST], remove_replaced=True)) == ["third-party-file"]
    with pytest.raises(UsageError, match="wares is installed, but is not this project's own"):
        tidy(project.read(), [PAST], apps=["wares"])


def test_the_to_do_list_as_a_document(tmp_path: Path) -> None:
    (found,) = transitions(shop(tmp_path).read(), [PAST, PARTIAL, DOWN], ["shop"])
    document = transition_document(found)
    assert {step["step"]: step["status"] for step in document["steps"]} == {
        "deployed": "blocked",
        "dependants": "blocked",
        "files": "blocked",
        "replaces": "blocked",
        "rows": "blocked",
    }
    assert document["steps"][1]["blockers"] == ["partial is partly applied", "down is out of reach"]
    assert [(each["alias"], each["standing"], each["missing"]) for each in document["databases"]] == [
        ("default", "recorded", []),
        ("partial", "partial", ["shop.0003_c"]),
        ("down", "unreachable", []),
    ]
    assert document["databases"][2]["error"] == "nobody answers"
    assert json.loads(json.dumps(document)) == document


def test_rows_that_are_left_when_the_files_are_done(tmp_path: Path) -> None:
    project = shop(tmp_path)
    rewrite = proposed(project, [PAST], remove_replaced=True).rewrite
    carry_out(proposed(project, [PAST], remove_replaced=True))
    assert rewrite is not None
    behind = replace(PAST, behind=frozenset({rewrite.id}))
    (found,) = settled_transitions(project.read(), Rewrites((rewrite,)), [behind, FRESH], ["shop"])
    assert [step.name for step in found.steps if step.keys] == ["rows"]
    assert [place.alias for place in found.places] == ["default"]
    assert settled_transitions(project.read(), Rewrites((rewrite,)), [PAST], ["shop"]) == ()


def test_apps_that_could_be_done_are_named_beside_the_one_that_cannot(tmp_path: Path) -> None:
    project = shop(tmp_path)
    project.add("news.0001_squashed", replaces=["news.0001_n"])
    found = proposed(project, [PARTIAL])
    assert [finding.code for finding in found.findings] == ["squash-partial", "others-ready"]
    assert found.findings[1].hint == "To finish only these: migsync tidy news"
    assert refusals(proposed(project, [PARTIAL], apps=["news"])) == []
