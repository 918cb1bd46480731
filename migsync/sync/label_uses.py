"""What else in a database carries an app's label: content types, with them permissions, and the names of tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from migsync.sync.target import Target
from migsync.words import count, text_list

TYPES, PERMISSIONS = "django_content_type", "auth_permission"
SHOWN = 8


@dataclass(frozen=True)
class LabelUses:
    """What one database holds. `types` and `there`: content types with the old label, and with the new one.

    `permissions` hang on the old ones. `tables` are those whose names begin with the label. `statement` would give the
    content types the new label, `back` the old one again; both in the SQL of the database's engine. `moving` are
    statements that rename tables, where the models look for them under the new label.
    """

    alias: str
    types: int = 0
    there: int = 0
    permissions: int = 0
    tables: tuple[str, ...] = ()
    statement: str = ""
    back: str = ""
    moving: tuple[str, ...] = ()


def find_label_uses(target: Target, old: str, new: str) -> LabelUses:
    """Look at one database; nothing is changed. Raises a TargetError where it cannot be read."""
    schema = target.survey.schema or None
    with target.explained(reading="the tables"), target.transaction() as connection:
        names = sa.inspect(connection).get_table_names(schema=schema)
        tables = tuple(sorted(name for name in names if name.startswith(f"{old}_")))
        if TYPES not in names:
            return LabelUses(target.alias, tables=tables)
        types = sa.table(TYPES, sa.column("id"), sa.column("app_label", sa.String), schema=schema)
        held = sa.table(PERMISSIONS, sa.column("content_type_id"), schema=schema)

        def count(label: str, source: sa.FromClause) -> int:
            query = sa.select(sa.func.count()).select_from(source).where(types.c.app_label == label)
            return int(connection.execute(query).scalar_one())

        def update(before: str, after: str) -> str:
            statement = sa.update(types).where(types.c.app_label == before).values(app_label=after)
            made = str(statement.compile(connection, compile_kwargs={"literal_binds": True}))
            return f"{' '.join(made.split())};"

        return LabelUses(
            target.alias,
            count(old, types),
            count(new, types),
            count(old, held.join(types, held.c.content_type_id == types.c.id)) if PERMISSIONS in names else 0,
            tables,
            update(old, new),
            update(new, old),
        )


def label_notes(found: LabelUses, old: str, new: str) -> Iterator[str]:
    """What :func:`find_label_uses` found, in sentences, with the SQL that a person may run; migsync never runs it."""
    if found.types:
        yield (
            f"{found.alias} has {count(found.types, 'content type')} with the label {old}, and "
            f"{count(found.permissions, 'permission')} that refer to them by id. migsync leaves them alone. Run this "
            "when the new code is deployed, before its first migrate, which would create new content types:"
        )
        yield f"  {found.statement}"
        yield f"  To undo it: {found.back}"
    if found.types and found.there:
        yield (
            f"{found.alias} has {count(found.there, 'content type')} with the label {new} already, created by "
            "migrate. Both cannot have the same label: look at what refers to the new ones, and delete them before the "
            "UPDATE."
        )
    if found.moving:
        yield f"{found.alias}: the models look for the tables under the label {new}. Rename those of {old}:"
        yield from (f"  {statement}" for statement in found.moving)
    elif found.tables:
        yield f"{found.alias}: tables named after {old} keep their names: {text_list(found.tables, SHOWN)}."
