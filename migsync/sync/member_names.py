"""The names of an entry's members: those that a query returns, or those that fit its names and patterns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import DBAPIError

from migsync.engines.driver_errors import first_line
from migsync.errors import TargetError
from migsync.words import count, text_list

if TYPE_CHECKING:
    import sqlalchemy as sa

SCHEMA: Final = "schema"
TENANT: Final = "tenant"
"""What a member is, and in the plural the key in pyproject.toml that says which ones there are."""
WILDCARDS = frozenset("*?")
SHOWN = 5


def listed_names(patterns: Sequence[str], there: Sequence[str], alias: str, kind: str) -> list[str]:
    """The members for names and patterns, in order; a name is taken whether or not it is `there`."""
    has_table = " with a django_migrations" if kind == SCHEMA else ""
    names: dict[str, None] = {}
    for pattern in patterns:
        if WILDCARDS.isdisjoint(pattern):
            names[pattern] = None
            continue
        matched = [name for name in there if fnmatchcase(name, pattern)]
        if not matched and pattern != "*":
            raise TargetError(
                f"{alias}: no {kind}{has_table} matches {pattern!r}.",
                f"{'Those that have one' if has_table else 'There are'}: {text_list(there, SHOWN) or 'none'}.",
                f"Correct {kind}s in [tool.migsync.databases.{alias}] in pyproject.toml.",
            )
        names |= dict.fromkeys(matched)
    return list(names)


def queried_names(connection: sa.Connection, query: str, alias: str, kind: str) -> list[str]:
    """The members that the query returns, in its order. Raises TargetError for anything but a list of names."""
    where = f"the query of {kind}s in [tool.migsync.databases.{alias}]"
    try:
        result = connection.exec_driver_sql(query.replace("%", "%%"))
        columns = len(result.keys())
        rows = [row[0] for row in result] if columns == 1 else []
    except DBAPIError as error:
        raise TargetError(
            f"{alias}: {where} failed: {first_line(error)}",
            f"migsync does not know which {kind}s there are.",
            "Correct the query. It runs in a read-only transaction.",
        ) from error
    if columns != 1:
        raise TargetError(
            f"{alias}: {where} returns {count(columns, 'column')}.",
            f"It must return one column: the names of the {kind}s.",
            "Name one column in the query.",
        )
    if not all(isinstance(name, str) and name for name in rows):
        raise TargetError(
            f"{alias}: {where} returns a value that is not a name: NULL, an empty string or a number.",
            f"It must return the names of the {kind}s.",
            "Leave such rows out in the query.",
        )
    if twice := sorted(name for name, times in Counter(rows).items() if times > 1):
        raise TargetError(
            f"{alias}: {where} returns {text_list(twice, SHOWN)} more than once.",
            f"Each {kind} is one target.",
            "Write SELECT DISTINCT.",
        )
    shared = " If there may be no tenant yet, let it return the shared schema as well." if kind == SCHEMA else ""
    if not rows:
        raise TargetError(
            f"{alias}: {where} returns no {kind}.",
            "No target would be checked, and that is rarely meant.",
            f"Correct the query.{shared}",
        )
    return rows
