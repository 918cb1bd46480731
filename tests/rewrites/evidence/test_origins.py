"""Records without a file: which of them something explains, and that every other one is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from migsync.rewrites.evidence.database import DatabaseEvidence
from migsync.rewrites.evidence.discovery import Discovery, discover
from migsync.rewrites.evidence.statements import Statements
from migsync.rewrites.name_changes import NameChanges
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.plan import Plan
from migsync.sync.planner import PlanOptions, make_plan
from tests.rewrites.evidence.repository import Project
from tests.sync.planner.texts import MADE, REF, records


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def found(project: Project, *names: str) -> Discovery:
    rows = records(*(f"shop.{name}" for name in names))
    return discover(project.history(), Rewrites(), {"shop"}, [DatabaseEvidence("", rows)], created=MADE)


def plan(project: Project, *names: str) -> Plan:
    """The plan of a database with these records, as `migsync plan` shows it."""
    known = found(project, *names)
    rows = records(*(f"shop.{name}" for name in names))
    made = make_plan(
        project.history(),
        Rewrites().with_proposed(known.proposed),
        rows,
        REF,
        options=PlanOptions(origins=known.origins, conflicts=True),
    )
    return replace(made, findings=(*known.questions({"shop"}), *made.findings))


def named(plan: Plan) -> str:
    return " ".join(finding.found for finding in plan.findings)


def on_main_and_branch(project: Project) -> None:
    project.write("0001_initial")
    project.commit()
    project.write("0002_auto", "0001_initial", op="C")
    project.commit("the branch")
    project.delete("0002_auto")
    project.write("0002_menu", "0001_initial", op="M")


ROWS = ("0001_initial", "0002_auto", "0002_menu")


def renames(plan: Plan) -> list[tuple[str, str]]:
    return [(change.before.name, change.after.name) for change in plan.changes if change.before and change.after]


def test_behind_a_newcomer(project: Project) -> None:
    """Cases 40 and 41: no state of the files fits these records, but each is known by itself."""
    on_main_and_branch(project)
    project.write("0003_collection", "0002_menu", op="C")
    project.commit("renamed")
    done = plan(project, *ROWS)
    assert not done.blocked
    assert renames(done) == [("0002_auto", "0003_collection")]
    (proof,) = found(project, *ROWS).facts
    assert "The operations are the same as in git" in proof.meaning


def test_a_failed_migrate_that_ran_the_newcomers_takes_no_proof_away(project: Project) -> None:
    """Case 48."""
    on_main_and_branch(project)
    project.write("0003_collection", "0002_menu", op="C")
    project.commit("renamed")
    for rows in (ROWS[:2], ROWS):
        assert renames(plan(project, *rows)) == [("0002_auto", "0003_collection")]


def test_edited_on_the_way_it_is_blocked_all_the_same(project: Project) -> None:
    on_main_and_branch(project)
    project.write("0003_collection", "0002_menu", op="C and more")
    project.commit("renamed and edited")
    question = plan(project, *ROWS)
    assert question.blocked
    assert "shop.0002_auto (row 2)" in named(question)
    assert "shop.0003_collection" in named(question)


def test_a_file_that_stood_beside_it_is_another_one(project: Project) -> None:
    project.write("0001_initial")
    project.write("0002_auto", "0001_initial")
    project.write("0003_menu", "0002_auto")
    project.commit()
    project.delete("0002_auto")
    project.write("0003_menu", "0001_initial")
    project.commit("deleted")
    left = plan(project, "0001_initial", "0002_auto")
    assert not left.blocked
    assert left.unexplained == 1
    assert "was last seen in git" in left.findings[0].meaning


def deleted(project: Project) -> None:
    """0002_auto goes in a commit of its own; 0002_menu is there, and recorded."""
    project.write("0001_initial")
    project.write("0002_auto", "0001_initial", op="C")
    project.commit()
    project.delete("0002_auto")
    project.write("0002_menu", "0001_initial", op="M")
    project.commit("deleted")


def test_a_file_that_came_after_the_deletion_is_another_one(project: Project) -> None:
    """An old project: nobody is to be stopped by a leftover whenever somebody adds a migration."""
    deleted(project)
    project.write("0003_collection", "0002_menu", op="N")
    for _ in ("uncommitted", "committed"):
        left = plan(project, *ROWS)
        assert not left.blocked
        assert left.unexplained == 1
        assert "was last seen in git" in left.findings[0].meaning
        project.commit("a new one")


def test_a_file_that_came_later_with_its_operations_is_what_ran(project: Project) -> None:
    deleted(project)
    project.write("0003_collection", "0002_menu", op="C")
    project.commit("reverted, and taken back under another name")
    assert renames(plan(project, *ROWS)) == [("0002_auto", "0003_collection")]


def test_a_file_that_came_with_the_deletion_and_was_renamed_again_is_a_question(project: Project) -> None:
    deleted(project)
    project.delete("0002_menu")
    project.write("0002_other", "0001_initial", op="M and more")
    project.commit("renamed again")
    question = plan(project, "0001_initial", "0002_auto")
    assert question.blocked
    assert "shop.0002_other" in named(question)


def test_commits_of_a_merged_branch_are_not_taken_for_the_order_of_this_one(project: Project) -> None:
    """Case 40 with a merge: main never had the old file, so its commits without it say nothing."""
    project.write("0001_initial")
    project.commit()
    project.git("checkout", "-q", "-b", "feature")
    project.write("0002_auto", "0001_initial", op="C")
    project.commit("the branch")
    project.git("checkout", "-q", "main")
    project.write("0002_menu", "0001_initial", op="M")
    project.commit("newcomer")
    project.git("merge", "-q", "--no-commit", "feature")
    project.delete("0002_auto")
    project.write("0003_collection", "0002_menu", op="C and more")
    project.commit("merged, renamed and edited")
    project.git("branch", "-q", "-D", "feature")
    assert plan(project, *ROWS).blocked


def test_a_recorded_squash_explains_what_it_once_replaced(project: Project) -> None:
    """Its name need not say so where git does."""
    project.write("0001_initial")
    project.write("0002_auto", "0001_initial", op="C")
    project.write("0001_all", replaces=("0001_initial", "0002_auto"), op="all")
    project.commit()
    project.delete("0001_initial", "0002_auto")
    project.write("0001_all", op="all")
    project.write("0002_next", "0001_all", op="N")
    project.commit("settled")
    left = plan(project, "0001_initial", "0002_auto", "0001_all")
    assert not left.blocked
    assert not left.unexplained


def test_a_recorded_file_with_its_operations_explains_it(project: Project) -> None:
    """Somebody recorded the new name by hand (`--fake`)."""
    on_main_and_branch(project)
    project.write("0003_collection", "0002_menu", op="C")
    project.commit("renamed")
    left = plan(project, *ROWS, "0003_collection")
    assert not left.blocked
    assert not left.unexplained
    assert [finding.code for finding in found(project, *ROWS, "0003_collection").facts] == ["gone"]


@pytest.mark.parametrize("operations", ["C", "another"])
def test_a_file_on_another_branch_explains_a_record_unless_one_here_has_its_operations(
    project: Project, operations: str
) -> None:
    project.write("0001_initial")
    project.commit()
    project.git("checkout", "-q", "-b", "feature")
    project.write("0002_auto", "0001_initial", op="C")
    project.commit()
    project.git("checkout", "-q", "main")
    project.write("0002_menu", "0001_initial", op="M")
    project.write("0003_collection", "0002_menu", op=operations)
    project.commit("merged as one commit")
    left = plan(project, *ROWS)
    assert not left.blocked
    assert renames(left) == ([("0002_auto", "0003_collection")] if operations == "C" else [])
    assert "shop.0002_auto" in named(left) or operations == "C"


def test_every_record_is_named_beside_a_question_about_the_same_file(tmp_path: Path) -> None:
    """Case 50: without git, three files are one now; the question about the first is not all."""
    project = Project(tmp_path, git=False)
    project.write("0001_initial")
    project.write("0005_price", "0001_initial")
    names = ("0002_price", "0003_size", "0004_sku")
    question = plan(project, "0001_initial", *names)
    assert question.blocked
    assert "shop.0002_price may have become shop.0005_price." in named(question)
    for name in names:
        assert f"shop.{name}" in named(question)


def test_a_merge_by_its_name_is_unexplained_until_it_is_said(tmp_path: Path) -> None:
    project = Project(tmp_path, git=False)
    project.write("0001_initial")
    left = plan(project, "0001_initial", "0002_merge")
    assert not left.blocked
    assert left.unexplained == 1


def test_what_is_stated_about_one_record_answers_no_question_about_another(project: Project) -> None:
    """A likely pair stays a question, also where the file comes after what ran years later."""
    project.write("0001_initial")
    project.write("0002_price", "0001_initial")
    project.write("0003_size", "0002_price")
    rows = records("shop.0001_initial", "shop.0002_size", "shop.0003_price")
    rows = [row._replace(applied=f"20{2 * row.id:02}-01-01 00:00:00") for row in rows]
    known = discover(
        project.history(),
        Rewrites(),
        {"shop"},
        [DatabaseEvidence("", rows)],
        Statements({"shop": NameChanges({"0003_price": "0002_price"})}),
        created=MADE,
    )
    made = make_plan(
        project.history(),
        Rewrites().with_proposed(known.proposed),
        rows,
        REF,
        options=PlanOptions(origins=known.origins),
    )
    findings = (*known.questions({"shop"}), *made.findings)
    asked = [finding.found for finding in findings if finding.blocks]
    assert asked == ["shop.0002_size may have become shop.0003_size."]
    assert [(pair.old, pair.new) for pair in known.open_pairs] == [(("0002_size",), ("0003_size",))]


class TestLikely:
    """What `--accept` takes needs a reason that real histories bear out."""

    def test_the_same_place_alone_is_none(self, tmp_path: Path) -> None:
        project = Project(tmp_path, git=False)
        project.write("0001_initial")
        project.write("0002_menu", "0001_initial")
        known = found(project, "0001_initial", "0002_auto")
        assert known.open_pairs == ()
        assert plan(project, "0001_initial", "0002_auto").blocked

    def test_the_same_suffix_says_how_sure_it_is(self, tmp_path: Path) -> None:
        project = Project(tmp_path, git=False)
        project.write("0001_initial")
        project.write("0003_price", "0001_initial")
        (pair,) = found(project, "0001_initial", "0002_price").open_pairs
        assert pair.reasons == (
            "Both have the same name after the number.",
            "Both come right after shop.0001_initial.",
            "In public projects, 92 of 100 pairs with the same name after the number were the same migration.",
        )

    def test_operations_that_are_the_same_weigh_more_than_a_suffix(self, project: Project) -> None:
        """The file was edited as well as renamed: it would run these operations a second time."""
        project.write("0001_initial")
        project.write("0002_price", "0001_initial", op="C")
        project.commit()
        project.delete("0002_price")
        project.write("0003_price", "0001_initial", op="N")
        project.write("0004_collection", "0003_price", op="C")
        path = project.migrations / "0004_collection.py"
        path.write_text(path.read_text().replace("operations = [", "operations = [migrations.RunSQL('SELECT 1'), "))
        project.commit("renamed and edited")
        (pair,) = found(project, "0001_initial", "0002_price").open_pairs
        assert pair.new == ("0004_collection",)
        assert pair.reasons[0] == "Operations of shop.0002_price are in shop.0004_collection: RunSQL."
        assert plan(project, "0001_initial", "0002_price").blocked

    def test_without_git_the_message_says_where_it_would_be_settled(self, tmp_path: Path) -> None:
        project = Project(tmp_path, git=False)
        project.write("0001_initial")
        project.write("0002_menu", "0001_initial")
        (told,) = found(project, "0001_initial", "0002_auto").facts
        assert told.code == "git-is-silent"
        assert "migsync rewrite" in told.hint
        assert "Commit the rewrite" in told.hint
        # A leftover is no question as long as nothing waits.
        assert found(project, "0001_initial", "0002_menu", "0002_auto").facts == []


@pytest.mark.parametrize("committed", [False, True])
def test_the_old_side_of_a_stated_exchange_is_that_of_before(project: Project, committed: bool) -> None:
    """Case 45: HEAD may have the new files by now, or not yet."""
    project.write("0001_initial")
    project.write("0003_x", "0001_initial", op="B")
    project.write("0002_x", "0003_x", op="C")
    project.commit()
    project.write("0002_x", "0001_initial", op="B")
    project.write("0003_x", "0002_x", op="C")
    if committed:
        project.commit("exchanged")
        project.write("0004_y", "0003_x")
        project.commit("and on")
    stated = Statements({"shop": NameChanges({"0003_x": "0002_x", "0002_x": "0003_x"})})
    rows = records("shop.0001_initial", "shop.0003_x", "shop.0002_x")
    known = discover(project.history(), Rewrites(), {"shop"}, [DatabaseEvidence("", rows)], stated, created=MADE)
    assert known.proposed
    change = known.proposed.apps["shop"]
    assert change.before[:3] == ("0001_initial", "0003_x", "0002_x")
    assert change.parents_before["0002_x"] == ("0003_x",)
    assert change.digests_before["0003_x"] == change.digests_after["0002_x"] != change.digests_after["0003_x"]
