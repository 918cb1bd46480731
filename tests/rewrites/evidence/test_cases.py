"""Names changed by hand in a real git repository: what is proven, what is only likely, and what is said."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from migsync.findings import Severity
from migsync.rewrites.evidence.database import AppRecords
from migsync.rewrites.evidence.evidence import Evidence, find_evidence
from migsync.rewrites.evidence.pairs import Verdict
from migsync.rewrites.evidence.past_files import PastFiles
from migsync.rewrites.evidence.proposal import propose
from migsync.rewrites.git import GitHistory
from tests.rewrites.evidence.repository import Project, source


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def became(evidence: Evidence, verdict: Verdict = Verdict.PROOF) -> dict[str, str]:
    return {"+".join(pair.old): "+".join(pair.new) for pair in evidence.pairs if pair.verdict is verdict}


def said(evidence: Evidence, accept: bool = False) -> list[tuple[str, str]]:
    _, findings = propose({"shop": evidence}, (), "2026-11-20T10:45:00Z", "evidence", accept_hints=accept)
    return [(finding.code, finding.found) for finding in findings]


def line(project: Project, *names: str) -> None:
    """Files one after the other."""
    for above, name in zip(("", *names), names, strict=False):
        project.write(name, *([above] if above else []))


class TestRenames:
    def test_uncommitted(self, project: Project) -> None:
        line(project, "0001_initial", "0003_b")
        project.commit()
        project.rename("0003_b", "0002_b", "0001_initial")
        evidence = project.evidence("0001_initial", "0003_b")
        assert became(evidence) == {"0003_b": "0002_b"}
        head = project.git("rev-parse", "HEAD")[:10]
        assert evidence.source.startswith(f"git {head} (")
        assert evidence.proven[0].reasons == (
            f"The operations are the same as in {evidence.source}, and no other file has them.",
        )
        assert said(evidence) == [("proven-pair", "shop.0003_b became shop.0002_b.")]

    def test_committed_and_over_several_commits(self, project: Project) -> None:
        line(project, "0001_initial", "0004_b")
        project.commit()
        project.rename("0004_b", "0003_b", "0001_initial")
        project.commit()
        project.rename("0003_b", "0002_b", "0001_initial")
        project.commit()
        assert became(project.evidence("0001_initial", "0004_b")) == {"0004_b": "0002_b"}
        assert became(project.evidence("0001_initial", "0003_b")) == {"0003_b": "0002_b"}
        assert became(project.evidence("0001_initial", "0002_b")) == {}

    def test_in_a_merge_commit(self, project: Project) -> None:
        """Two branches add 0002; the merge renumbers one, and that database was migrated on its branch."""
        project.write("0001_initial")
        project.commit()
        project.git("checkout", "-q", "-b", "feature")
        project.write("0002_b", "0001_initial")
        project.commit()
        project.git("checkout", "-q", "main")
        project.write("0002_a", "0001_initial")
        project.commit()
        project.git("merge", "-q", "--no-commit", "--no-ff", "feature")
        project.rename("0002_b", "0003_b", "0002_a")
        project.commit("merge")
        evidence = project.evidence("0001_initial", "0002_b")
        assert became(evidence) == {"0002_b": "0003_b"}

    def test_rebased_away(self, project: Project) -> None:
        """The old name was amended out of the branch; only the reflog still has it."""
        line(project, "0001_initial", "0003_b")
        project.commit()
        project.rename("0003_b", "0002_b", "0001_initial")
        project.git("add", "-A")
        project.git("commit", "-q", "--amend", "-m", "renumbered")
        assert became(project.evidence("0001_initial", "0003_b")) == {"0003_b": "0002_b"}

    def test_without_reflogs(self, project: Project) -> None:
        """A copy of a repository, for a container say, may have none; git is not silent for that."""
        line(project, "0001_initial", "0002_b")
        project.commit()
        shutil.rmtree(project.root / ".git" / "logs")
        with GitHistory([project.app]) as git:
            assert git.abandoned("shop") == ()
            assert git.reason("shop") == ""

    def test_chain_with_names_used_again(self, project: Project) -> None:
        """Pitfall 1."""
        line(project, "0001_initial", "0003_alter", "0004_alter")
        project.commit()
        project.rename("0003_alter", "0002_alter", "0001_initial")
        project.rename("0004_alter", "0003_alter", "0002_alter")
        for recorded in (["0003_alter"], ["0003_alter", "0004_alter"]):
            evidence = project.evidence("0001_initial", *recorded)
            assert became(evidence) == {"0003_alter": "0002_alter", "0004_alter": "0003_alter"}

    def test_shift_up_with_a_removed_merge(self, project: Project) -> None:
        """Pitfall 2."""
        line(project, "0001_initial", "0002_alter_x", "0003_alter_x")
        project.write("0002_aaa", "0001_initial")
        project.write("0004_merge", "0002_aaa", "0003_alter_x", op=None)
        project.commit()
        project.delete("0004_merge")
        project.rename("0003_alter_x", "0004_alter_x", "0003_alter_x")
        project.rename("0002_alter_x", "0003_alter_x", "0002_aaa")
        evidence = project.evidence("0001_initial", "0002_aaa", "0002_alter_x", "0003_alter_x", "0004_merge")
        assert became(evidence) == {"0002_alter_x": "0003_alter_x", "0003_alter_x": "0004_alter_x"}
        assert [name for name, _ in evidence.removed] == ["0004_merge"]
        rewrite, _ = propose({"shop": evidence}, (), "2026-11-20T10:45:00Z", "evidence")
        assert rewrite
        assert rewrite.apps["shop"].removed == ("0004_merge",)
        assert set(rewrite.apps["shop"].parents_before["0004_merge"]) == {"0002_aaa", "0003_alter_x"}

    def test_swap(self, project: Project) -> None:
        """Pitfall 3. With all of it applied the names are the same, and there is nothing to ask git for."""
        line(project, "0001_initial", "0003_x", "0002_x")
        project.commit()
        project.delete("0003_x", "0002_x")
        project.write("0002_x", "0001_initial", op="0003_x")
        project.write("0003_x", "0002_x", op="0002_x")
        assert became(project.evidence("0001_initial", "0003_x")) == {"0003_x": "0002_x", "0002_x": "0003_x"}
        assert project.evidence("0001_initial", "0003_x", "0002_x").pairs == ()

    def test_of_an_unapplied_one_comes_along(self, project: Project) -> None:
        line(project, "0001_initial", "0003_b", "0004_c")
        project.commit()
        project.rename("0003_b", "0002_b", "0001_initial")
        project.rename("0004_c", "0003_c", "0002_b")
        evidence = project.evidence("0001_initial", "0003_b")
        assert became(evidence) == {"0003_b": "0002_b", "0004_c": "0003_c"}
        assert evidence.before == ("0001_initial", "0003_b", "0004_c")

    def test_of_a_merge(self, project: Project) -> None:
        line(project, "0001_initial", "0002_a")
        project.write("0002_b", "0001_initial")
        project.write("0003_merge", "0002_a", "0002_b", op=None)
        project.commit()
        project.rename("0003_merge", "0003_merge_a_b", "0002_a", "0002_b")
        evidence = project.evidence("0001_initial", "0002_a", "0002_b", "0003_merge")
        assert became(evidence) == {"0003_merge": "0003_merge_a_b"}
        assert evidence.removed == ()

    def test_reworded_on_the_way(self, project: Project) -> None:
        """Nothing that a database sees is another; how a file is put back is read by `migrate` backwards alone."""
        line(project, "0001_initial", "0003_b")
        project.commit()
        project.rename("0003_b", "0002_b", "0001_initial")
        path = project.migrations / "0002_b.py"
        path.write_text(path.read_text().replace("'\")", "'\", reverse_sql='', elidable=True)"))
        evidence = project.evidence("0001_initial", "0003_b")
        assert became(evidence) == {"0003_b": "0002_b"}
        assert "differ from those in git" in evidence.proven[0].reasons[0]
        assert evidence.digests_before["0003_b"] != evidence.digests_after["0002_b"]

    def test_what_an_older_migsync_stated(self, project: Project) -> None:
        line(project, "0001_initial", "0003_b")
        stated = {key.name: migration.first_digest for key, migration in project.history().migrations.items()}
        assert all(len(digest) == 64 for digest in stated.values())
        project.rename("0003_b", "0002_b", "0001_initial")
        assert became(project.evidence("0001_initial", "0003_b", stated=[stated])) == {"0003_b": "0002_b"}


class TestDoubts:
    def test_files_with_one_effect_side_by_side(self, project: Project) -> None:
        """Two changes of a field's choices do the same to a database: only their sources tell them apart."""
        for name, after, wording in (
            ("0001_initial", (), 0),
            ("0003_a", ("0001_initial",), 1),
            ("0004_b", ("0003_a",), 2),
        ):
            text = source(after, "0001" if wording == 0 else "same", wording=wording)
            (project.migrations / f"{name}.py").write_text(text)
        project.commit()
        project.rename("0004_b", "0003_b", "0001_initial")
        project.rename("0003_a", "0002_a", "0001_initial")
        assert became(project.evidence("0001_initial", "0003_a", "0004_b")) == {"0003_a": "0002_a", "0004_b": "0003_b"}
        project.write("0002_a", "0001_initial", op="same")
        assert "0003_a" not in became(project.evidence("0001_initial", "0003_a", "0004_b"))

    def test_edited_under_the_old_name_first(self, project: Project) -> None:
        """The records fit the file before and after the edit: a person must say which was applied."""
        line(project, "0001_initial", "0003_b")
        project.commit()
        project.write("0003_b", "0001_initial", op="other")
        project.commit()
        project.rename("0003_b", "0002_b", "0001_initial")
        evidence = project.evidence("0001_initial", "0003_b")
        assert became(evidence) == {}
        assert became(evidence, Verdict.HINT) == {"0003_b": "0002_b"}
        assert "0003_b had other operations in git" in evidence.open[0].reasons[0]

    def test_later_records_tell_that_the_edit_was_applied(self, project: Project) -> None:
        line(project, "0001_initial", "0003_b")
        project.commit()
        project.write("0003_b", "0001_initial", op="other")
        project.write("0004_c", "0003_b")
        project.commit()
        project.rename("0003_b", "0002_b", "0001_initial")
        project.rename("0004_c", "0003_c", "0002_b")
        evidence = project.evidence("0001_initial", "0003_b", "0004_c")
        assert became(evidence) == {"0003_b": "0002_b", "0004_c": "0003_c"}

    def test_renamed_and_edited(self, project: Project) -> None:
        line(project, "0001_initial", "0003_b")
        project.commit()
        project.delete("0003_b")
        project.write("0002_b", "0001_initial", op="other")
        evidence = project.evidence("0001_initial", "0003_b")
        assert became(evidence, Verdict.AGAINST) == {"0003_b": "0002_b"}
        ((code, found),) = said(evidence)
        assert code == "another-migration"
        assert found.startswith("shop.0002_b looks like shop.0003_b")

    def test_renamed_then_edited_in_the_next_commit(self, project: Project) -> None:
        line(project, "0001_initial", "0003_b")
        project.commit()
        project.rename("0003_b", "0002_b", "0001_initial")
        project.commit()
        project.write("0002_b", "0001_initial", op="other")
        evidence = project.evidence("0001_initial", "0003_b")
        assert became(evidence, Verdict.HINT) == {"0003_b": "0002_b"}
        assert "had its operations; they were changed since" in evidence.open[0].reasons[0]

    def test_deleted_and_a_new_one_with_the_same_suffix(self, project: Project) -> None:
        line(project, "0001_initial", "0002_a", "0003_alter_price")
        project.commit()
        project.delete("0003_alter_price")
        project.write("0004_alter_price", "0002_a", op="new")
        evidence = project.evidence("0001_initial", "0002_a", "0003_alter_price")
        assert became(evidence) == became(evidence, Verdict.HINT) == {}
        assert became(evidence, Verdict.AGAINST) == {"0003_alter_price": "0004_alter_price"}

    def test_twins(self, project: Project) -> None:
        project.write("0001_initial")
        project.write("0003_add", "0001_initial", op="same")
        project.write("0004_add", "0003_add", op="same")
        project.commit()
        project.rename("0003_add", "0002_add", "0001_initial")
        project.rename("0004_add", "0003_again", "0002_add")
        evidence = project.evidence("0001_initial", "0003_add", "0004_add")
        assert became(evidence) == {}
        assert became(evidence, Verdict.HINT)["0003_add"] == "0002_add"
        assert "0003_add and 0004_add both had them" in evidence.open[0].reasons[0]

    def test_a_leftover_whose_name_was_used_again(self, project: Project) -> None:
        """The row is of a deleted migration; that another file bore the name later proves nothing about it."""
        line(project, "0001_initial", "0002_b")
        project.commit()
        project.delete("0002_b")
        project.write("0003_c", "0001_initial")
        project.commit()
        project.write("0002_b", "0001_initial", op="new")
        project.commit()
        project.rename("0002_b", "0004_b", "0001_initial")
        assert became(project.evidence("0001_initial", "0002_b", "0003_c")) == {}

    def test_kept_name_other_operations(self, project: Project) -> None:
        line(project, "0001_initial", "0002_a", "0004_b")
        project.commit()
        project.write("0002_a", "0001_initial", op="other")
        project.rename("0004_b", "0003_b", "0002_a")
        evidence = project.evidence("0001_initial", "0002_a", "0004_b")
        assert became(evidence) == {"0004_b": "0003_b"}
        assert (
            "changed-operations",
            "shop.0002_a is recorded, but the operations in its file have changed since.",
        ) in said(evidence)

    def test_name_taken_over(self, project: Project) -> None:
        line(project, "0001_initial", "0002_a", "0003_b")
        project.commit()
        project.delete("0002_a")
        project.rename("0003_b", "0002_a", "0001_initial")
        evidence = project.evidence("0001_initial", "0002_a", "0003_b")
        assert evidence.taken == ("0002_a",)
        assert [code for code, _ in said(evidence)] == ["proven-pair", "name-reused"]


