"""Text on a terminal of any width from 60 columns up: nothing that a person copies is broken, and nothing is lost."""

from __future__ import annotations

import io
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migsync.cli.views.blocks import EMPTY, Line, Span, Style, TextTable, line, table
from migsync.cli.views.findings import error_blocks, findings_blocks
from migsync.cli.views.layout import columns, lay_out
from migsync.cli.views.plans import plan_blocks
from migsync.cli.views.runs import log_blocks, run_blocks
from migsync.cli.views.terminal import draw
from migsync.errors import UnknownAlias
from migsync.findings import Finding, Severity
from migsync.rewrites.record import Record
from migsync.sync.plan import Change, Plan, TargetRef
from migsync.sync.run import Run, RunKind

WIDTHS = st.integers(60, 120)
WORDS = ["a", "of", "the", "names", "migrations", "database"]
NAMES = st.from_regex(r"\A[a-z0-9_]{1,90}\Z")
LABELS = st.from_regex(r"\A[a-z]{1,30}\Z")
TIMES = st.datetimes().map(lambda moment: f"{moment:%Y-%m-%d %H:%M:%S.%f}+00:00")
WIDE = st.text("日本語éß", min_size=1, max_size=20)
SENTENCES = st.lists(st.sampled_from(WORDS) | NAMES, min_size=1, max_size=30).map(" ".join)
STYLES = st.sampled_from([Style.PLAIN, Style.DIM, Style.GOOD])
REF = TargetRef("default", "postgresql", "identity")


def drawn(blocks, width):
    return ["".join(span.text for span in spans).rstrip() for block in blocks for spans in lay_out(block, width)]


def assert_fits(lines, width, *, whole=()):
    """Every line is as wide as the terminal at most, unless nothing but a label stands beside what is too wide."""
    for text in lines:
        if columns(text) > width:
            widest = max([*whole, *text.split()], key=lambda piece: columns(piece) if piece in text else 0)
            beside = columns(text) - columns(widest)
            assert columns(widest) + 30 > width, (text, widest)
            assert beside <= 30, (text, widest)


@st.composite
def plans(draw_from):
    changes = []
    for number in range(draw_from(st.integers(1, 6))):
        before = Record(number, "shop", draw_from(NAMES), draw_from(TIMES))
        after = draw_from(st.sampled_from([None, before._replace(name=draw_from(NAMES))]))
        changes.append(Change(before, after, "a.toml"))
    return Plan(REF, tuple(changes))


@given(plans(), WIDTHS)
def test_a_plan(plan, width):
    lines = drawn(plan_blocks(plan), width)
    text = "\n".join(lines)
    records = [record for change in plan.changes for record in (change.before, change.after) if record]
    assert all(re.search(rf"(?<!\w){record.name}(?!\w)", text) and record.applied in text for record in records)
    assert_fits(lines, width, whole=[record.applied for record in records])


@given(st.lists(st.tuples(LABELS, NAMES), min_size=1, max_size=5), st.text("abc ", max_size=60), WIDTHS)
def test_a_log_and_one_run_of_it(made, reason, width):
    runs = [
        Run(f"{n}" * 32, n, RunKind.APPLY, "p", "2026-03-01T10:00:00.123456Z", f"{who}@{host}", "1", reason=reason)
        for n, (who, host) in enumerate(made, start=1)
    ]
    lines = drawn(log_blocks(REF, runs), width)
    for run in runs:
        for piece in (run.id[:12], run.author, "2026-03-01 10:00:00"):
            assert piece in "\n".join(lines)
    assert_fits(lines, width, whole=[run.author for run in runs])
    for run in runs:
        shown = drawn(run_blocks(REF, run, runs), width)
        assert run.id in "\n".join(shown)
        assert run.author in "\n".join(shown)


@given(SENTENCES, SENTENCES, st.lists(NAMES, min_size=1, max_size=6), LABELS, WIDTHS)
def test_findings_and_errors(found, meaning, names, alias, width):
    command = f"migsync apply --database {alias} --map shop.{names[0]}={names[-1]}"
    hint = f"Look at {', '.join(names)} first. Then run: {command}"
    finding = Finding("some-code", Severity.ERROR, f"{found}.", f"{meaning}.", hint, file=f"{alias}/{names[0]}.py")
    for blocks in (findings_blocks([finding], indent=2), error_blocks(UnknownAlias(f"{found}.", f"{meaning}.", hint))):
        lines = drawn(blocks, width)
        text = "\n".join(lines)
        assert command in text
        assert all(f"{name}," in text or name in text for name in names)
        words = f"{found} {meaning} {hint}".split()
        assert not set(words) - set(" ".join(lines).replace(".", " ").split()) - set(" ".join(lines).split())
        assert_fits(lines, width, whole=[command])


CELLS = st.builds(Span, NAMES | WIDE | TIMES | SENTENCES, STYLES)


@st.composite
def tables(draw_from):
    header = draw_from(st.lists(LABELS, min_size=1, max_size=6))
    header = ["", *header[1:]] if len(header) > 1 and draw_from(st.booleans()) else header
    rows = draw_from(st.lists(st.tuples(*[CELLS] * len(header)), max_size=4))
    return table(header, rows, draw_from(st.integers(0, 6)), prose=draw_from(st.booleans()))


@given(tables(), WIDTHS)
def test_a_table_loses_nothing(block, width):
    lines = drawn([block], width)
    text = " ".join(lines)
    for row in block.rows:
        for cell in row:
            assert [word for word in cell.text.split() if word not in text] == []


