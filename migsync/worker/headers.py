"""Headers of migration files that are computed, as Django has them: a part of the :mod:`.protocol`."""

from typing import NamedTuple

from migsync.key import Key


class HeadersRequest(NamedTuple):
    """The headers of the migrations `keys` are wanted."""

    keys: tuple[Key, ...]


class LoadedHeader(NamedTuple):
    """What a migration says of its place; a swappable dependency is the one that it comes to."""

    key: Key
    dependencies: tuple[Key, ...]
    run_before: tuple[Key, ...]
    replaces: tuple[Key, ...]
    initial: bool | None
    atomic: bool


class HeadersResult(NamedTuple):
    """A header for each key, in the same order."""

    headers: tuple[LoadedHeader, ...]