class TestCollapses:
    def test_squash_that_lost_its_replaces(self, project: Project) -> None:
        line(project, "0001_initial", "0002_a", "0003_b", "0004_c")
        project.commit()
        project.write("0002_a_squashed_0003_b", "0001_initial", op="both", replaces=["0002_a", "0003_b"])
        project.commit()
        project.delete("0002_a", "0003_b")
        project.write("0002_a_squashed_0003_b", "0001_initial", op="both")
        project.write("0004_c", "0002_a_squashed_0003_b")
        evidence = project.evidence("0001_initial", "0002_a", "0003_b", "0004_c")
        assert became(evidence) == {"0002_a+0003_b": "0002_a_squashed_0003_b"}
        assert evidence.before == ("0001_initial", "0002_a", "0003_b", "0004_c")
        passed = project.evidence("0001_initial", "0002_a", "0003_b", "0002_a_squashed_0003_b", "0004_c")
        assert became(passed) == {}

    def test_by_its_name_only(self, project: Project) -> None:
        line(project, "0001_initial", "0002_a", "0003_b", "0004_c")
        project.commit()
        project.delete("0002_a", "0003_b")
        project.write("0002_a_squashed_0003_b", "0001_initial", op="both")
        project.write("0004_c", "0002_a_squashed_0003_b")
        evidence = project.evidence("0001_initial", "0002_a", "0003_b", "0004_c")
        assert became(evidence) == {}
        assert [(pair.old, pair.new) for pair in evidence.open] == [(("0002_a", "0003_b"), ("0002_a_squashed_0003_b",))]


