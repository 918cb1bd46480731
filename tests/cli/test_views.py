"""Plans, runs and findings as text: pure functions of values."""

from __future__ import annotations

import pytest

from migsync.cli.views.blocks import Span, line, table
from migsync.cli.views.findings import error_blocks, findings_blocks
from migsync.cli.views.lists import same_in
from migsync.cli.views.plain import render
from migsync.cli.views.plans import plan_blocks, summary
from migsync.cli.views.runs import log_blocks
from migsync.cli.views.terminal import draw
from migsync.errors import Interrupted, LockTimeout, MigsyncError, UsageError
from migsync.escapes import printable
from migsync.findings import Finding, Severity
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.sync.plan import Change, Plan, TargetRef
from migsync.sync.run import Run, RunKind

REF = TargetRef("default", "postgresql", "identity")
APPLIED = "2026-03-01 10:00:00+00"


def rename(number, app="shop"):
    before = Record(number, app, f"{number:04}_old", APPLIED)
    return Change(before, before._replace(name=f"{number:04}_new"), "a.toml")


def removal(name, cause):
    return Change(Record(1, "shop", name, APPLIED), None, cause)


def rewrite(collapsed):
    change = AppRewrite(before=("0001_a", "0002_b"), after=("0001_ab",), collapsed=collapsed)
    return Rewrite((), "squash", "2026-03-01T10:00:00Z", {"shop": change}, path="migration_rewrites/a.toml")


def text_of(plan, **options):
    return render(plan_blocks(plan, **options))


def test_a_table_is_aligned_and_has_no_blanks_at_its_ends():
    assert render([table(("a", "name"), [("1", "long one"), ("22", "x")])]) == "  a   name\n  1   long one\n  22  x\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0001_initial", "0001_initial"),
        ("a b", "a b"),
        ("é", "é"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb", "a\\nb"),
        ("\udc80", "\\udc80"),
        ("\u202e", "\\u202e"),
    ],
)
def test_no_name_can_drive_a_terminal(text, shown):
    assert printable(text) == shown
    assert render([line(Span(text))]) == f"{shown}\n"


def test_brackets_are_no_markup_on_a_terminal():
    assert "[bold]0001[/bold] :smile:" in draw([line("[bold]0001[/bold] :smile:")], None, colour=False)


def test_a_terminal_keeps_empty_lines_and_cuts_nothing():
    shown = draw([line("a"), line(), table(("name",), [("x" * 300,)])], None, colour=False)
    assert shown.startswith("a\n\n")
    assert "x" * 300 in shown


def test_changes_are_counted_app_by_app():
    shown = text_of(Plan(REF, (rename(1), rename(2, "blog"), rename(3), removal("0009_merge", "a.toml"))))
    assert "default  PostgreSQL  needs 4 changes: 3 renames, 1 removal\n" in shown
    assert "  blog  1 renamed\n" in shown
    assert "  shop  2 renamed, 1 removed\n" in shown


def test_a_collapsed_row_says_where_it_is_now():
    told = rewrite(collapsed=((("0001_a", "0002_b"), ("0001_ab",)),))
    assert "(now in 0001_ab)" in text_of(Plan(REF, (removal("0001_a", told.label),), passed=(told,)))


@pytest.mark.parametrize("cause", ["prune", "dedupe"])
def test_a_row_that_a_person_removes_says_by_which_option(cause):
    assert f"(--{cause})" in text_of(Plan(REF, (removal("0001_a", cause),)))


def test_long_apps_are_shortened_only_when_asked_to():
    plan = Plan(REF, tuple(rename(number) for number in range(1, 101)))
    assert text_of(plan).count("rename  ") == 100
    shortened = text_of(plan, shorten=True)
    assert shortened.count("rename  ") == 10
    assert shortened.endswith("0010_new  2026-03-01 10:00:00+00\n    … and 90 more (--verbose shows all)\n")


