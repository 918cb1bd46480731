"""What a person states about names: held against files, git and databases, and every printed command works."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.releases import Ended, Release, record
from tests.databases import Database
from tests.hints import commands
from tests.rewrites.evidence.repository import Project


@dataclass
class Site:
    """A project with migrations that are changed by hand, and its database."""

    project: Project
    release: Release

    def line(self, **operations: str) -> Site:
        """Exactly these files, one after the other; ``_0002_b="B"`` has the operation B."""
        self.project.delete(*(path.stem for path in self.project.migrations.glob("0*.py")))
        above: tuple[str, ...] = ()
        for name, operation in operations.items():
            self.project.write(name[1:], *above, op=operation)
            above = (name[1:],)
        return self

    def record(self, *names: str) -> Site:
        record(self.release.database, *names, at="2024-01-01 10:00:00")
        return self

    def run(self, command: str, *arguments: str) -> Ended:
        return self.release.run(command, *arguments)

    def names(self) -> list[str]:
        return self.release.names()

    def typed(self, ended: Ended) -> list[Ended]:
        """What comes of each command that was printed, as it stands there."""
        return [self.run(*command.split()[1:]) for command in printed(ended)]


def printed(ended: Ended) -> list[str]:
    """The commands that stand there to be typed."""
    return commands("\n".join(line.strip().removeprefix("Next: ") for line in ended.said.splitlines()))


@pytest.fixture(params=["git", "no git"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path, sqlite_database: Database, monkeypatch) -> Site:
    return site(tmp_path, sqlite_database, monkeypatch, git=request.param == "git")


@pytest.fixture
def in_git(tmp_path: Path, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return site(tmp_path, sqlite_database, monkeypatch, git=True)


def site(root: Path, database: Database, monkeypatch: pytest.MonkeyPatch, *, git: bool) -> Site:
    monkeypatch.setenv("MIGSYNC_CACHE", str(root / ".cache"))
    project = Project(root / "site", git=git)
    (root / "site" / "pyproject.toml").write_text(
        f'[tool.migsync.databases.default]\nurl = "{database.url}"\n[tool.migsync.apps]\nshop = "shop/migrations"\n'
    )
    database.create_table()
    return Site(project, Release(root / "site", database))


def test_a_new_file_under_an_old_name_whose_bearer_moved(in_git: Site) -> None:
    """Case 46."""
    in_git.line(_0001_x="A", _0002_x="B", _0003_x="C").record("0001_x").project.commit()
    in_git.line(_0004_x="A", _0003_x="B", _0002_x="new")
    assert in_git.run("rewrite", "--dry-run").status == 0
    assert in_git.run("apply", "--noinput").status == 0
    assert in_git.names() == ["0004_x"]
    assert "up to date" in in_git.run("plan").said
    assert in_git.run("undo", "--noinput").status == 0
    assert in_git.names() == ["0001_x"]


def test_git_shows_that_an_old_name_belongs_to_a_new_migration(in_git: Site) -> None:
    in_git.line(_0001_x="A", _0002_x="B").record("0001_x", "0002_x").project.commit()
    in_git.line(_0001_x="A", _0002_x="new", _0003_x="B").project.commit()
    made = in_git.run("rewrite", "--map", "shop.0002_x=0003_x", "--format", "json")
    assert made.status == 0, made.said
    app = made.json["rewrite"]["apps"]["shop"]
    assert (app["before"], app["after"]) == (["0001_x", "0002_x"], ["0001_x", "0003_x"])


def test_without_evidence_a_person_says_that_a_file_is_new(anywhere: Site) -> None:
    anywhere.line(_0001_x="A", _0002_x="new", _0003_x="B").record("0001_x", "0002_x")
    refused = anywhere.run("rewrite", "--map", "shop.0002_x=0003_x")
    assert refused.status == 64
    assert "--new shop.0002_x" in refused.said
    assert anywhere.run("rewrite", "--map", "shop.0002_x=0003_x", "--new", "shop.0002_x").status == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--new", "shop.0003_c"], "you did not say what became of the migration"),
        (["--map", "shop.0001_a=0002_b", "--new", "shop.0009_c"], "shop.0009_c is not on disk"),
        (["--map", "shop.0002_b=0002_b"], "is given as its own new name"),
        (["--collapse", "shop.0001_a=0001_a"], "is given as its own new name"),
    ],
)
def test_what_cannot_be_meant_is_refused(anywhere: Site, words: list[str], says: str) -> None:
    anywhere.line(_0001_a="A", _0002_b="B", _0003_c="C")
    ended = anywhere.run("rewrite", *words)
    assert (ended.status, says in ended.said) == (64, True), ended.said


def test_a_file_that_was_split(anywhere: Site) -> None:
    """Case 47: without git, the names fit before and after, so that a person is asked, with commands that work."""
    in_git = (anywhere.project.root / ".git").exists()
    anywhere.line(_0001_a="A", _0002_b="B and C").record("0001_a", "0002_b")
    if in_git:
        anywhere.project.commit()
    anywhere.line(_0001_a="A", _0002_b="B", _0003_c="C")
    stated = ["--collapse", "shop.0003_c+0002_b=0002_b"]
    asked = anywhere.run("plan", *stated)
    if not in_git:
        assert asked.status == 1
        assert [(ended.status, "insert" in ended.said) for ended in anywhere.typed(asked)] == [(0, True), (0, False)]
        stated += ["--position", "shop=none"]
    assert anywhere.run("apply", "--noinput", *stated).status == 0
    assert anywhere.names() == ["0001_a", "0002_b", "0003_c"]
    assert "up to date" in anywhere.run("plan").said
    assert anywhere.run("undo", "--noinput").status == 0
    assert anywhere.names() == ["0001_a", "0002_b"]


def test_a_split_into_a_file_that_was_there_before_is_refused(in_git: Site) -> None:
    in_git.line(_0001_a="A", _0002_b="B and C").record("0001_a", "0002_b").project.commit()
    in_git.line(_0001_a="A", _0003_c="C")
    ended = in_git.run("plan", "--collapse", "shop.0001_a+0003_c=0002_b")
    assert ended.status == 64
    assert "shop.0001_a existed before with the same operations, so 0002_b was not split into it." in ended.said


AGAINST = [
    (["--map", "shop.0003_b=0003_c", "--map", "shop.0004_c=0002_b"], "shop.0003_b did not become 0003_c"),
    (["--map", "shop.0003_b=0003_c"], "shop.0003_b did not become 0003_c: it is shop.0002_b now."),
    (["--remove", "shop.0004_c"], "shop.0004_c was not removed: it is shop.0003_c now."),
    (["--collapse", "shop.0002_b=0003_b+0004_c"], "shop.0004_c did not become 0002_b: it is shop.0003_c now."),
]


@pytest.mark.parametrize(("words", "says"), AGAINST)
@pytest.mark.parametrize("command", ["plan", "apply", "rewrite"])
def test_what_git_disproves_is_refused_with_the_proof(in_git: Site, command: str, words: list[str], says: str) -> None:
    """Case 43."""
    in_git.line(_0001_a="A", _0003_b="B", _0004_c="C").record("0001_a", "0003_b", "0004_c").project.commit()
    in_git.line(_0001_a="A", _0002_b="B", _0003_c="C")
    refused = in_git.run(command, *words)
    assert refused.status == 1
    assert says in refused.said
    assert "[against-evidence]" in refused.said
    assert in_git.names() == ["0001_a", "0003_b", "0004_c"]
    assert not (in_git.project.root / "migration_rewrites").exists()


def test_who_knows_better_goes_on_against_evidence(in_git: Site) -> None:
    in_git.line(_0001_a="A", _0003_b="B", _0004_c="C").record("0001_a", "0003_b", "0004_c").project.commit()
    in_git.line(_0001_a="A", _0002_b="B", _0003_c="C")
    words = ["--map", "shop.0003_b=0003_c", "--map", "shop.0004_c=0002_b", "--against-evidence"]
    assert in_git.run("plan", *words).status == 0
    assert in_git.run("apply", "--noinput", *words).status == 0
    assert in_git.names() == ["0001_a", "0003_c", "0002_b"]


def test_two_files_side_by_side_are_two_migrations(in_git: Site) -> None:
    in_git.line(_0001_a="A", _0002_b="B", _0003_c="C").record("0001_a", "0002_b").project.commit()
    in_git.line(_0001_a="A", _0003_c="C").project.commit()
    refused = in_git.run("plan", "--map", "shop.0002_b=0003_c")
    assert refused.status == 1
    assert "shop.0002_b and shop.0003_c are two migrations." in refused.said


def test_a_new_name_that_is_recorded_beside_the_old_one(anywhere: Site) -> None:
    anywhere.line(_0001_a="A", _0003_c="C").record("0001_a", "0002_b", "0003_c")
    refused = anywhere.run("rewrite", "--map", "shop.0002_b=0003_c")
    assert refused.status == 1
    assert "shop.0003_c is recorded beside shop.0002_b, so it is another migration." in refused.said
    assert [ended.status for ended in anywhere.typed(refused)] == [0]


@pytest.mark.parametrize("command", ["plan", "rewrite"])
@pytest.mark.parametrize(
    "words",
    [
        ["--map", "shop.0003_pirce=0002_price"],
        ["--remove", "shop.0003_pirce"],
        ["--collapse", "shop.0002_price=0003_pirce"],
    ],
)
def test_a_misspelled_old_name(anywhere: Site, command: str, words: list[str]) -> None:
    anywhere.line(_0001_a="A", _0003_price="B")
    if (anywhere.project.root / ".git").exists():
        anywhere.project.commit()
    anywhere.record("0001_a", "0003_price").line(_0001_a="A", _0002_price="B")
    refused = anywhere.run(command, *words)
    assert refused.status == 64, refused.said
    assert "No migration of shop is known as 0003_pirce." in refused.said
    assert "Did you mean 0003_price?" in refused.said
    assert anywhere.run(command, *words, "--against-evidence", *(["--dry-run"] if command == "rewrite" else [])).said


def test_a_database_that_cannot_be_read_hinders_no_statement(in_git: Site) -> None:
    in_git.line(_0001_a="A", _0002_price="B").project.commit()
    pyproject = in_git.project.root / "pyproject.toml"
    pyproject.write_text(
        pyproject.read_text() + '[tool.migsync.databases.far]\nurl = "sqlite:////nowhere/at/all/db.sqlite3"\n'
    )
    made = in_git.run("rewrite", "--map", "shop.0003_b=0002_price")
    assert made.status == 0, made.said
    assert "[unchecked-name]" in made.said
    assert "Not compared with the records of far" in made.said


def test_a_project_without_databases_can_state_names(in_git: Site) -> None:
    in_git.line(_0001_a="A", _0003_price="B").project.commit()
    in_git.line(_0001_a="A", _0002_price="B")
    (in_git.project.root / "pyproject.toml").write_text('[tool.migsync.apps]\nshop = "shop/migrations"\n')
    assert in_git.run("rewrite", "--map", "shop.0003_price=0002_price").status == 0


def test_printed_commands_repeat_what_was_stated(anywhere: Site) -> None:
    anywhere.line(_0001_a="A", _0002_b="B", _0003_d="D").record("0001_a", "0003_b", "0004_d", "0009_gone")
    asked = anywhere.run("plan", "--map", "shop.0003_b=0002_b", "--prune", "shop.0009_gone")
    assert asked.status == 1
    # One is to be typed in another clone, where nothing is stated.
    told = [command for command in printed(asked) if not command.startswith("migsync rewrite")]
    assert told
    assert all("--map shop.0003_b=0002_b --prune shop.0009_gone" in command for command in told), told
    assert {ended.status for ended in anywhere.typed(asked)} == {0}
