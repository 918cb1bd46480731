"""What became of the names of real migration files between two commits, and what an answer of migsync is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from migsync.history import Key
from migsync.history.migration import Migration
from tests.real.answers import Answer
from tests.real.repositories import FILE, Mirror, Snapshot


class Worth(StrEnum):
    """What an answer is worth."""

    RIGHT = "right"
    """Every record that has another name today is planned to get it."""
    ASKED = "asked"
    """What is not planned is asked about, and the right name is among those that are offered."""
    RIGHTLY = "rightly"
    """Refused, and rightly so: the file does something else today, or Django itself would refuse the rows."""
    REFUSED = "refused"
    """Refused, though the operations are the same."""
    SILENT = "silent"
    """Nothing stops ``migrate`` from running a second time what ran under another name."""
    WRONG = "wrong"
    """A record is planned to get the name of another migration."""


@dataclass(frozen=True)
class Truth:
    """`became` are the names that are others today, `may` all pairs for which anything speaks.

    `same` are those of `became` of which a database sees no edit.
    """

    became: Mapping[Key, Key]
    may: frozenset[tuple[Key, Key]]
    same: frozenset[Key] = field(default_factory=frozenset)


def truth(mirror: Mirror, states: list[tuple[str, Snapshot]]) -> Truth:
    """Judged by git's own detection of renames from commit to commit, and by contents from the first to the last."""
    before, after = states[0][1], states[-1][1]
    by_git = _followed(mirror, states)
    bearers: dict[tuple[str, str], list[Key]] = {}
    for key, migration in after.history.migrations.items():
        bearers.setdefault((key.app, migration.digest), []).append(key)
    became: dict[Key, Key] = {}
    may = set(by_git.items())
    for key, migration in before.history.migrations.items():
        now = after.history.migrations.get(key)
        if any(key in heir.replaces for heir in after.history.migrations.values()):
            continue  # Django knows it
        heirs = bearers.get((key.app, migration.digest), []) if migration.digest and migration.operations else []
        may |= {(key, heir) for heir in heirs}
        if now and same_work(migration, now):
            continue
        if len(heirs) == 1:
            became[key] = heirs[0]
        elif now is None and by_git.get(key) in after.history.migrations:
            became[key] = by_git[key]
    # Two files that became one: what is one of them is not for git to say.
    heirs_of = list(became.values())
    became = {old: new for old, new in became.items() if heirs_of.count(new) == 1}
    same = {
        old for old, new in became.items() if same_work(before.history.migrations[old], after.history.migrations[new])
    }
    return Truth(became, frozenset(may), frozenset(same))


def _followed(mirror: Mirror, states: list[tuple[str, Snapshot]]) -> dict[Key, Key]:
    first = states[0][1]
    found = {key: key for key in first.history.migrations}
    for (old, before), (new, after) in pairwise(states):
        renamed = dict(_keys(mirror.renamed(old, new), before, after))
        found = {key: renamed.get(now, now) for key, now in found.items()}
    return {key: now for key, now in found.items() if key != now}


def _keys(paths: Mapping[str, str], before: Snapshot, after: Snapshot) -> Iterator[tuple[Key, Key]]:
    old_labels = {directory: label for label, directory in before.directories.items()}
    new_labels = {directory: label for label, directory in after.directories.items()}
    for old, new in paths.items():
        first, second = FILE.fullmatch(old), FILE.fullmatch(new)
        if first and second and first["directory"] in old_labels and second["directory"] in new_labels:
            yield (
                Key(old_labels[first["directory"]], first["name"]),
                Key(new_labels[second["directory"]], second["name"]),
            )


def same_work(one: Migration, other: Migration) -> bool:
    """True where a database sees no difference between two files."""
    if one.digest and one.digest == other.digest:
        return True
    return bool(one.contents.effect) and one.contents.effect == other.contents.effect


def directories_with_renames(mirror: Mirror, old: str, new: str) -> set[str]:
    """The directories in which a commit gave migration files other names."""
    return {match["directory"] for path in mirror.renamed(old, new) if (match := FILE.fullmatch(path))}


def worth(answer: Answer, recorded: set[Key], known: Truth, before: Snapshot, after: Snapshot) -> tuple[Worth, str]:
    """What an answer is worth for a database with these records, and the pair that decides.

    Rows are compared as a set: where several become several, it is of no matter which one gets which name.
    """
    leaving = {change.before.key for change in answer.plan.changes if change.before}
    given = {change.after.key for change in answer.plan.changes if change.after}
    final = (recorded - leaving) | given
    for new in given - recorded:
        if not any(_is_plausible(old, new, known, before, after) for old in leaving):
            return Worth.WRONG, f"{min(leaving)} -> {new}"
    expected = {old: new for old, new in known.became.items() if old in recorded and new not in recorded}
    left = {old: new for old, new in expected.items() if new not in final or (old in final and old not in given)}
    # What only the state sees may run a second time.
    files = after.history.migrations
    left = {
        old: new for old, new in left.items() if not all(each.state_only for each in files[new].contents.operations)
    }
    if not left:
        return (Worth.RIGHTLY, "") if answer.blocked else (Worth.RIGHT, "")
    old, new = next((pair for pair in left.items() if pair[0] in known.same), next(iter(left.items())))
    if all(_is_offered(answer, *pair) for pair in left.items()):
        return Worth.ASKED, f"{old} -> {new}"
    # Where Django would refuse the rows under their right names, refusing is right.
    standing = {known.became.get(key, key) for key in recorded}
    fits = after.history.ancestors(left.values()) <= standing
    refused = Worth.REFUSED if fits and left.keys() & known.same else Worth.RIGHTLY
    return (refused if answer.blocked else Worth.SILENT), f"{old} -> {new}"


def _is_plausible(old: Key, new: Key, known: Truth, before: Snapshot, after: Snapshot) -> bool:
    if known.became.get(old) == new or (old, new) in known.may:
        return True
    first, second = before.history.migrations.get(old), after.history.migrations.get(new)
    if first is None or second is None or same_work(first, second):
        return True
    # Several that became one, or several others: what the old one did is a part of what the new one does. And a file
    # that does nothing has run.
    makes = {(step.part, step.model, step.name) for each in second.contents.operations for step in each.steps}
    made = {(step.part, step.model, step.name) for each in first.contents.operations for step in each.steps}
    return bool(made & makes) or not makes


def _is_offered(answer: Answer, old: Key, new: Key) -> bool:
    for finding in answer.findings:
        if finding.code == "open-pair" and str(old) in map(str, finding.facts.get("olds") or ()):  # type: ignore[arg-type]
            return str(new) in map(str, finding.facts.get("news") or ())  # type: ignore[arg-type]
    return False
