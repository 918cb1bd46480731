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