class TestWithoutGit:
    def test_hints_with_the_map_to_type(self, tmp_path: Path) -> None:
        project = Project(tmp_path, git=False)
        line(project, "0001_initial", "0002_b", "0003_c")
        evidence = project.evidence("0001_initial", "0003_b", "0004_c")
        assert became(evidence, Verdict.HINT) == {"0003_b": "0002_b", "0004_c": "0003_c"}
        rewrite, findings = propose({"shop": evidence}, (), "2026-11-20T10:45:00Z", "evidence")
        assert rewrite is None
        assert findings[0].severity is Severity.ERROR
        assert "--map shop.0003_b=0002_b" in findings[0].hint
        accepted, _ = propose({"shop": evidence}, (), "2026-11-20T10:45:00Z", "evidence", accept_hints=True)
        assert accepted
        assert accepted.apps["shop"].renamed == (("0003_b", "0002_b"), ("0004_c", "0003_c"))
        assert accepted.apps["shop"].depends == {"0003_b": (), "0004_c": ()}

    def test_a_journal_proves_it(self, tmp_path: Path) -> None:
        project = Project(tmp_path, git=False)
        line(project, "0001_initial", "0002_b")
        digest = project.history().migrations["shop", "0002_b"].digest  # type: ignore[index]
        project.rename("0002_b", "0003_b", "0001_initial")
        stated = [{"0001_initial": "x", "0002_b": digest}]
        assert became(project.evidence("0001_initial", "0002_b", stated=stated)) == {"0002_b": "0003_b"}
        twins = [{"0002_b": digest, "0007_other": digest}]
        assert became(project.evidence("0001_initial", "0002_b", stated=twins)) == {}

    def test_a_merge_is_only_likely(self, tmp_path: Path) -> None:
        project = Project(tmp_path, git=False)
        line(project, "0001_initial", "0002_a", "0003_b")
        evidence = project.evidence("0001_initial", "0002_a", "0003_b", "0004_merge", "0005_emergency_contact")
        assert evidence.removed == ()
        assert became(evidence, Verdict.HINT) == {"0004_merge": ""}


