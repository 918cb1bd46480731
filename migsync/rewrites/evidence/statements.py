"""What a person states about names, compared with all that is known of them: files, git, databases and rewrites.

Where evidence proves something else, the statement is refused with the proof. Without evidence a person's word counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property

from migsync.errors import AgainstEvidence, UsageError
from migsync.findings import Finding
from migsync.findings.pairs import unchecked_name
from migsync.history import Migration
from migsync.key import Key
from migsync.rewrites.evidence.alike import alike, translated
from migsync.rewrites.evidence.database import DatabaseEvidence
from migsync.rewrites.file_state import FileState
from migsync.rewrites.name_changes import NameChanges
from migsync.words import did_you_mean, similar, text_list

LISTED = 3
GO_ON = "If you are sure that this is wrong, add --against-evidence."


@dataclass(frozen=True)
class Statements:
    """What a person says: `changes` by app, and whether likely pairs are to be taken as well.

    With `against_evidence` it counts whatever is known. `unread` are the databases that could not be read, with the
    reason.
    """

    changes: Mapping[str, NameChanges] = field(default_factory=dict)
    accept: bool = False
    against_evidence: bool = False
    unread: Mapping[str, str] = field(default_factory=dict)


NO_STATEMENTS = Statements()


@dataclass(frozen=True)
class KnownNames:
    """All that is known of the names of one app.

    `past` are the states of the files in git, newest first; `noted` digests by name as rewrites and journals wrote them
    down, oldest first; `names` those that rewrites mention. The databases that are `unread` could not be read, for the
    reason. `git` is empty, or why git does not tell everything; `shallow` where it holds the newest commits only.
    """

    app: str
    disk: FileState
    past: Sequence[FileState] = ()
    noted: Sequence[Mapping[str, str]] = ()
    names: frozenset[str] = frozenset()
    databases: Sequence[DatabaseEvidence] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    git: str = ""
    shallow: bool = False

    @classmethod
    def compared(cls, disk: FileState, past: Sequence[FileState], noted: Sequence[Mapping[str, str]]) -> KnownNames:
        """With one digest for all files that do the same; the app is that of the files."""
        same = alike((disk, *past))
        digests = [
            {name: same.get(digest, digest) for name, digest in state.items()}
            for state in translated(noted, (disk, *past))
        ]
        app = next((file.key.app for file in disk.migrations.values()), "")
        return cls(app, replace(disk, alike=same), [replace(state, alike=same) for state in past], digests)

    @cached_property
    def every(self) -> frozenset[str]:
        """Every name that was ever heard of."""
        recorded = (names for _, names in self.recorded())
        return self.names.union(self.disk.names, *(state.names for state in self.past), *self.noted, *recorded)

    @property
    def is_complete(self) -> bool:
        """True where a name that is not in `every` is a mistake.

        Not without git: a database that is behind has not recorded all names that others have.
        """
        return bool(self.past) and not self.unread and not self.shallow

    def recorded(self) -> Iterator[tuple[str, set[str]]]:
        """The alias of each database with the names that are recorded there."""
        return ((each.alias, each.names(self.app)) for each in self.databases)

    @cached_property
    def unexplained(self) -> frozenset[str]:
        """The recorded names that have no file."""
        return frozenset(name for _, names in self.recorded() for name in names) - self.disk.names

    def versions(self, name: str) -> Iterator[tuple[str, str]]:
        """(digest, where it was seen) of the operations that ran, or may have run, as `name`: the surest first."""
        for database in self.databases:
            if ran := database.digest(Key(self.app, name)):
                yield self.disk.alike.get(ran, ran), f"what `migrate` ran in the database {database.alias}"
        for state in self.past:
            if digest := state.digests.get(name):
                yield digest, state.source
        for noted in reversed(self.noted):
            if digest := noted.get(name):
                yield digest, "what migsync noted in a database or in a rewrite"

    def bearer(self, digest: str) -> str | None:
        """The one file on disk with these operations; None where two files ever had them at once, or where it has none.

        Files without operations are all alike.
        """
        states = (self.disk, *self.past)
        if any(len(state.bearers.get(digest, ())) > 1 for state in states):
            return None
        (name,) = self.disk.bearers.get(digest) or (None,)
        return name if name and self.disk.migrations[name].operations else None


def old_files(changes: NameChanges, known: KnownNames) -> Mapping[str, Migration] | None:
    """The files from before `changes`: the newest state in git that has all old names, and with the right contents.

    A name is used again: what it stands for is what became of it. None where git has no such state.
    """
    given, today = set(changes.news()), known.disk.digests
    taken = [old for old in changes.olds() if old in today and old not in given]
    having = [state for state in known.past if state.migrations.keys() >= set(changes.olds())]
    # Where a new file has an old name, the state must have another file under it.
    before = [state for state in having if all(state.digests[old] != today[old] for old in taken)]
    fitting = [
        state
        for state in before
        if all(state.digests[old] == today[new] for old, new in changes.renamed.items() if today[new])
    ]
    # A file may have been edited as well as renamed.
    return next((state.migrations for state in (*fitting, *before, *having)), None)


def check_statements(changes: NameChanges, known: KnownNames) -> Iterator[Finding]:
    """Compare `changes`, which fit the files on disk, with all that is known.

    Yields what could not be checked. Raises UsageError for an old name that nothing knows, and AgainstEvidence with the
    proof that something else is true.
    """
    # Once for all names: there may be ten thousand.
    stated, given = frozenset(changes.olds()), frozenset(changes.news())
    for old in changes.olds():
        if old not in known.every:
            yield _unknown(old, stated, known)
    for old, new in changes.renamed.items():
        _check_contents(old, (new,), given, known)
        if new not in stated:
            _check_apart(old, new, known)
            _check_recorded(old, new, known)
    for olds, news in changes.collapsed:
        for old in olds:
            _check_contents(old, news, given, known)
    for old in changes.removed:
        _check_contents(old, (), given, known)


def unknown_names(changes: NameChanges, known: KnownNames) -> Iterator[Finding]:
    """A warning for each old name that nothing knows, for those who go on against the evidence."""
    return (_unchecked(old, known) for old in changes.olds() if old not in known.every)


def _unknown(old: str, stated: AbstractSet[str], known: KnownNames) -> Finding:
    # A record that nobody speaks of, and that has almost the same name, is meant.
    near = similar(old, known.unexplained - stated)
    if not (known.is_complete or near):
        return _unchecked(old, known)
    raise UsageError(
        f"No migration of {known.app} is known as {old}.",
        "No database that could be read has recorded it, no rewrite mentions it, and git has no such file.\n"
        + did_you_mean(old, near or known.every - known.disk.migrations.keys()),
        "Correct the name. If a database that cannot be read here has recorded it, add --against-evidence.",
    )


def _unchecked(old: str, known: KnownNames) -> Finding:
    unread = [f"The database {alias} could not be read." for alias in known.unread]
    return unchecked_name(migration=Key(known.app, old), reasons=[*unread, *([known.git] if known.git else [])])


def _check_contents(old: str, news: Sequence[str], given: AbstractSet[str], known: KnownNames) -> None:
    """Raise AgainstEvidence where what `old` was is in a file on disk, and not in one of `news`."""
    # Under a name that a new file has taken over, git shows that file too.
    own = known.disk.digests.get(old) if old not in given else None
    versions = [(digest, source) for digest, source in known.versions(old) if digest != own]
    if not versions or any(known.disk.digests.get(new) == digest for digest, _ in versions for new in news):
        return
    digest, source = versions[0]
    heir = known.bearer(digest)
    if heir is None or (not news and _recorded_too(old, heir, known)):
        return
    app = known.app
    raise AgainstEvidence(
        f"{app}.{old} {f'did not become {text_list(news)}' if news else 'was not removed'}: it is {app}.{heir} now.",
        f"The operations of {app}.{heir} are the same as those of {old} in {source}, and no other file has them.",
        f"State that instead: --map {app}.{old}={heir}\n{GO_ON}",
    )


def _recorded_too(old: str, heir: str, known: KnownNames) -> bool:
    """True where each database that has recorded `old` has recorded `heir` as well: nothing is lost with the one."""
    return all(heir in names for _, names in known.recorded() if old in names)


def _check_apart(old: str, new: str, known: KnownNames) -> None:
    """Raise AgainstEvidence where both files were there at once, and the new one was what it is today."""
    now = known.disk.digests.get(new)
    if not now or now in {digest for digest, _ in known.versions(old)}:
        return
    for state in known.past:
        if state.digests.get(new) == now and state.digests.get(old):
            raise AgainstEvidence(
                f"{known.app}.{old} and {known.app}.{new} are two migrations.",
                f"Both are in {state.source}, with different operations, and {new} has the same operations today.",
                GO_ON,
            )


def _check_recorded(old: str, new: str, known: KnownNames) -> None:
    """Raise AgainstEvidence where every database that has recorded `old` has recorded `new` beside it."""
    both = [(alias, new in names) for alias, names in known.recorded() if old in names]
    if both and all(beside for _, beside in both):
        raise AgainstEvidence(
            f"{known.app}.{new} is recorded beside {known.app}.{old}, so it is another migration.",
            f"Recorded in: {text_list((alias for alias, _ in both), LISTED)}. Two records would get the same name.",
            f"If {known.app}.{old} is a leftover, remove its record: migsync plan --prune {known.app}.{old}\n{GO_ON}",
        )
