"""About code and settings that name what is about to change."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key


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
            "migsync changes it only where Django certainly reads a label.",
            "Look at it, and change it by hand if it does.",
        )
    now = " and ".join(map(str, becomes))
    return Texts(
        f"{file}:{line} {'names' if certain else 'may mean'} {migration}, which "
        f"{'becomes ' + now if certain or becomes else 'goes'}.",
        "migsync changes what Django reads of migrations, and leaves other code alone.",
        f"Let it say {now} there." if becomes else "Take it out there.",
    )