def test_one_row_too_many_is_shown_and_not_counted():
    plan = Plan(REF, tuple(rename(number) for number in range(1, 12)))
    assert text_of(plan, shorten=True).count("rename  ") == 11


def test_an_undo_speaks_of_taking_back():
    assert "1 change to undo: 1 rename" in text_of(Plan(REF, (rename(1),), undoes="abc"))


def test_errors_come_before_warnings_each_with_the_next_step():
    findings = [
        Finding("b", Severity.WARNING, "Found b.", "Means b.", "Do b."),
        Finding("a", Severity.ERROR, "Found a.", "Means a.", "Do a.", file="shop/0001.py", line=7),
    ]
    assert render(findings_blocks(findings)) == (
        "Error: shop/0001.py:7: Found a.  [a]\n  Means a.\n  Next: Do a.\n"
        "Warning: Found b.  [b]\n  Means b.\n  Next: Do b.\n"
    )


def test_errors_speak_in_the_same_voice():
    shown = render(error_blocks(LockTimeout("Not had.", "Nothing was changed.")))
    assert shown.startswith("Error: Not had.  [lock-timeout]\n  Nothing was changed.\n  Next: ")


def test_the_code_stands_behind_the_first_line():
    found = Finding("partial", Severity.ERROR, "Found:\n0001_a", "Means.")
    assert render(findings_blocks([found])) == "Error: Found:  [partial]\n  0001_a\n  Means.\n"


@pytest.mark.parametrize("error", [MigsyncError("No."), UsageError("No."), Interrupted("No.")])
def test_an_error_about_which_no_more_is_to_be_said_shows_no_code(error):
    assert render(error_blocks(error)) == "Error: No.\n"


def test_a_blocked_plan_says_so_first():
    finding = Finding("partial", Severity.ERROR, "Found.")
    assert text_of(Plan(REF, (rename(1),), findings=(finding,))).startswith("default  PostgreSQL  blocked\n")


def test_the_summary_counts_databases_once():
    blocked = Plan(REF, findings=(Finding("x", Severity.ERROR, "Found."),))
    shown = summary([Plan(REF, (rename(1),)), blocked, Plan(REF), Plan(REF)])
    assert shown == "1 database needs 1 change; 1 database is blocked; 2 databases are up to date."


def test_the_log_is_newest_first_and_says_what_is_in_force():
    def run(number, kind, undoes=""):
        return Run(f"{number}" * 32, number, kind, "p", "2026-03-01T10:00:00.123456Z", "me@here", "1", undoes=undoes)

    runs = [run(1, RunKind.APPLY), run(2, RunKind.UNDO, "1" * 32), run(3, RunKind.APPLY)]
    _, _, third, second, first = render(log_blocks(REF, runs)).splitlines()
    assert third.split()[:3] == ["3", "3" * 12, "apply"]
    assert third.endswith("in force")
    assert second.endswith(f"undid {'1' * 12}")
    assert first.endswith(f"undone by {'2' * 12}")


def test_of_many_schemas_some_are_named_also_in_a_pipe():
    shown = render(same_in([f"tenants:t{number}" for number in range(9)], indent=0))
    assert shown.splitlines() == [
        "the same in 9 other targets: t0, t1, t2, t3, t4",
        "… and 4 more (--verbose shows all)",
    ]


def test_of_many_findings_of_one_code_a_terminal_shows_some():
    many = [Finding("carried", Severity.INFO, f"Copied {number}.") for number in range(20)]
    other = Finding("data-before-schema", Severity.WARNING, "It may matter.")
    shown = render(findings_blocks([*many, other], shorten=True)).splitlines()
    assert shown == [
        "Warning: It may matter.  [data-before-schema]",
        *(f"Note: Copied {number}.  [carried]" for number in range(5)),
        "Note: … and 15 more of [carried] (--verbose shows all)",
    ]
    assert len(findings_blocks(many)) == 20
    assert len(findings_blocks(many[:6], shorten=True)) == 6
