"""Migrations that were made anew or united by hand: what of it is proven, with git and with what was seen to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from migsync.history.contents import Contents
from migsync.history.parser import read_contents
from migsync.rewrites.evidence.database import AppRecords
from migsync.rewrites.evidence.evidence import Evidence, find_evidence
from migsync.rewrites.evidence.pairs import Verdict
from migsync.rewrites.evidence.proposal import propose
from migsync.rewrites.rewrite import AppRewrite
from tests.rewrites.evidence.repository import Project

FILE = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = {}
    replaces = {}
    operations = [{}]
"""
FIELD = "models.IntegerField(null=True)"


def text(after: str, fields: str, replaces: Sequence[str] = (), more: str = "") -> str:
    """A file that adds fields; the first one makes the table."""
    added = [f'migrations.AddField("item", "{name}", {FIELD})' for name in fields.split()]
    made = f'migrations.CreateModel("item", [{", ".join(f"({name!r}, {FIELD})" for name in fields.split())}])'
    operations = [*(added if after else [made]), *([more] if more else [])]
    dependencies = [("shop", after)] if after else []
    return FILE.format(dependencies, [("shop", name) for name in replaces], ", ".join(operations))


def write(project: Project, **files: str) -> None:
    """All files of the app, in a line; ``_0001_initial="a b"`` makes a table with two columns."""
    for path in project.migrations.glob("0*.py"):
        path.unlink()
    above = ""
    for name, fields in files.items():
        (project.migrations / f"{name[1:]}.py").write_text(text(above, fields))
        above = name[1:]


def ran(**files: str) -> dict[str, Contents]:
    found = {}
    above = ""
    for name, fields in files.items():
        found[name[1:]] = read_contents(text(above, fields).encode(), "x.py", "shop")
        above = name
    return found


def became(evidence: Evidence, verdict: Verdict = Verdict.PROOF) -> list[str]:
    return [f"{'+'.join(pair.old)} -> {'+'.join(pair.new)}" for pair in evidence.pairs if pair.verdict is verdict]


def seen(project: Project, recorded: Sequence[str], what: Mapping[str, Contents]) -> Evidence:
    return find_evidence(project.history(), "shop", AppRecords(tuple(recorded), what))


def rewrite(evidence: Evidence) -> AppRewrite:
    made, _ = propose({"shop": evidence}, (), "2026-11-20T10:45:00Z", "evidence")
    assert made
    # What is proposed can be written and read again.
    return AppRewrite.from_dict(made.apps["shop"].as_dict())


THREE = ("0001_initial", "0002_b", "0003_c")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_reset_under_the_first_name(project: Project) -> None:
    write(project, _0001_initial="a", _0002_b="b", _0003_c="c")
    project.commit()
    write(project, _0001_initial="a b c")
    evidence = project.evidence(*THREE)
    assert became(evidence) == ["0001_initial+0002_b+0003_c -> 0001_initial"]
    assert evidence.proven[0].reasons[0].startswith("Together they made the same tables as shop.0001_initial makes (as")
    made = rewrite(evidence)
    assert made.before == THREE
    assert made.after == ("0001_initial",)
    # The database that has two of them gets the same: its plan says what is missing.
    assert rewrite(project.evidence(*THREE[:2])).collapsed == made.collapsed
    project.commit()
    assert rewrite(project.evidence(*THREE)).collapsed == made.collapsed


def test_with_migrations_on_top_that_ran_or_not(project: Project) -> None:
    write(project, _0001_initial="a", _0002_b="b", _0003_c="c")
    project.commit()
    write(project, _0001_initial="a b c")
    project.commit()
    write(project, _0001_initial="a b c", _0002_d="d")
    project.commit()
    for recorded in (THREE, (*THREE, "0002_d")):
        evidence = project.evidence(*recorded)
        assert became(evidence) == ["0001_initial+0002_b+0003_c -> 0001_initial"]
        assert set(rewrite(evidence).before) == {*THREE, "0002_d"}


