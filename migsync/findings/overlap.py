"""About operations that cannot run where they would stand: mostly two branches that make the same thing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migsync.findings.commands import migsync
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import text_list


@entry("cannot-run", Severity.ERROR)
def cannot_run(
    *,
    migration: Key,
    operation: int,
    action: str,
    part: Sequence[str],
    other: Key | None = None,
    later: Key | None = None,
    earlier: Key | None = None,
    number: int = 0,
    made: int = 0,
    equal: bool = False,
    missing: Sequence[str] = (),
    extra: Sequence[str] = (),
    covered: bool = False,
) -> Texts:
    """With the new files, `migrate` would fail, because an operation adds what is there, or needs what is not.

    Usually two branches did the same thing: both add the same field, make the same model, or remove the same field. As
    long as they stand side by side, Django refuses to run `migrate`. One behind the other, the first one runs and the
    second one fails on every database: "duplicate column", "table already exists", "no such column". So the command is
    refused, and nothing has been changed.

    If all operations of the two migrations are equal, `migsync fix-conflicts` removes one of them, and databases that
    ran either come right. Otherwise the message says which file to edit, and how:

    - An operation that is equal in both is taken out of the later one.
    - Where both add a field with different options, the later one alters it (`AlterField`) in place of adding it. So
      the options of the later one count. Where both create a model, the later one adds the fields that the earlier one
      does not create, and alters those that differ.
    - If the earlier one does more than that, put what both do into a migration of its own, on which both depend.

    The later migration then depends on the earlier one, and databases that ran the later one alone record what they
    have already, with `--record`, which runs nothing. Those that ran the earlier one run what is left of the later one.
    Look at the models first: they say which options your project needs.
    """
    what = _part(part)
    if action == "adds":
        found = f"{other} has added {what} before." if other else f"{what} is there already."
        doing = f"adds {what}"
    else:
        found = f"{other} has removed it before." if other else "No migration before it adds that."
        doing = f"{action} {what}"
    way = _way(part, number, later, earlier, made, equal, missing, extra, covered) if later and earlier else ()
    return Texts(
        f"{migration} cannot run: operation {operation} {doing}. {found}",
        "With the new files, `migrate` would stop there on every database that has not run it yet.",
        "\n".join(way),
    )


def _way(
    part: Sequence[str],
    number: int,
    later: Key,
    earlier: Key,
    made: int,
    equal: bool,
    missing: Sequence[str],
    extra: Sequence[str],
    covered: bool,
) -> Iterator[str]:
    edit = _edit(part, number, equal, missing)
    stated = migsync("apply", "--reason", "TEXT", "--record", earlier if covered else "APP.NAME", "-d", "ALIAS")
    behind = f'In the file of {later}, {edit}, and let {later} depend on {earlier}: ("{earlier.app}", "{earlier.name}")'
    if covered:
        yield behind
        yield f"On a database that ran {later} without {earlier}, record {earlier}, which runs nothing: {stated}"
        return
    more = f"its fields {text_list(extra)}" if extra else "other operations"
    whole = "the fields that both create" if extra else f"operation {made} of {earlier}"
    yield (
        f"{earlier} does more than {later}: {more}. Put {whole} into a new migration, on which {earlier} "
        f"depends, and take {'them' if extra else 'it'} out of {earlier}{' (AddField for the rest)' if extra else ''}."
    )
    yield behind
    yield f"On each database that ran either, record the new one, which runs nothing: {stated}"


def _edit(part: Sequence[str], operation: int, equal: bool, missing: Sequence[str]) -> str:
    if equal:
        return f"take operation {operation} out"
    kind, *names = part
    if kind == "field":
        return f"make operation {operation} an AlterField of {names[-1]}, with the same arguments"
    if kind in ("model", "table"):
        added = f"AddField for {text_list(missing)}, and " if missing else ""
        return f"put {added}AlterField for fields that differ in the place of operation {operation}"
    return f"put Remove{kind.capitalize()} of {names[-1]} in front of operation {operation}"


def _part(part: Sequence[str]) -> str:
    """A part of the state as a person calls it: ``the field shop.item.price``."""
    kind, *names = part
    return f"the {kind} {'.'.join(names)}"
