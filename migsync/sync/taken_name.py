"""A recorded name that another migration has now: the file of what ran was deleted, and a new one took its name."""

from __future__ import annotations

from collections.abc import Iterator

from migsync.history.contents import Contents, PartKind
from migsync.history.tables import steps_of


def is_another(ran: Contents, now: Contents) -> bool:
    """Whether a file makes nothing of what ran under its name, so that it is not that migration, edited.

    Only by the parts of tables: code is edited in place. Nothing is said where only running a file shows what it does.
    """
    olds, news = set(_parts(ran)), set(_parts(now))
    return ran.comparable and now.comparable and bool(olds and news) and olds.isdisjoint(news)


def _parts(contents: Contents) -> Iterator[tuple[PartKind, str, str]]:
    return ((step.part, step.model, step.name) for step in steps_of(contents) if step.part is not PartKind.CODE)