def test_a_reset_that_does_more_is_none(project: Project) -> None:
    write(project, _0001_initial="a", _0002_b="b", _0003_c="c")
    project.commit()
    write(project, _0001_initial="a b c d")
    assert became(project.evidence(*THREE)) == []
    write(project, _0001_initial="a b")
    assert became(project.evidence(*THREE)) == []


def test_united_in_the_middle(project: Project) -> None:
    write(project, _0001_initial="a", _0002_b="b", _0003_c="c", _0004_d="d")
    project.commit()
    write(project, _0001_initial="a", _0002_x="b c", _0003_d="d")
    evidence = project.evidence(*THREE, "0004_d")
    assert sorted(became(evidence)) == ["0002_b+0003_c -> 0002_x", "0004_d -> 0003_d"]
    assert became(project.evidence("0001_initial", "0002_b")) == became(evidence)
    # Under the name of the first of them.
    write(project, _0001_initial="a", _0002_b="b c", _0003_d="d")
    assert sorted(became(project.evidence(*THREE, "0004_d"))) == ["0002_b+0003_c -> 0002_b", "0004_d -> 0003_d"]


def test_a_squash_whose_replaces_was_taken_out_before_it_was_committed(project: Project) -> None:
    write(project, _0001_initial="a", _0002_b="b", _0003_c="c")
    project.commit()
    write(project, _0001_squashed_0003_c="a b c")
    assert became(project.evidence(*THREE)) == ["0001_initial+0002_b+0003_c -> 0001_squashed_0003_c"]


def test_a_squash_beside_what_it_replaces_goes_with_it(project: Project) -> None:
    write(project, _0001_initial="a", _0002_b="b", _0003_c="c")
    squash = project.migrations / "0001_squashed_0002_b.py"
    squash.write_text(text("", "a b", ("0001_initial", "0002_b")))
    project.commit()
    squash.unlink()
    write(project, _0001_initial="a b c")
    evidence = project.evidence("0001_initial", "0002_b", "0001_squashed_0002_b", "0003_c")
    made = rewrite(evidence)
    assert made.collapsed == (((*THREE, "0001_squashed_0002_b"), ("0001_initial",)),)
    assert made.squashes == {"0001_squashed_0002_b": ("0001_initial", "0002_b")}


def test_an_edit_that_the_records_do_not_date_is_a_question(project: Project) -> None:
    write(project, _0001_initial="a", _0002_b="b2", _0003_c="c")
    project.commit()
    write(project, _0001_initial="a", _0002_b="b", _0003_c="c")
    project.commit()
    write(project, _0001_initial="a b c")
    evidence = project.evidence(*THREE)
    assert (became(evidence), became(evidence, Verdict.HINT)) == ([], ["0001_initial+0002_b+0003_c -> 0001_initial"])
    assert "0002_b was edited while they were there" in evidence.open[0].reasons[1]


def test_a_new_file_that_is_recorded_too_is_left_alone(project: Project) -> None:
    write(project, _0001_initial="a", _0002_b="b")
    project.commit()
    write(project, _0001_all="a b")
    assert became(project.evidence("0001_initial", "0002_b", "0001_all")) == []


def test_without_git_by_what_was_seen_to_run(tmp_path: Path) -> None:
    project = Project(tmp_path, git=False)
    write(project, _0001_initial="a b c", _0002_d="d")
    what = ran(_0001_initial="a", _0002_b="b", _0003_c="c")
    evidence = seen(project, THREE, what)
    assert became(evidence) == ["0001_initial+0002_b+0003_c -> 0001_initial"]
    assert rewrite(evidence).digests_before == {name: each.digest for name, each in what.items()}
    assert became(seen(project, THREE, {name: what[name] for name in THREE[:2]})) == []
    assert became(seen(project, THREE, ran(_0001_initial="a", _0002_b="b", _0003_c="other"))) == []
