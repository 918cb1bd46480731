"""The task that tells which tables an app's migrations make, one after the other; no database is needed.

Only the files of one app are imported, and no graph is built: the old files need not fit the other apps of today. What
a foreign key refers to is known by its name.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
from collections.abc import Iterator
from typing import Any

from migsync.worker.made_tables import MadeTables, TablesRequest, TablesResult
from migsync.worker.renderer import Renderer
from migsync.worker.setup import set_up, stage

UNSEEN = frozenset(
    [
        *("auto_created", "auto_now", "auto_now_add", "blank", "choices", "db_column", "default", "editable"),
        *("error_messages", "help_text", "limit_choices_to", "on_delete", "related_name", "related_query_name"),
        *("serialize", "unique_for_date", "unique_for_month", "unique_for_year", "validators", "verbose_name"),
    ]
)
"""Arguments of a field that change no table; the name of its column is told apart from them."""


def answer(request: TablesRequest) -> TablesResult:
    """Run what the operations do to Django's project state, file by file."""
    set_up()
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ProjectState

    state, made, last = ProjectState(), [], ""
    package = MigrationLoader.migrations_module(request.app)[0]
    for name in request.names:
        with stage("load"):
            migration = importlib.import_module(f"{package}.{name}").Migration(name, request.app)
        with stage("state"):
            for operation in migration.operations:
                operation.state_forwards(request.app, state)
            tables = _digest(_tables(request.app, state))
            code = tuple(_code(migration.operations))
        made.append(MadeTables(name, tables, code, tables != last))
        last = tables
    return TablesResult(tuple(made))


def _digest(tables: dict[str, list[str]]) -> str:
    """Empty where there is no table."""
    return hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest() if tables else ""


def _tables(app: str, state: Any) -> dict[str, list[str]]:  # noqa: ANN401 -- Django has no types
    """The parts of each table as text, in an order of their own."""
    renderer = Renderer({})
    found: dict[str, list[str]] = {}
    for (label, name), model in state.models.items():
        if label != app or model.options.get("proxy") or not model.options.get("managed", True):
            continue
        table = model.options.get("db_table") or f"{app}_{name}"
        found[table] = sorted(_parts(model, table, renderer, found))
    return found


def _parts(model: Any, table: str, renderer: Renderer, tables: dict[str, list[str]]) -> Iterator[str]:  # noqa: ANN401
    for name, field in model.fields.items():
        *_, path, args, kwargs = field.deconstruct()
        seen = {key: value for key, value in kwargs.items() if key not in UNSEEN}
        if "to" in seen:
            seen["to"] = str(seen["to"]).lower()
        text = f"{path}({renderer.value(args)}, {renderer.value(seen)})"
        if field.many_to_many:
            if seen.get("through") is None:
                tables[seen.get("db_table") or f"{table}_{name}"] = [text]
        else:
            column = kwargs.get("db_column") or (f"{name}_id" if field.is_relation else name)
            yield f"column {column} {text}"
    for option in ("unique_together", "index_together"):
        groups = model.options.get(option) or ()
        yield from (f"{option} {renderer.value(tuple(group))}" for group in groups)
    for option in ("indexes", "constraints"):
        yield from (f"{option} {renderer.value(each)}" for each in model.options.get(option) or ())
    for option in ("db_tablespace", "db_table_comment", "order_with_respect_to"):
        if value := model.options.get(option):
            yield f"{option} {renderer.value(value)}"


def _code(operations: Any) -> Iterator[str]:  # noqa: ANN401
    """What runs beside the tables, as digests of its source."""
    from django.db.migrations import RunPython, RunSQL, SeparateDatabaseAndState

    for operation in operations:
        match operation:
            case RunPython() if operation.code is not RunPython.noop:
                yield _digest({"python": [_source(operation.code)]})
            case RunSQL() if operation.sql != RunSQL.noop:
                yield _digest({"sql": [repr(operation.sql)]})
            case SeparateDatabaseAndState():
                yield from _code(operation.database_operations)


def _source(function: Any) -> str:  # noqa: ANN401
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return repr(function)
