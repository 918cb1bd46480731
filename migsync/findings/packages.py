"""About rewrites of installed packages' apps."""

from __future__ import annotations

from migsync.findings.commands import migsync
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key


@entry("foreign-rewrite", Severity.WARNING)
def foreign_rewrite(*, app: str, package: str, file: str) -> Texts:
    """A package ships a rewrite about an app that is not in the package.

    A package may say what became of the names of its own apps, wherever it is installed. It may not speak of the apps
    of others. migsync reads the app's package from INSTALLED_APPS, and not from its label: a project that has its own
    copy of a package's app, as a fork has, has an app of its own, for which the package does not speak.

    migsync ignores the whole rewrite. If the app is your copy, write a rewrite of your own for what you changed in it.
    If it is not, tell the authors of the package.
    """
    return Texts(
        f"The package {package} ships a rewrite of {app}, which is not an app of this package.",
        "migsync ignores this rewrite: a package speaks for its own apps only.",
        f"If {app} is your own copy of the package's app, and its names have changed: "
        f"migsync rewrite --map {app}.OLD=NEW",
    )


@entry("package-rewrite-differs", Severity.ERROR)
def package_rewrite_differs(*, app: str, name: str, package: str, rewrite: str, shipped: str, file: str) -> Texts:
    """A rewrite of the project and one that a package ships both say what became of a migration, and differ.

    The project has a rewrite that was made with `--third-party`, from before the package shipped one of its own. Where
    both say the same, one of them counts. Here they do not, and the result would depend on which comes first.

    The package knows best what it changed. Delete the rewrite of the project. Databases that have applied it are taken
    back first: `migsync undo` lists their runs.
    """
    return Texts(
        f"{rewrite} and {shipped}, which the package {package} ships, both change {app}.{name}, and they differ.",
        "The project's rewrite was made without knowledge of the package's, and the result would depend on which comes "
        "first.",
        f"If no database has applied it (`migsync log`), delete the project's rewrite: {file}\n"
        "If one has, take that back first: migsync undo",
    )


@entry("package-name-changed", Severity.WARNING)
def package_name_changed(*, migration: Key, other: Key, row: int | None) -> Texts:
    """A package seems to have renamed a migration that this database has applied.

    The record has no file in the installed version of the package. A file that is not recorded has its number, or its
    name after the number. If it is the same migration, `migrate` would run it again, and would stop at the first table
    or column that exists already.

    migsync cannot compare the two: only the new version of the package is installed. Compare the versions yourself. If
    it is the same migration, write a rewrite with the command in the message. If the new file is another migration,
    ignore this warning: it goes when `migrate` has run.
    """
    return Texts(
        f"{other} is recorded, and the installed package has no such file. It has {migration}, which is not recorded.",
        "If the package renamed the file, `migrate` would run it a second time.",
        "If it is the same migration: "
        f"{migsync('rewrite', '--third-party', '--map', f'{other.app}.{other.name}={migration.name}')}",
    )
