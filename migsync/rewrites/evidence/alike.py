"""Which digests count as one: those of both kinds for one file, and those of files that a database cannot tell apart.

An edit that no database sees (a help text, the order of imports) must not make another migration of a file. But where
two files with one effect were side by side, as two changes of a field's choices are, only their sources tell them
apart; these stay apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from migsync.history.contents import Contents
from migsync.history.migration import Key, Migration, is_second
from migsync.rewrites.file_state import FileState


def alike(states: Sequence[FileState]) -> dict[str, str]:
    """For each digest in `states` that counts as another one, that other one."""
    by_effect: dict[tuple[str, ...], set[str]] = defaultdict(set)
    apart: set[tuple[str, ...]] = set()
    for state in states:
        beside: dict[tuple[str, ...], str] = {}
        for name, effect in state.effects.items():
            digest = state.written[name]
            by_effect[effect].add(digest)
            if beside.setdefault(effect, digest) != digest:
                apart.add(effect)
    return {
        digest: min(digests)
        for effect, digests in by_effect.items()
        if effect not in apart and len(digests) > 1
        for digest in digests
    }


def translated(stated: Sequence[Mapping[str, str]], states: Iterable[FileState]) -> Sequence[Mapping[str, str]]:
    """What journals and rewrites state, with today's digest for each one of the first kind that a known file has."""
    if all(is_second(digest) for state in stated for digest in state.values()):
        return stated
    files = {id(file): file for state in states for file in state.migrations.values()}
    known = {file.first_digest: file.digest for file in files.values() if file.first_digest and file.digest}
    return [{name: known.get(digest, digest) for name, digest in state.items()} for state in stated]


def state_of(app: str, ran: Mapping[str, Contents]) -> FileState:
    """What was seen to run, as if the files had been side by side; without what says too little to be compared."""
    known = {name: contents for name, contents in ran.items() if contents.digest}
    files = {
        name: Migration(Key(app, name), operations=bool(each.operations), digest=each.digest, contents=each)
        for name, each in known.items()
    }
    return FileState("what ran", files)
