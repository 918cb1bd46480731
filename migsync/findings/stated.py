"""About records that a person states: ``--record`` and ``--unrecord``."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.commands import migrate, migsync
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import text_list

NAMED = 5


def _word(*, record: bool) -> str:
    return "--record" if record else "--unrecord"


@entry("nothing-to-record", Severity.WARNING)
def nothing_to_record(*, migration: Key, record: bool) -> Texts:
    """`--record` names a migration that is recorded already, or `--unrecord` one that is not recorded.

    Nothing changes for this name in this database. Another database may still need it. Where a rewrite or a rename that
    is proven gives the record this name, it counts as recorded.
    """
    there = "is recorded here already" if record else "is not recorded here"
    return Texts(f"{_word(record=record)} {migration}: it {there}.")


@entry("record-needs-others", Severity.ERROR)
def record_needs_others(
    *, migration: Key, record: bool, others: Sequence[Key], foreign: Sequence[Key], alias: str = ""
) -> Texts:
    """After `--record` or `--unrecord`, a migration would be recorded without one that it depends on.

    Django's `migrate` refuses to start on such a database (InconsistentMigrationHistory). So a migration can be
    recorded only with all that it depends on, and its record removed only with those of all that depend on it.

    - If the same is true of the others, name them too, as the message shows.
    - Migrations of installed packages are not migsync's to record: run them with `migrate`, or unapply them.
    """
    words = [word for key in (*others, migration) for word in (_word(record=record), key)]
    one = len(others) + len(foreign) == 1
    listed = text_list([*others, *foreign], NAMED)
    if record:
        found = f"--record {migration}: it depends on {listed}, which {'is' if one else 'are'} not recorded."
    else:
        found = f"--unrecord {migration}: {listed} {'depends' if one else 'depend'} on it and would stay recorded."
    steps = [f"If the same is true of {'it' if one else 'them'}: {migsync('plan', *words, alias=alias)}"]
    if foreign:
        key = foreign[0]
        steps = [
            f"{key.app} is not an app of this project. Run its migration first: "
            f"{migrate(key.app, key.name, alias=alias)}"
            if record
            else f"{key.app} is not an app of this project, so the record of {migration} has to stay."
        ]
    return Texts(found, "`migrate` would refuse to start (InconsistentMigrationHistory).", "\n".join(steps))


@entry("evidence-against-record", Severity.ERROR, Severity.WARNING)
def evidence_against_record(
    *, migration: Key, record: bool, guarded: bool = True, stated: bool = False, alias: str = ""
) -> Texts:
    """What is known of a migration contradicts `--record` or `--unrecord`.

    migsync's guard noted what `migrate` did. `--record` says that a migration ran which `migrate` has unapplied since;
    `--unrecord` says that one did not run although `migrate` ran it, or somebody stated that it ran.

    - Check the name, and look at the tables.
    - If you know better, for example since the tables were restored, use `--against-evidence`. It is a warning then.
    """
    if record:
        found = f"--record {migration}: the guard saw `migrate` unapply it here, and nothing has run it since."
        meaning = "If its tables are gone, `migrate` would never make them."
    else:
        known = "the guard saw `migrate` run it here" if guarded else "somebody stated that it ran here"
        found = f"--unrecord {migration}: {known}."
        meaning = "If its tables are there, `migrate` would run it a second time."
    command = migsync("plan", _word(record=record), migration, "--against-evidence", alias=alias)
    hint = "" if stated else f"Check the name. If you know better: {command}"
    return Texts(found, meaning, hint, Severity.WARNING if stated else None)