class TestRepositories:
    def test_root_below_the_top(self, tmp_path: Path) -> None:
        project = Project(tmp_path, "backend app/shop [1]/migrations")
        line(project, "0001_initial", "0003_b")
        (tmp_path / "backend app" / "0009_not_one.py").write_text("")
        project.commit()
        project.rename("0003_b", "0002_b", "0001_initial")
        assert became(project.evidence("0001_initial", "0003_b")) == {"0003_b": "0002_b"}

    def test_shallow_clone(self, project: Project, tmp_path: Path) -> None:
        line(project, "0001_initial", "0003_b")
        project.commit()
        project.rename("0003_b", "0002_b", "0001_initial")
        project.commit()
        project.git("clone", "-q", "--depth", "1", f"file://{tmp_path}", str(tmp_path / "clone"))
        clone = Project.__new__(Project)
        clone.root, clone.migrations = tmp_path / "clone", tmp_path / "clone/shop/migrations"
        clone.app = type(project.app)("shop", str(clone.migrations))
        evidence = clone.evidence("0001_initial", "0003_b")
        assert became(evidence) == {}
        assert became(evidence, Verdict.HINT) == {"0003_b": "0002_b"}

    def test_no_commit_yet(self, project: Project) -> None:
        line(project, "0001_initial", "0002_b")
        assert became(project.evidence("0001_initial", "0003_b"), Verdict.HINT) == {"0003_b": "0002_b"}

    def test_git_is_not_installed(self, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        line(project, "0001_initial", "0003_b")
        project.commit()
        project.rename("0003_b", "0002_b", "0001_initial")
        monkeypatch.setenv("PATH", "/nowhere")
        assert became(project.evidence("0001_initial", "0003_b"), Verdict.HINT) == {"0003_b": "0002_b"}

    def test_a_broken_commit_in_between(self, project: Project) -> None:
        line(project, "0001_initial", "0003_b")
        project.commit()
        (project.migrations / "0003_b.py").write_text("<<<<<<< HEAD\n")
        project.commit()
        project.write("0003_b", "0001_initial")
        project.rename("0003_b", "0002_b", "0001_initial")
        assert became(project.evidence("0001_initial", "0003_b")) == {"0003_b": "0002_b"}

    def test_git_variables_of_a_hook(self, project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        line(project, "0001_initial", "0003_b")
        project.commit()
        project.rename("0003_b", "0002_b", "0001_initial")
        monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
        assert became(project.evidence("0001_initial", "0003_b")) == {"0003_b": "0002_b"}

    def test_nothing_is_read_for_an_app_that_is_explained(self, project: Project) -> None:
        line(project, "0001_initial", "0002_b")

        def never() -> list[object]:
            raise AssertionError("git was asked")

        past = PastFiles(never)  # type: ignore[arg-type]
        assert find_evidence(project.history(), "shop", AppRecords(("0001_initial",)), past).pairs == ()


def test_a_record_of_another_branch_is_no_leftover(tmp_path: Path) -> None:
    """Only a file that this branch never had; one that it had and lost may be what a new file does."""
    project = Project(tmp_path)
    project.write("0001_initial")
    project.write("0002_lost", "0001_initial")
    project.commit()
    project.git("checkout", "-q", "-b", "feature")
    project.write("0003_feature", "0002_lost")
    project.commit()
    project.git("checkout", "-q", "main")
    (project.migrations / "0002_lost.py").unlink()
    project.commit()
    with GitHistory([project.app]) as git:
        found = git.elsewhere("shop", ["0001_initial", "0002_lost", "0003_feature", "0009_nowhere"])
        assert {name: branch for name, (branch, _) in found.items()} == {"0003_feature": "feature"}
        assert found["0003_feature"][1]


def test_a_squash_beside_what_it_replaced_became_nothing_else(tmp_path: Path) -> None:
    """The squash was taken out again, and a new file has one of its operations."""
    project = Project(tmp_path)
    line(project, "0001_initial", "0002_b")
    originals = ("0001_initial", "0002_b")
    project.write("0001_initial_squashed_0002_b", op="price", replaces=originals)
    project.commit()
    project.delete("0001_initial_squashed_0002_b")
    more = source(["0002_b"], "price").replace("operations = [", "operations = [migrations.RunSQL('SELECT 2'), ")
    (project.migrations / "0003_c.py").write_text(more)
    assert project.evidence("0001_initial", "0001_initial_squashed_0002_b").open
    assert not project.evidence(*originals, "0001_initial_squashed_0002_b").open
