"""Which migration is which, before and after: the names that a proof looks through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from migsync.history import Key
from migsync.rewrites.rewrite import Rewrite


@dataclass(frozen=True)
class Identities:
    """`now` maps an old key to the keys that stand for it, where that is not the key itself; () for one that went.

    `labels` maps the old label of a renamed app to its new one. `replaced` maps what a new squash replaces to that
    squash, where both stay on disk: which of them Django runs is another matter for every target. `anew` are
    apps whose migrations are made from scratch, `merges` new migrations that stand for no old one. `absorbing` are
    migrations that do what others did, which they take up; they were there before. `unordered` are, for an old key,
    those that it no longer has to come after.
    """

    now: Mapping[Key, tuple[Key, ...]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    replaced: Mapping[Key, Key] = field(default_factory=dict)
    anew: frozenset[str] = frozenset()
    merges: frozenset[Key] = frozenset()
    absorbing: Mapping[Key, frozenset[Key]] = field(default_factory=dict)
    unordered: Mapping[Key, frozenset[Key]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        rewrite: Rewrite | None,
        replaced: Mapping[Key, Key] | None = None,
        anew: frozenset[str] = frozenset(),
        merges: frozenset[Key] = frozenset(),
    ) -> Identities:
        """As a rewrite states them; without one nothing changes its name."""
        now: dict[Key, tuple[Key, ...]] = {}
        labels: dict[str, str] = {}
        absorbing: dict[Key, frozenset[Key]] = {}
        for app, names in rewrite.apps.items() if rewrite else ():
            before = names.origin or app
            # In this order: under a new label every name is another key, and a rename may change it once more.
            if names.origin:
                labels[before] = app
                now |= {Key(before, name): (Key(app, name),) for name in names.before}
            now |= {Key(before, old): (Key(app, new),) for old, new in names.renamed}
            now |= {
                Key(before, old): tuple(Key(app, new) for new in news) for olds, news in names.collapsed for old in olds
            }
            now |= {Key(before, old): () for old in names.removed}
            absorbing |= {
                Key(app, new): frozenset(Key(before, old) for old in olds) for new, olds in names.absorbing.items()
            }
        return cls(now, labels, replaced or {}, anew, merges, absorbing)

    def on_target(self, old: AbstractSet[Key], new: AbstractSet[Key]) -> Identities:
        """The same for one target, by what is pending there: a squash is run where nothing that it replaces was.

        `old` and `new` are the keys that `migrate` would run there with the old files and with the new ones.
        """
        # shop.0001_squashed replaces 0001_a and 0002_b. Where both are pending, Django runs the squash, and it
        # stands for both. Where 0002_b alone is, Django runs 0002_b itself.
        partly = {squash for key, squash in self.replaced.items() if key not in old or squash not in new}
        whole = {key: (squash,) for key, squash in self.replaced.items() if squash not in partly}
        return replace(self, now={**self.now, **whole}) if whole else self

    def has_run(self, key: Key, recorded: AbstractSet[Key]) -> bool:
        """Whether a pending migration ran under another name: as the one that takes it up, or as those it takes up."""
        return any(
            (key == new and recorded >= olds) or (key in olds and new in recorded)
            for new, olds in self.absorbing.items()
        )

    def of_key(self, key: Key) -> tuple[Key, ...]:
        """What stands for an old key now."""
        if key in self.now:
            return self.now[key]
        return (Key(self.labels.get(key.app, key.app), key.name),)

    def of_keys(self, keys: Iterable[Key]) -> tuple[Key, ...]:
        """What stands for old keys now, each once, in their order."""
        return tuple(dict.fromkeys(new for key in keys for new in self.of_key(key)))

    @property
    def labels_before(self) -> dict[str, str]:
        """The labels of today with those of before: code has the new ones when files get them."""
        return {new: old for old, new in self.labels.items()}

    @property
    def renamed(self) -> dict[str, str]:
        """What one migration stands for, as text: ``shop.0002_a`` to ``shop.0003_a``."""
        named = {str(old): str(squash) for old, squash in self.replaced.items()}
        return named | {str(old): str(news[0]) for old, news in self.now.items() if len(news) == 1}
