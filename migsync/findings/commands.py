"""What hints tell to type: commands with the database that they concern, and lines of pyproject.toml."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

from migsync.alias import ARGUMENTS, EntryAlias, is_of_entry
from migsync.key import Key


def migsync(command: str, *arguments: object, alias: str = "") -> str:
    """``migsync plan --dedupe -d replica``; without an alias for all databases, or for the only one."""
    return shlex.join(["migsync", command, *map(str, arguments), *(["-d", alias] if alias else [])])


def prune(*what: object, alias: str = "") -> str:
    """The plan that removes these records, each ``app.name`` or a whole ``app``."""
    return migsync("plan", *(word for each in what for word in ("--prune", each)), alias=alias)


def position(app: str, rewrite: str, alias: str) -> str:
    """The plan with the position of an app as a person states it."""
    return migsync("plan", "--position", f"{app}={rewrite}", alias=alias)


def against_evidence(alias: str, what: str) -> str:
    """What to type where evidence is wrong; `what` says when that is so."""
    return f"{what}: {migsync('apply', '--against-evidence', alias=alias)}"


def look_at(app: str, alias: str) -> str:
    """What to do about records that fit no rewrite."""
    return (
        f"Look at the records of {app} in django_migrations.\n"
        f"To remove a leftover: {prune(f'{app}.NAME', alias=alias)}\n"
        f"If you know the last rewrite that was applied to these records: {position(app, 'REWRITE', alias)}"
    )


def migrate(*arguments: object, alias: str = "") -> str:
    """``python manage.py migrate shop 0003_price --database replica``; without an alias for Django's ``default``.

    An alias that Django does not know carries a command of its own; where it has none, the text says in words what to
    run.
    """
    if not is_of_entry(alias):
        words = ["python", "manage.py", "migrate", *map(str, arguments), *(["--database", alias] if alias else [])]
        return shlex.join(words)
    command = alias.migrate if isinstance(alias, EntryAlias) else ""
    if not command:
        return f"`{shlex.join(['migrate', *map(str, arguments)])}` in the database of {alias}, as your project does"
    # It goes through a shell, which may be meant ("cd src && …"): only what is put in is quoted.
    return command.replace(ARGUMENTS if arguments else f" {ARGUMENTS}", shlex.join(map(str, arguments)))


def old_files(revision: str, app: str, name: str, alias: str = "") -> str:
    """Migrating with the files of a commit or a branch, line by line, and back again."""
    return f"git checkout {revision}\n{migrate(app, name, alias=alias)}\ngit checkout -"


def remove_files(paths: Sequence[str]) -> str:
    """``git rm`` for these files, also in the middle of a merge."""
    return shlex.join(["git", "rm", "-q", "-f", "--", *paths])


def keep_hint(keys: Sequence[Key]) -> str:
    """What to write to keep the records of these migrations although no file explains them."""
    records = "the record" if len(keys) == 1 else "the records"
    line = f"leftovers = {json.dumps(list(map(str, keys)))}"
    return f"Or keep {records}. Add to pyproject.toml, under [tool.migsync]: {line}"
