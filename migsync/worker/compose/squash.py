"""Ranges of migrations, each composed into one file: the task of a squash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from migsync.findings import Finding
from migsync.findings.composition import merged_in_parts, stays_apart
from migsync.key import Key
from migsync.worker.compose.deferred import with_foreign_keys_in_time, with_indexes_in_time
from migsync.worker.compose.optimizer import Optimized, optimized
from migsync.worker.compose.writer import compose
from migsync.worker.progress import counted
from migsync.worker.protocol import SquashedRange, SquashRequest, SquashResult, SquashSpec
from migsync.worker.setup import set_up, stage

Node = tuple[str, str]
SETTING = "__setting__"
LONGEST = 60
"""How much of a statement is shown."""


def answer(request: SquashRequest) -> SquashResult:
    """Compose every one of the request's ranges."""
    set_up()
    from django.db.migrations.loader import MigrationLoader

    with stage("load"):
        # The graph is of no matter here, nor is a database: only what the files say.
        loader = MigrationLoader(None, load=False)
        loader.load_disk()
    stands = {_node(old): [_node(new) for new in news] for old, news in request.named_instead.items()}
    with stage("compose"):
        ranges = counted("compose", request.ranges, at_once=True)
        return SquashResult(tuple(_squash(wanted, loader.disk_migrations, stands) for wanted in ranges))


def _squash(wanted: SquashSpec, on_disk: Mapping[Node, Any], stands: Mapping[Node, Sequence[Node]]) -> SquashedRange:
    app = wanted.app
    keys = [_node(key) for key in wanted.keys]
    migrations = [on_disk[key] for key in keys]
    operations = [operation for migration in migrations for operation in migration.operations]
    before = [*_before(keys[0], on_disk)]
    elidable = [(it.name, operation) for it in migrations for operation in it.operations if operation.elidable]
    staying = [(name, operation) for name, operation in elidable if name in wanted.kept]
    # Django's optimizer leaves elidable operations out. A database with rows has not run these yet: there they have
    # work to do.
    for _, operation in staying:
        operation.elidable = False
    made = optimized(operations, app, before) if wanted.optimize else Optimized(operations, [])
    kept = with_foreign_keys_in_time(with_indexes_in_time(made.operations), app, before)
    composed = compose(
        kept,
        app=app,
        name=wanted.name,
        dependencies=_outside(keys, (entry for it in migrations for entry in it.dependencies), stands),
        replaces=keys if wanted.keep_replaces else (),
        run_before=_outside(keys, (entry for it in migrations for entry in it.run_before), stands),
        initial=migrations[0].initial,
        # Of one that is not atomic, some operation cannot run in a transaction (CREATE INDEX CONCURRENTLY).
        atomic=all(migration.atomic for migration in migrations),
        heading=wanted.heading,
        origins=keys,
    )
    return SquashedRange(
        text=composed.text,
        before=len(operations),
        after=len(kept),
        elided=_told(app, elidable, without=kept),
        kept=_told(app, staying),
        notes=(*composed.notes, *notes_of(made, wanted.key, len(operations), len(kept))),
    )


def notes_of(made: Optimized, migration: Key, before: int, after: int) -> Iterator[Finding]:
    """What is to be said of the optimizer's work; `before` and `after` are the numbers of operations."""
    if made.apart:
        yield stays_apart(migration=migration, fields=[".".join(place) for place in made.apart])
    if made.in_parts:
        yield merged_in_parts(migration=migration, before=before, after=after)


def _before(first: Node, on_disk: Mapping[Node, Any]) -> Iterator[Any]:
    """The operations of the app in what this migration depends on, however far away, each after what it depends on."""
    found: dict[Node, None] = {}
    opened: set[Node] = set()
    waiting = [first]
    while waiting:
        key = waiting.pop()
        if key in opened:
            found[key] = None
        elif key in on_disk:
            # It stays on the stack below its dependencies, and is found when it comes up again, after all of them.
            opened.add(key)
            waiting += [key, *(_node(entry) for entry in on_disk[key].dependencies)]
    return (operation for key in found if key[0] == first[0] and key != first for operation in on_disk[key].operations)


def _outside(keys: Sequence[Node], entries: Iterable[Node], stands: Mapping[Node, Sequence[Node]]) -> list[Node]:
    """What the range depends on, or runs before, each once; as ``squashmigrations`` has it."""
    found: dict[Node, None] = {}
    for entry in entries:
        setting = _setting(entry)
        if setting:
            found[SETTING, setting] = None
        elif _node(entry) not in keys:
            # Ranges that are squashed in the same run are named by what they become.
            found.update(dict.fromkeys(stands.get(_node(entry), [_node(entry)])))
    return [node for node in found if node not in keys]


def _setting(entry: Node) -> str:
    """The setting that a swappable dependency is on, of which Django's tuple has the value.

    Empty for any other dependency.
    """
    from django.apps import apps
    from django.conf import settings

    value = getattr(entry, "setting", None)
    if value is None:
        return ""
    # squashmigrations knows the user model alone, and makes a plain dependency of any other swappable one.
    return "AUTH_USER_MODEL" if value == settings.AUTH_USER_MODEL else apps.get_swappable_settings_name(value) or ""


def _told(app: str, operations: Iterable[tuple[str, Any]], without: Iterable[Any] = ()) -> tuple[tuple[Key, str], ...]:
    """(migration's key, operation in words) of these operations."""
    # By identity: operations of several migrations can be equal.
    there = {id(operation) for operation in without}
    return tuple((Key(app, name), _words(operation)) for name, operation in operations if id(operation) not in there)


def _words(operation: Any) -> str:  # noqa: ANN401
    """An operation in few words: Django's own say of a RunPython only that it is one."""
    kind = type(operation).__name__
    code = getattr(operation, "code", None)
    if code is not None:
        return f"{kind} {getattr(code, '__name__', type(code).__name__)}"
    sql = getattr(operation, "sql", None)
    if isinstance(sql, str):
        line = " ".join(sql.split())
        return f"{kind} {line if len(line) <= LONGEST else line[: LONGEST - 1] + '…'}"
    described: str = operation.describe()
    return described


def _node(entry: Sequence[str]) -> Node:
    """A plain tuple, as it is to be written into a file."""
    app, name = entry
    return app, name
