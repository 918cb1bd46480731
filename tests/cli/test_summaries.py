"""What stands first: in at most ten lines what will change, however much that is. Pure functions of values."""

from __future__ import annotations

from pathlib import Path

import pytest

from migsync.cli import pager
from migsync.cli.pager import pager_command
from migsync.cli.views.diffs import moves
from migsync.cli.views.plain import render
from migsync.cli.views.proposals import detail_blocks, draft_blocks
from migsync.cli.views.surveys import targets_blocks
from migsync.errors import TargetError
from migsync.files.proposal import FileChange, Proposal
from migsync.findings import Finding, Severity
from migsync.history import build_history
from migsync.history.migration import App, Key, Migration
from migsync.proof.fact import Fact
from migsync.refactor.pipeline import Draft
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.sync.plan import Change, Plan, TargetRef

ROOT = Path("/site")
WARNING = Finding("field-order", Severity.WARNING, "The order differs.")


def plan(alias="default", renames=1):
    rows = [Record(number, "shop", f"000{number}_old", "2026-01-01") for number in range(1, renames + 1)]
    changes = tuple(Change(row, row._replace(name=f"{row.name[:5]}new"), "a.toml") for row in rows)
    return Plan(TargetRef(alias, "sqlite", alias), changes)


def edit(app, name, *, new=b"b = 2\n", to=None):
    path = ROOT / app / "migrations"
    return FileChange(path / f"{name}.py", new and path / f"{to or name}.py", b"a = 1\n", new, 0o644)


def draft(apps=("shop",), plans=(), findings=(WARNING,), files=2):
    """Each app: one file edited, the others renamed, one removed."""
    changes, names = [], {}
    for app in apps:
        renamed = tuple((f"{number:04}_x", f"{number + 1:04}_x") for number in range(2, files + 1))
        changes += [
            edit(app, "0001_x"),
            *(edit(app, old, to=new) for old, new in renamed),
            edit(app, "0099_m", new=None),
        ]
        names[app] = AppRewrite(
            before=("0001_x", *(old for old, _ in renamed), "0099_m"),
            after=("0001_x", *(new for _, new in renamed)),
            renamed=renamed,
            removed=("0099_m",),
        )
    history = build_history(
        [Migration(Key(app, "0001_x")) for app in apps], [App(app, str(ROOT / app / "migrations")) for app in apps]
    )
    return Draft(
        Proposal("linearize", tuple(changes), Rewrite((), "linearize", "2026-01-01T00:00:00Z", names)),
        history,
        tuple(plans),
        tuple(each.target.alias for each in plans),
        tuple(findings),
        (Fact("same models", "The state is equal in 1 app."), Fact("same `migrate --plan`", "It is the same.")),
    )


def test_files_names_databases_and_the_proof_come_before_findings():
    assert render(draft_blocks(draft(plans=[plan(renames=2)]), shorten=True)) == (
        "Files      shop: 1 edited, 1 renamed, 1 removed\n"
        "Names      shop: 0002_x -> 0003_x\n"
        "           shop: 0099_m is removed\n"
        "Databases  default: needs 2 changes: 2 renames\n"
        "Proven     same models, same `migrate --plan`\n"
        "\n"
        "Warning: The order differs.  [field-order]\n"
    )


@pytest.mark.parametrize("number", [1, 3, 4, 5, 40])
def test_on_a_terminal_the_summary_has_at_most_ten_lines(number):
    aliases = [plan(f"db{each}") for each in range(number)]
    made = draft([f"app{each:02}" for each in range(number)], aliases, findings=(), files=number)
    assert len(render(draft_blocks(made, shorten=True)).splitlines()) <= 10


def test_what_is_left_out_is_counted_and_shown_with_verbose():
    made = draft(
        [f"app{each:02}" for each in range(40)], [plan(f"db{each}") for each in range(9)], findings=(), files=5
    )
    short, whole = (
        render(draft_blocks(made, shorten=shorten, verbose=not shorten)).splitlines() for shorten in (True, False)
    )
    assert short == [
        "Files      240 files in 40 apps: 40 edited, 160 renamed, 40 removed",
        "           app00: 1 edited, 4 renamed, 1 removed",
        "           … and 39 more (--verbose shows all)",
        "Names      40 apps: 160 renamed, 40 removed",
        "           app00: 4 renamed, 1 removed",
        "           … and 39 more (--verbose shows all)",
        "Databases  9 databases need 9 changes.",
        "           db0: needs 1 change: 1 rename",
        "           … and 8 more (--verbose shows all)",
        "Proven     same models, same `migrate --plan`",
    ]
    assert "           app39: 0005_x -> 0006_x" in whole
    assert "           db8: needs 1 change: 1 rename" in whole


