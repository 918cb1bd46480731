"""A rewrite that is about another migration than the one that ran."""

from __future__ import annotations

from migsync.findings import Severity
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.sync.contradictions import contradictions
from migsync.sync.plan import Change
from migsync.sync.provenance import ContentSource, Provenance
from tests.sync.planner.test_drift import Files, contents, files, history

BEFORE = Record(2, "shop", "x", "2026-01-01")
CHANGE = Change(BEFORE, BEFORE._replace(name="y"), "test")


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
