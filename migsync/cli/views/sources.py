"""How it is known what ran: a line for people, and a list of all records for programs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from migsync.sync.provenance import ContentSource, Provenance

if TYPE_CHECKING:
    from migsync.sync.survey import Survey

WORDS = {
    ContentSource.STATED: "stated",
    ContentSource.GUARDED: "guarded",
    ContentSource.SEEN: "presumed",
    ContentSource.GIT: "by git",
    ContentSource.NAME: "by name only",
}
BY_NAME = Provenance(ContentSource.NAME)


def source_line(survey: Survey, alias: str) -> str:
    """``what ran: 38 guarded, 9 by git, 5 by name only``; empty where all are known by their names only."""
    known = survey.ran.get(alias)
    if not known:
        return ""
    own = survey.history.first_party
    total = sum(record.app in own for record in survey.records[alias])
    numbers = Counter(each.source for each in known.values())
    numbers[ContentSource.NAME] += total - len(known)
    parts = [f"{numbers[source]} {words}" for source, words in WORDS.items() if numbers[source]]
    return f"what ran: {', '.join(parts)}"


def source_documents(survey: Survey, alias: str) -> list[dict[str, Any]]:
    """Each record of the project's own apps with how it is known what ran, and whether that is the file of today."""
    known = survey.ran.get(alias, {})
    found = []
    for record in survey.records.get(alias, ()):
        if record.app in survey.history.first_party:
            provenance = known.get(record.id or 0, BY_NAME)
            versions = {each.source for each in provenance.versions if each.source}
            document = {"id": record.id, "app": record.app, "name": record.name, "known": str(provenance.source)}
            found.append({**document, **({"sources": sorted(versions)} if versions else {})})
    return found
