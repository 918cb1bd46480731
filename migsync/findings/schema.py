"""About a proof by scratch databases: whether it can be made, and which parts of the schema differ."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.words import text_list

NAMED = 5
ATTRIBUTES = {"nullable": "nullability"}
"""What Alembic calls an attribute of a column, where people call it something else."""
WITHOUT = "To skip this proof, run the command again with `--no-prove-schema --no-prove-transition`."


def difference(kind: str, part: str, table: str, before: str | None, after: str | None, *, attribute: str = "") -> str:
    """One difference of two schemas as a sentence; None for a part that is not there."""
    of_table = f"{part} on {table}" if table and table != part else part
    where = f"{table}.{part}" if kind == "column" else of_table
    what = f"The {ATTRIBUTES.get(attribute, attribute)} of {where}" if attribute else f"The {kind} {where}"
    if after is None:
        return f"{what}: only the current files create it."
    if before is None:
        return f"{what}: only the new files create it."
    return f"{what}: {before or 'none'} now, {after or 'none'} with the new files."


@entry("schema-differs", Severity.ERROR)
def schema_differs(
    *, kind: str, part: str, table: str = "", attribute: str = "", before: str | None = None, after: str | None = None
) -> Texts:
    """The new migrations build a different schema than the current ones.

    migsync builds a scratch database from the current files and one from the new files, on the same engine, and
    compares everything in them: tables, columns, indexes, constraints, views, triggers, functions. Your databases were
    built by the current files, so they would lack what only the new files make, and keep what only the current ones
    make. The command is refused, and nothing has been changed.

    Often the current migrations leave something in the database that the models do not show: an index made by RunSQL, a
    default, a column type of an older Django.

    - Write a migration that makes the databases as the models are, or that repeats the SQL. Deploy it first.
    - Or leave the app or the range that the difference comes from out of the command.
    - If you remake an app, try a squash instead. It keeps the old operations.
    """
    return Texts(
        difference(kind, part, table, before, after, attribute=attribute),
        "A new database would not have the same schema as the databases that the current files have built.",
        "If the models do not show this part, first deploy a migration that makes the databases as the models are.\n"
        "Or leave the app or the range that it comes from out of the command.\n"
        "If a remake fails like this, a squash often works: it keeps the old operations.",
    )


@entry("integer-types", Severity.INFO)
def integer_types(*, columns: Sequence[str], engine: str) -> Texts:
    """Some columns have another integer type, on an engine that has only one.

    Where a primary key was changed to BigAutoField, Django alters the columns that refer to it, but on this engine the
    declared type of those columns stays INTEGER. A database that is built from the new files declares them as BIGINT.
    Both hold 64-bit integers there, so the difference has no effect, and the command goes on.

    On engines that do have several integer types the proof compares the types exactly.
    """
    return Texts(
        f"Declared with another integer type: {text_list(columns, NAMED)}.",
        f"{engine} stores all integer types in the same way.",
    )


@entry("schema-not-built", Severity.ERROR)
def schema_not_built(
    *,
    reason: str,
    new: bool,
    optional: bool = False,
    app: str,
    name: str,
    file: str,
    line: int,
    operation: int,
) -> Texts:
    """A scratch database could not be migrated from the start to the end.

    To compare two schemas, migsync runs all migrations on an empty database, once with the current files and once with
    the new ones. One of these runs failed in the migration that the message names. Your own databases are not touched.

    - If the current files fail, `migrate` fails in the same way on every new database, such as a test database. Fix the
      migration, or go on without this proof.
    - If only the new files fail, the migration needs something that comes later in the new order, or that the new file
      does not have. Leave it out of the command.
    """
    if new:
        return Texts(f"The new files cannot build a database. {reason}", "The current files can.")
    return Texts(
        f"The current files cannot build a database. {reason}",
        "So there is no schema to compare the new files with.",
        WITHOUT if optional else "",
    )


@entry("schema-not-proven", Severity.ERROR, Severity.WARNING)
def schema_not_proven(
    *,
    engine: str,
    alias: str,
    transition: bool = False,
    reason: str = "",
    consequence: str = "",
    remedy: str = "",
    reachable: bool = True,
    others: Sequence[str] = (),
) -> Texts:
    """An engine that the project uses could not be used for the proof.

    migsync compares the schemas on every engine that your databases are on, in scratch databases next to them. It could
    not connect, or was not permitted to create a database there. Differences that show only on that engine, such as an
    index that only it makes, would not be found.

    - Make the database reachable.
    - Or give its user the right to create databases (on PostgreSQL `CREATEDB`).
    - Or go on without this proof, with the options in the message. That is safe if the same files are proven on this
      engine elsewhere, for example in CI. With `--allow-applied`, a database that cannot be reached is only a warning.
    """
    if not reason:
        what = "The transition was" if transition else "Schema and rows were"
        return Texts(
            f"{what} not proven on {engine}: the database {alias!r} cannot be reached.",
            f"A difference that occurs only on {engine} would not be found.",
            severity=Severity.WARNING,
        )
    if not reachable:
        without = "Make the database reachable, or run the command again with `--allow-applied`."
    else:
        options = [f"--prove-schema {other}" for other in others] or ["--no-prove-schema"]
        without = f"To skip the proof on {engine}, run the command again with `{' '.join(options)}`."
    return Texts(reason, consequence, f"{remedy}\n{without}".strip())


@entry("needs-server", Severity.INFO)
def needs_server(*, engine: str, reason: str) -> Texts:
    """The migrations do not run on the engine that the proof of the transition tries first.

    The proof first tries an engine that needs no server, because it is fast there. Your current migrations failed on
    it. Usually they use an extension, a field or SQL of your own engine.

    Nothing is wrong. The proof is made on the engine of your databases instead. That takes longer, and needs the right
    to create databases there.
    """
    return Texts(
        f"The current migrations do not run on {engine}. {reason}",
        "The transition is proven on the engine of your databases instead.",
    )
