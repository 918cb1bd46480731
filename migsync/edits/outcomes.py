"""What becomes of each entry in a list of keys; pure, and blind to how it is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from migsync.history.migration import FIRST, LATEST, Key

Outcome = tuple[Key, ...]
"""What an entry becomes: itself, another key, several, or nothing."""


def renamed(keys: Sequence[Key], becomes: Mapping[Key, Outcome]) -> list[Outcome]:
    """The outcome for every entry, so that no key comes to stand in the list twice."""
    # Entries that stay go first, wherever they stand: another entry that becomes the same key is the one to go.
    seen = {key for key in keys if becomes.get(key, (key,)) == (key,)}
    outcomes: list[Outcome] = []
    for key in keys:
        new = becomes.get(key, (key,))
        if new == (key,):
            outcomes.append(new)
        else:
            outcomes.append(_fresh(new, seen))
    return outcomes


def is_parent(key: Key, app: str) -> bool:
    """Whether it is a migration of the app: __first__ and __latest__ name none, and follow whatever the app has."""
    return key.app == app and key.name not in (FIRST, LATEST)


def with_parents(
    keys: Sequence[Key], outcomes: Sequence[Outcome], app: str, parents: Sequence[Key]
) -> tuple[Outcome, list[Outcome]]:
    """Change `outcomes` so that exactly `parents` are left of the app's own; what must stand in front comes first.

    Entries that name a parent already stay where they are. The others take the place of the first one that goes.
    """
    own = [place for place, key in enumerate(keys) if is_parent(key, app)]
    result = list(outcomes)
    placed: set[Key] = set()
    for place in own:
        result[place] = _fresh([key for key in result[place] if key in parents], placed)
    missing = tuple(key for key in dict.fromkeys(parents) if key not in placed)
    if not missing:
        return (), result
    if not own:
        return missing, result
    # In the place of one that goes, its line and comma can be kept.
    place = next((place for place in own if not result[place]), own[-1])
    result[place] += missing
    return (), result


def own_first(key: Key, outcome: Outcome) -> Outcome:
    """The outcome with the entry's own key in front, since that one need not be written."""
    return (key, *(each for each in outcome if each != key)) if key in outcome else outcome


def _fresh(keys: Iterable[Key], seen: set[Key]) -> Outcome:
    """Those of `keys` that were not seen yet, each once; they are seen from now on."""
    found = tuple(key for key in dict.fromkeys(keys) if key not in seen)
    seen.update(found)
    return found
