"""Steps, who is told of them, and what a terminal or a log shows."""

from __future__ import annotations

import io
import sys
import threading

import pytest

from migsync.cli import progress as cli_progress
from migsync.cli.progress import Display, Lines, innermost
from migsync.cli.views.bars import Bars
from migsync.progress import ProgressStep, counted, is_watched, shown_by, step, steps
from migsync.worker.progress import NOWHERE, Advance, Advances, report, report_to

pytestmark = pytest.mark.pure


class Recorder:
    """Is told of steps; notes what is under way at each change."""

    def __init__(self, wanted=True):
        self.wanted = wanted
        self.under_way, self.seen = [], []

    def begin(self, begun):
        self.under_way += begun
        self.seen.append([each.text for each in innermost(self.under_way)])

    def end(self, ended):
        self.under_way = [each for each in self.under_way if each not in ended]


class Terminal(io.StringIO):
    """A stream that is a terminal, and says when something is written."""

    def __init__(self, terminal=True):
        super().__init__()
        self.terminal, self.written = terminal, threading.Event()

    def isatty(self):
        return self.terminal

    def write(self, text):
        self.written.set()
        return super().write(text)


def display(stream, *, allowed=True, verbose=False):
    return Display(stream, lambda: allowed, lambda: verbose, lambda: False)


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(cli_progress, "QUIET", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")


def test_the_innermost_steps_are_shown():
    recorder = Recorder()
    with shown_by(recorder), step("plan"):
        with step("read", 2), steps(["old", "new"]):
            pass
        assert list(counted("write", "ab")) == ["a", "b"]
    assert recorder.seen == [["plan"], ["read"], ["old", "new"], ["write"]]
    assert recorder.under_way == []


def test_a_step_ends_with_an_error_too():
    recorder = Recorder()
    with pytest.raises(KeyError), shown_by(recorder), step("read"):
        raise KeyError
    assert recorder.under_way == []


def test_nobody_is_told_who_does_not_want_to_be():
    recorder = Recorder(wanted=False)
    with shown_by(recorder), step("read"):
        assert not is_watched()
    assert recorder.seen == []


def test_counts_go_up_with_each_item():
    with shown_by(recorder := Recorder()):
        found = [(item, recorder.under_way[0].done, recorder.under_way[0].total) for item in counted("read", "abc")]
    assert found == [("a", 0, 3), ("b", 1, 3), ("c", 2, 3)]


def test_a_worker_reports_on_a_pipe():
    advances = Advances()
    report("load")  # to nowhere
    report_to(advances.writing)
    try:
        assert advances.last() is None
        report("load")
        report("state", 0, 300)
        report("state", 1, 300)  # a moment later
        assert advances.last() == Advance("state", 0, 300)
        report("state", 2, 300, at_once=True)
        assert advances.last() == Advance("state", 2, 300)
        assert advances.last() is None
    finally:
        report_to(NOWHERE)
        advances.started()
        advances.close()


def test_a_full_pipe_stops_nobody():
    advances = Advances()
    report_to(advances.writing)
    try:
        for number in range(10_000):
            report("state", 0, number)
        assert advances.last() is not None
    finally:
        report_to(NOWHERE)
        advances.started()
        advances.close()


def test_bars_take_the_place_of_those_before(at_once):
    bars = Bars(Terminal(), colour=False)
    reading = ProgressStep("Reading", total=300, done=120)
    first = bars.draw([reading, ProgressStep("Comparing")])
    assert "\x1b[J" not in first
    assert "120/300" in first.splitlines()[0]
    assert "/" not in first.splitlines()[1]
    reading.done = 150
    second = bars.draw([reading])
    assert second.startswith("\r\x1b[2A\x1b[J")
    assert "150/300" in second
    assert bars.erase() == "\r\x1b[1A\x1b[J"
    assert bars.erase() == ""


@pytest.mark.parametrize("columns", [20, 40, 60, 80])
def test_a_bar_never_wraps(at_once, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    drawn = Bars(Terminal(), colour=False).draw([ProgressStep("Schema on a server, new files: migrating", 339, 120)])
    assert drawn.count("\n") == 1
    assert len(drawn.rstrip("\n")) < columns


def test_a_line_for_each_step(monkeypatch):
    lines = Lines()
    reading = ProgressStep("Reading", total=300)
    assert lines.draw([reading]) == "Reading 0/300 …\n"
    reading.done = 3
    assert lines.draw([reading]) == ""
    reading.text = "Reading: the rest"
    assert lines.draw([reading]) == "Reading: the rest 3/300 …\n"


def test_a_line_says_how_fast_it_goes_and_what_is_left(monkeypatch):
    monkeypatch.setattr("migsync.cli.progress.time.monotonic", lambda: 1000.0)
    changing = ProgressStep("Changing databases", total=1000, done=400, started=980.0)
    assert Lines().draw([changing]) == "Changing databases 400/1000, 20/s, 0:30 left …\n"
    changing.started, changing.done = 600.0, 100
    assert Lines().draw([changing]) == "Changing databases 100/1000, 15/min, 1:00:00 left …\n"


def test_a_bar_says_how_fast_it_goes_where_there_is_room(at_once, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("migsync.cli.views.bars.time.monotonic", lambda: now[0])
    for columns, said in ((100, ", 10/s, 0:20 left"), (60, "0:20 left")):
        monkeypatch.setenv("COLUMNS", str(columns))
        changing = ProgressStep("Changing", total=400, done=0, started=now[0])
        bars = Bars(Terminal(), colour=False)
        bars.draw([changing])
        for changing.done in (100, 200):
            now[0] += 10
            drawn = bars.draw([changing])
        assert said in drawn
        assert ("/s" in drawn) is (columns == 100)


def test_what_is_written_meanwhile_stands_alone(at_once):
    stream = Terminal()
    shown = display(stream)
    with shown.watching(), step("Reading"):
        assert stream.written.wait(30)
        shown.hide()
        assert stream.getvalue().endswith("\x1b[J")
    assert stream.getvalue().endswith("\x1b[J")


@pytest.mark.parametrize(
    ("terminal", "term", "allowed", "verbose", "wanted"),
    [
        (True, "xterm", True, False, True),
        (True, "xterm", False, True, False),  # --format json
        (True, "dumb", True, False, False),
        (True, "dumb", True, True, True),
        (False, "xterm", True, False, False),
        (False, "xterm", True, True, True),
    ],
)
def test_who_sees_it(monkeypatch, terminal, term, allowed, verbose, wanted):
    monkeypatch.setenv("TERM", term)
    assert display(Terminal(terminal), allowed=allowed, verbose=verbose).wanted is wanted


def test_lines_where_there_is_no_terminal(at_once):
    stream = Terminal(terminal=False)
    shown = display(stream, verbose=True)
    with shown.watching(), step("Reading", 3):
        assert stream.written.wait(30)
    assert stream.getvalue() == "Reading 0/3 …\n"


def test_short_work_shows_nothing_and_imports_no_bars(monkeypatch):
    monkeypatch.setattr(cli_progress, "QUIET", 600.0)
    monkeypatch.delitem(sys.modules, "migsync.cli.views.bars")
    stream = Terminal()
    with display(stream).watching(), step("Reading"):
        pass
    assert stream.getvalue() == ""
    assert "migsync.cli.views.bars" not in sys.modules