@given(tables())
def test_a_table_that_fits_is_one_line_a_row(block):
    assert len(drawn([block], 10_000)) == len(block.rows) + 2


@given(st.lists(st.builds(Span, SENTENCES | NAMES | WIDE, STYLES), max_size=4), st.integers(0, 6), WIDTHS)
def test_a_line_wraps_at_blanks_only(spans, indent, width):
    block = Line(tuple(spans), indent, hang=2)
    whole = "".join(span.text for span in spans)
    lines = drawn([block], width)
    assert " ".join(" ".join(lines).split()) == " ".join(whole.split())
    for text in lines:
        assert columns(text) <= width or len(text.split()) == 1, text
    # Nothing is put on a line of its own that the line before had room for.
    for above, below in pairwise(lines):
        assert columns(f"{above} {below.split()[0]}") > width


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Or leave it out, and run this one: migsync apply --database staging", "migsync apply --database staging"),
        ("Restore the file, then run: python manage.py migrate shop 0003", "python manage.py migrate shop 0003"),
        ("What is not in order can be seen `migsync status --database x`.", "`migsync status --database x`."),
        ("It was applied by somebody at about 2026-03-01 10:00:00 UTC", "2026-03-01 10:00:00 UTC"),
    ],
)
def test_what_is_one_thing_is_not_broken(text, kept):
    assert drawn([line(text)], len(text) - 1)[-1] == kept


def test_a_sentence_about_migsync_is_no_command():
    text = "The rows belong to a package, and so this holds: migsync never touches them."
    assert drawn([line(text)], 60)[0] == "The rows belong to a package, and so this holds: migsync"


def test_a_command_wider_than_the_terminal_is_left_to_it():
    command = "migsync apply " + "--database staging " * 5 + "--yes"
    assert drawn([line("To apply it: ", Span(command, Style.COMMAND))], 60) == ["To apply it:", command]


def test_a_command_that_has_room_nowhere_hangs_as_the_lines_around_it():
    command = "migsync apply " + "--database staging " * 5 + "--yes"
    assert drawn([line("Next: ", f"To apply it: {command}", hang=6)], 60) == ["Next: To apply it:", f"      {command}"]


def test_a_statement_is_copied_whole():
    statement = "INSERT INTO django_migrations (id, applied) VALUES (3, '2026-11-30 15:56:41.373513');"
    assert drawn([line(statement, indent=4)], 60) == [f"    {statement}"]


def test_a_line_of_a_file_is_left_to_the_terminal():
    text = "+    dependencies = [" + '("shop", "0001_initial"), ' * 5 + "]"
    assert drawn([Line((Span(text),), verbatim=True)], 60) == [text]


def test_a_name_that_has_no_room_beside_its_label_stands_below():
    name = "x" * 51
    assert drawn([line("needs  ", name, indent=2, hang=7)], 60) == [f"  needs  {name}"]
    assert drawn([line("needs  ", f"x{name}", indent=2, hang=7)], 60) == ["  needs", f"    x{name}"]


def test_what_stands_beside_a_name_without_room_hangs_as_ever():
    name = "x" * 55
    text = "Do this first, with the files that were there before"
    assert drawn([line("Next: ", f"{text} it: ", name, " then that", hang=6)], 60) == [
        f"Next: {text}",
        "      it:",
        f"  {name}",
        "      then that",
    ]


def test_a_name_wider_than_the_terminal_is_left_to_it():
    name = "x" * 80
    assert drawn([line("Error: ", name, " is gone.", hang=2)], 60) == [f"Error: {name}", "  is gone."]
    assert drawn([line("It depends on ", name, hang=2)], 60) == ["It depends on", f"  {name}"]


def test_what_has_no_room_in_a_table_stands_below_with_its_label():
    rows = [("rename", "0003_merge", "0002_price", "2026-03-01"), ("remove", "0004_merge", "", "2026-03-02")]
    assert drawn([table(("", "old name", "new name", "applied"), rows)], 40) == [
        "          old name    new name",
        "  ──────────────────────────────",
        "  rename  0003_merge  0002_price",
        "    applied: 2026-03-01",
        "  remove  0004_merge",
        "    applied: 2026-03-02",
    ]


def test_prose_wraps_in_its_own_column():
    rows = [("name-taken", "A name that is given to a migration is that of another one.")]
    assert drawn([table(("code", "title"), rows, 0, prose=True)], 44) == [
        "code        title",
        "────────────────────────────────────────────",
        "name-taken  A name that is given to a",
        "            migration is that of another",
        "            one.",
    ]


def test_a_terminal_says_how_wide_it_is(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    blocks = [line("word " * 20), EMPTY, TextTable(("name",), ((Span("x" * 300),),))]
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("COLUMNS", raising=False)
    assert max(map(len, draw(blocks[:1], Terminal(), colour=False).splitlines())) == 79
    monkeypatch.setenv("COLUMNS", "60")
    shown = draw(blocks, Terminal(), colour=False)
    assert max(map(len, shown.split("\n\n")[0].splitlines())) == 59
    assert "x" * 300 in shown
    assert len(draw(blocks, None, colour=False).splitlines()) == 5
    monkeypatch.setenv("MIGSYNC_COLUMNS", "50")
    assert max(map(len, draw(blocks[:1], None, colour=False).splitlines())) == 49
