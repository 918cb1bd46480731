"""About the command line, the project, and its files as they are read."""

from __future__ import annotations

from migsync.errors.base import ExitStatus, MigsyncError


class UsageError(MigsyncError):
    """The command line is wrong.

    An option, an argument or a combination of them does not fit the command or the project. Nothing was changed. The
    message names what was given; ``migsync COMMAND --help`` lists what is possible.
    """

    code = "usage"
    exit_status = ExitStatus.USAGE


class ProjectError(MigsyncError):
    """No project was found, or it cannot be used.

    migsync looks for ``manage.py`` or a ``[tool.migsync]`` table in the current directory and its parents, and takes
    the settings module from there. If your project is laid out differently, give ``--root`` and ``--settings``. A
    mistake in pyproject.toml is reported with the file and the key.
    """

    code = "project"
    default_hint = "Run migsync in a Django project (where manage.py is), or give --root and --settings."


class SettingsError(ProjectError):
    """The settings module cannot be imported.

    migsync imports the settings to learn the databases and the apps. The message contains Python's own error: usually a
    missing package or environment variable. Fix it, or work without the settings: give the databases in
    ``[tool.migsync.databases]`` in pyproject.toml, or one of them with ``--url``.
    """

    code = "settings"
    default_hint = (
        "Fix the settings, or work without them: give [tool.migsync.databases.NAME] in pyproject.toml, or --url URL."
    )


class HistoryError(MigsyncError):
    """A migration file cannot be read.

    It is not valid Python, is not a migration, or cannot be opened, so that Django could not load it either; or a
    command would have to change it and cannot. The message names the file and, if it is known, the line. Fix the file
    and run the command again.
    """

    code = "history"


class RewriteError(MigsyncError):
    """A rewrite file, or the set of them, is not valid.

    Rewrites are the committed files in ``migration_rewrites/``. One of them was edited, damaged or deleted, or is from
    another version of migsync. migsync changes no database until they are valid again: restore the files from git.
    """

    code = "rewrite"


class AgainstEvidence(MigsyncError):
    """Evidence proves something else than what was stated.

    You stated with ``--map``, ``--collapse`` or ``--remove`` what became of a migration. But git, a journal, a rewrite,
    or what ``migrate`` ran in a database shows that something else became of it. If migsync followed the statement,
    Django would take a migration for applied that never ran, or run one a second time. Nothing was changed.

    The message contains the proof, and mostly the statement that fits it. If you know that the evidence is wrong, add
    ``--against-evidence``.
    """

    code = "against-evidence"
