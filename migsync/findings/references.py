"""About code and settings that name what is about to change."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import text_list


@entry("reference-by-name", Severity.WARNING)
def reference_by_name(
    *,
    file: str,
    line: int,
    migration: Key | None = None,
    certain: bool = True,
    becomes: Sequence[Key] = (),
    text: str = "",
    app: str = "",
    name: str = "",
) -> Texts:
    """A line of the project names a migration, or an app, that gets another name.

    migsync edits what Django reads of migrations: their names, `dependencies`, `run_before` and `replaces`. It does not
    edit other code, tests, scripts or settings. With the old name this line may fail, or do something else than before:
    a test that migrates to `0003_add_price` does not find it any more.

    Look at the line, and change it by hand if it means that migration or that app. The change of the migrations itself
    can go on. Names in comments and docstrings are not reported.
    """
    if not migration:
        return Texts(
            f"{file}:{line} says {text!r}, which may mean the app of that label.",
            "migsync changes a label only where Django certainly reads one.",
            "Check the line, and change it by hand if it means the app.",
        )
    now = text_list(becomes)
    return Texts(
        f"{file}:{line} {'names' if certain else 'may mean'} {migration}, which "
        f"{'becomes ' + now if becomes else 'is removed'}.",
        "migsync changes migrations only, and leaves other code as it is.",
        f"Change the line by hand to name {now}."
        if becomes
        else "Change the line by hand so that it does not name it.",
    )


@entry("removed-import", Severity.ERROR)
def removed_import(*, migration: Key, other: Key, file: str, line: int) -> Texts:
    """A migration imports another one by name, and the file of that one would be removed.

    A name that begins with a digit can be imported only by a call such as `import_module("shop.migrations.0006_fill")`.
    migsync follows renames in such calls. A squash or a remake removes the file, and then Python could not import it
    and Django could not load any migration. So the command is refused, and nothing has been changed.

    Move the code that both use into a module of its own, outside of `migrations` or with a name that begins with `_`.
    Import it from there in both migrations. Then run the command again: the squash imports it in the same way.
    """
    return Texts(
        f"{file}:{line} imports {other}, and the file of that migration would be removed.",
        f"Django could not load {migration} any more.",
        f"Move what it takes from {other.name} to a module of its own, outside of `migrations`, and import it from "
        "there in both files. Then run the command again.",
    )
