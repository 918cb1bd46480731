"""A rewrite that is about another migration than the one that ran."""

from __future__ import annotations

from migsync.findings import Severity
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.contradictions import contradictions, journal_contradictions
from migsync.sync.plan import Change
from migsync.sync.provenance import ContentSource, Provenance
from migsync.sync.run import Run, RunKind
from tests.sync.planner.test_drift import Files, contents, files, history

BEFORE = Record(2, "shop", "x", "2026-01-01")
CHANGE = Change(BEFORE, BEFORE._replace(name="y"), "test")


EXCHANGED = (("x", "y"), ("y", "x"))


class Seen:
    """A file as the guard saw it."""

    def __init__(self, *effects: str) -> None:
        self.source = " ".join(effects)
        self.contents = contents(*effects)


def told(ran: str, then: str, now: Files, source: ContentSource = ContentSource.GUARDED) -> list[str]:
    """What is said of the rename of x to y, where x was `then` for who made the rewrite."""
    app = AppRewrite(("a", "x"), ("a", "y"), renamed=(("x", "y"),), digests_before={"x": contents(then).digest})
    rewrite = Rewrite((), "rewrite", "2026-02-01T10:00:00Z", {"shop": app})
    known = {2: Provenance(source, (Seen(ran),))}
    return [each.code for each in contradictions(history(now), [CHANGE.after], known, [CHANGE], [rewrite])]


def test_the_rewrite_is_about_another_migration() -> None:
    assert told("B", "C", files(a="A", y="C")) == ["other-content"]


def test_what_ran_is_in_the_file_all_the_same() -> None:
    assert told("B", "B", files(a="A", y="B")) == []
    assert told("B/reworded", "B", files(a="A", y="B")) == [], "an edit that no database sees"
    assert told("B", "C", files(a="A", y="B")) == []


def test_only_what_the_guard_saw_counts() -> None:
    assert told("B", "C", files(a="A", y="C"), ContentSource.SEEN) == []


def test_a_person_may_know_better() -> None:
    known = {2: Provenance(ContentSource.NAME, unapplied=True)}
    (found,) = contradictions(history(files(x="B")), [BEFORE], known, [], [])
    assert (found.code, found.severity) == ("unapplied-record", Severity.ERROR)
    assert found.with_facts(stated=True).severity is Severity.WARNING


def told_of_journal(
    now: Files,
    *names: str,
    source: ContentSource = ContentSource.GUARDED,
    renamed: tuple[tuple[str, str], ...] = EXCHANGED,
    also: str = "",
) -> list[tuple[str, dict[str, str]]]:
    """What is said of rows 2 and 3, now called `names`, that ran as B and C and that a run has renamed."""
    app = AppRewrite(("a", "x", "y"), ("a", "y", "x"), renamed=renamed)
    rewrite = Rewrite((), "rewrite", "2026-02-01T10:00:00Z", {"shop": app})
    rows = [BEFORE, BEFORE._replace(id=3, name="y")]
    changes = tuple(Change(row, row._replace(name=dict(EXCHANGED)[row.name]), "test") for row in rows)
    run = Run("r", 1, RunKind.APPLY, "p", "2026-02-02", "me", "1", passed=(rewrite,), changes=changes)
    known = {2: Provenance(source, (Seen("B"),)), 3: Provenance(source, (Seen("C"),))}
    now_rows = [row._replace(name=name) for row, name in zip(rows, names, strict=True)]
    now_rows += [BEFORE._replace(id=1, name=also)] if also else []
    found = journal_contradictions(history(now), Rewrites(), now_rows, known, [run])
    return [(each.code, each.facts["moved"]) for each in found]  # type: ignore[misc]


def test_rows_that_were_restored_after_a_run() -> None:
    """The journal says that both were renamed, and by what ran both have their old names."""
    disk = files(a="A", x="C", y="B")
    assert told_of_journal(disk, "x", "y") == [("journal-contradicted", {"x": "y", "y": "x"})]
    assert told_of_journal(disk, "y", "x") == [], "as the run left them"
    assert told_of_journal(disk, "x", "y", source=ContentSource.SEEN) == []
    assert told_of_journal(disk, "x", "y", renamed=()) == [], "collapsed: one file does what several did"


def test_files_that_were_renamed_by_hand_after_a_run() -> None:
    assert told_of_journal(files(a="A", z="C", y="B", x="N"), "y", "x") == [("ran-elsewhere", {"x": "z"})]

    exchanged = files(a="A", y="C", x="B")
    assert told_of_journal(exchanged, "y", "x") == [], "each ran once all the same"


def test_files_that_were_edited_after_a_run() -> None:
    assert told_of_journal(files(a="A", x="C D", y="B"), "y", "x") == []
    assert told_of_journal(files(a="C", x="C D", y="B"), "y", "x", also="a") == [], "a file that ran itself is no heir"
