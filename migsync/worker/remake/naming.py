"""Names of the new migrations: never one that a file, a rewrite or a database knows."""

from __future__ import annotations

from collections.abc import Collection, Sequence

CARRIED = "carried"


def new_names(word: str, carried: Sequence[bool], taken: Collection[str]) -> tuple[str, ...]:
    """``0001_remade``, ``0002_remade_carried``…: a name for each new file of one app, in order.

    `carried` says of each file whether it is one for what was carried over. Where one of the names is taken, all get
    a further number, the same for all: ``0001_remade_2``.
    """
    attempt = 1
    while True:
        again = "" if attempt == 1 else f"_{attempt}"
        names = tuple(
            f"{number:04}_{word}{f'_{CARRIED}' if is_carried else ''}{again}"
            for number, is_carried in enumerate(carried, 1)
        )
        if set(names).isdisjoint(taken):
            return names
        attempt += 1