def test_a_database_that_is_not_chosen_is_told_when_it_changes():
    later = Draft(**{**vars(draft(plans=[plan()])), "chosen": (), "later": ("default", "gone")})
    shown = render(draft_blocks(later, shorten=True))
    assert "default: needs 1 change: 1 rename; later: migsync apply\n" in shown
    assert "gone: cannot be read; later: migsync apply\n" in shown


def test_details_hold_each_diff_name_record_and_proof():
    shown = render(detail_blocks(draft(plans=[plan()]), ROOT, verbose=False))
    order = ["rename from shop/migrations/0002_x.py", "removed shop/migrations/0099_m.py"]
    order += ["(a merge migration)", "default  SQLite", "0001_new", "Proven: The state is equal in 1 app."]
    assert [shown.index(text) for text in order] == sorted(shown.index(text) for text in order)
    assert "-a = 1\n+b = 2\n" in shown
    assert "--- a/shop/migrations/0099_m.py" in render(detail_blocks(draft(), ROOT, verbose=True))


def test_of_several_databases_each_has_one_line_first():
    shown = render(
        targets_blocks(
            [plan("default"), Plan(TargetRef("other", "sqlite", "o"))],
            idle={"new": "fresh"},
            errors={"gone": TargetError("No route.")},
            findings=[WARNING],
            shorten=True,
        )
    )
    assert shown.startswith(
        "1 database needs 1 change; 1 database is up to date; 1 database cannot be read.\n"
        "  default  SQLite  needs 1 change: 1 rename\n"
        "  other    SQLite  up to date\n"
        "  new              fresh\n"
        "  gone             cannot be read\n"
        "\n"
        "Warning: The order differs.  [field-order]\n"
        "\n"
        "default  SQLite  needs 1 change\n"
        "\n"
        "  shop  1 renamed\n"
    )
    assert shown.endswith("gone  cannot be read\n  Error: No route.  [target]\n")


def test_of_very_many_databases_those_that_need_something_are_shown_first():
    plans = [Plan(TargetRef(f"t{number:03}", "sqlite", str(number))) for number in range(100)]
    shown = render(targets_blocks([*plans, plan("last")], shorten=True)).splitlines()
    assert shown[1] == "  last  SQLite  needs 1 change: 1 rename"
    assert "  … and 93 more (--verbose shows all)" in shown
    assert len([text for text in shown if "up to date" in text]) == 8  # the sentence about all, and seven lines


def test_one_database_has_no_summary_of_its_own():
    assert render(targets_blocks([plan()], shorten=True)).startswith("default  SQLite  needs 1 change: 1 rename\n\n")


def test_a_file_that_comes_back_under_its_old_name_is_a_move():
    lines = b"".join(b"line %d\n" % number for number in range(9))
    gone = FileChange(ROOT / "a/0002_x.py", None, lines, None, 0o644)
    back = FileChange(None, ROOT / "a/0001_x.py", None, lines + b"more\n", 0o644)
    other = FileChange(None, ROOT / "b/0001_x.py", None, lines, 0o644)
    strange = FileChange(None, ROOT / "a/0003_y.py", None, b"nothing of it\n", 0o644)
    moved = FileChange(ROOT / "a/0002_x.py", ROOT / "a/0001_x.py", lines, lines + b"more\n", 0o644)
    assert moves([gone, strange, other, back]) == [strange, other, moved]
    assert moves([gone, strange, other]) == [gone, strange, other]


@pytest.mark.parametrize(
    ("environment", "command"),
    [
        ({}, "less"),
        ({"PAGER": "more"}, "more"),
        ({"PAGER": "less -S"}, "less -S"),
        ({"PAGER": ""}, None),
        ({"PAGER": "cat"}, None),
        ({"PAGER": "more", "MIGSYNC_PAGER": ""}, None),
        ({"PAGER": "", "MIGSYNC_PAGER": "less"}, "less"),
        ({"TERM": "dumb"}, None),
    ],
)
def test_the_pager_is_chosen_as_git_does(monkeypatch, environment, command):
    monkeypatch.setattr(pager.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert pager_command(environment) == command


def test_without_less_there_is_no_pager(monkeypatch):
    monkeypatch.setattr(pager.shutil, "which", lambda _: None)
    assert pager_command({}) is None
