"""Which migration is which, before and after: the names that a proof looks through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from migsync.history import Key
from migsync.rewrites.rewrite import Rewrite


@dataclass(frozen=True)
class Identities:
    """`now` maps an old key to the keys that stand for it, where that is not the key itself; () for one that went.

    `labels` maps the old label of a renamed app to its new one. `anew` are apps whose migrations are made from scratch.
    """

    now: Mapping[Key, tuple[Key, ...]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    anew: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rewrite: Rewrite | None, anew: frozenset[str] = frozenset()) -> Identities:
        """As a rewrite states them; without one nothing changes its name."""
        now: dict[Key, tuple[Key, ...]] = {}
        for app, names in rewrite.apps.items() if rewrite else ():
            now |= {Key(app, old): (Key(app, new),) for old, new in names.renamed}
            now |= {
                Key(app, old): tuple(Key(app, new) for new in news) for olds, news in names.collapsed for old in olds
            }
            now |= {Key(app, old): () for old in names.removed}
        return cls(now, anew=anew)

    def of_key(self, key: Key) -> tuple[Key, ...]:
        """What stands for an old key now."""
        if key in self.now:
            return self.now[key]
        return (Key(self.labels.get(key.app, key.app), key.name),)

    def of_keys(self, keys: Iterable[Key]) -> tuple[Key, ...]:
        """What stands for old keys now, each once, in their order."""
        return tuple(dict.fromkeys(new for key in keys for new in self.of_key(key)))

    @property
    def renamed(self) -> dict[str, str]:
        """One-to-one changes as text, ``shop.0002_a`` to ``shop.0003_a``."""
        return {str(old): str(news[0]) for old, news in self.now.items() if len(news) == 1}
