"""What stands in the way of a proposal is told, with the names and the file, and nothing is proposed."""

from __future__ import annotations

from pathlib import Path

import pytest

from migsync.files.proposal import Proposal
from migsync.findings import Severity
from migsync.history import Key
from tests.files.proposals import Project, keys


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path / "project")
    project.add("shop.0001_a")
    project.add("shop.0003_b", "shop.0001_a")
    return project


def check(proposal: Proposal, code: str, *texts: str) -> None:
    (finding,) = proposal.findings
    assert (finding.code, finding.severity) == (code, Severity.ERROR)
    assert all(text in finding.found for text in texts)
    assert finding.hint
    assert proposal.blocked
    assert proposal.rewrite is None


B_TO_2 = keys(shop="0003_b>0002_b")


def test_a_third_party_app_depends_on_it(project: Project, tmp_path: Path) -> None:
    project.app("addon", tmp_path / "site-packages/addon/migrations", first_party=False)
    project.add("addon.0001_x", "shop.0003_b")
    check(project.propose(renamed=B_TO_2), "third-party-file", "addon.0001_x depends on shop.0003_b", "site-packages")


def test_a_third_party_app_that_names_nothing_of_it(project: Project, tmp_path: Path) -> None:
    project.app("addon", tmp_path / "site-packages/addon/migrations", first_party=False)
    project.add("addon.0001_x", "shop.0001_a")
    assert not project.propose(renamed=B_TO_2).findings


def test_a_directory_out_of_the_root(project: Project, tmp_path: Path) -> None:
    project.app("other", tmp_path / "elsewhere/migrations")
    project.add("other.0001_x", "shop.0003_b")
    check(project.propose(renamed=B_TO_2), "third-party-file", "other.0001_x", "elsewhere")


def test_a_link_out_of_the_root(project: Project, tmp_path: Path) -> None:
    outside = project.add("shop.0003_b", "shop.0001_a").rename(tmp_path / "0003_b.py")
    (project.root / "shop/migrations/0003_b.py").symlink_to(outside)
    check(project.propose(renamed=B_TO_2), "linked-file", "0003_b.py", str(outside))


def test_compiled_code(project: Project) -> None:
    source = project.root / "shop/migrations/0003_b.py"
    source.rename(source.with_suffix(".pyc"))
    check(project.propose(renamed=B_TO_2), "no-source", "0003_b.pyc")


def test_a_name_that_a_squash_replaces(project: Project) -> None:
    project.add("shop.0001_squashed_0002", replaces=["shop.0001_x", "shop.0002_b"])
    check(
        project.propose(renamed=B_TO_2), "replaced-name", "shop.0003_b would become shop.0002_b", "shop.0001_squashed"
    )


@pytest.mark.parametrize(("name", "text"), [("x" * 256, "255"), ("_x", "begins"), ("a.b", "'.'"), ("a\n", "control")])
def test_a_name_that_cannot_be_one(project: Project, name: str, text: str) -> None:
    check(project.propose(renamed={Key("shop", "0003_b"): Key("shop", name)}), "unusable-name", text)


def test_one_name_for_two(project: Project) -> None:
    project.add("shop.0004_c", "shop.0003_b")
    check(project.propose(renamed=keys(shop="0003_b>0002_x 0004_c>0002_x")), "name-twice", "0003_b and shop.0004_c")


def test_a_package_that_would_hide_it(project: Project) -> None:
    project.write("shop/migrations/0002_b/__init__.py", "")
    check(project.propose(renamed=B_TO_2), "file-there", "0002_b is there already")


def test_a_name_that_another_one_bears(project: Project) -> None:
    project.add("shop.0002_b", "shop.0003_b")
    codes = [finding.code for finding in project.propose(renamed=B_TO_2).findings]
    assert codes == ["name-twice", "file-there"]


def test_a_file_that_moves_away_is_no_hindrance(project: Project) -> None:
    project.add("shop.0002_b", "shop.0003_b")
    assert not project.propose(renamed=keys(shop="0003_b>0002_b 0002_b>0003_b")).findings


def test_what_cannot_be_edited_is_named_with_its_line(project: Project) -> None:
    text = "from shop import BASE\nclass Migration:\n    dependencies = [('shop', '0003_b'), *BASE]\n"
    path = project.write("shop/migrations/0004_c.py", text)
    proposal = project.propose(renamed=B_TO_2)
    check(proposal, "cannot-edit", f"{path}:3: ", "BASE is imported")
    assert proposal.findings[0].line == 3
