"""About the command line, the project, and its files as they are read."""

from __future__ import annotations

from migsync.errors.base import ExitStatus, MigsyncError


class UsageError(MigsyncError):
    """The command line is wrong.

    An option, an argument or a combination of them does not fit the command. Nothing was read or changed. The message
    names what was given; ``migsync COMMAND --help`` lists what is possible.
    """

    code = "usage"
    exit_status = ExitStatus.USAGE


class ProjectError(MigsyncError):
    """No project was found, or it cannot be used.

    migsync looks for ``manage.py`` or a ``[tool.migsync]`` table in this directory and its parents, and takes the
    settings module from there. Give ``--root`` and ``--settings`` where the project is laid out in another way.
    """

    code = "project"
    default_hint = "Run migsync in a Django project (where manage.py is), or give --root and --settings."


class SettingsError(ProjectError):
    """The settings module cannot be imported.

    migsync imports the settings to learn the databases and the apps. The message holds Python's own error: usually a
    missing package or environment variable. Fix it, or name the databases and apps in pyproject.toml, or give
    ``--url``.
    """

    code = "settings"
    default_hint = "Fix the settings, or work without them: [tool.migsync.databases.NAME] in pyproject.toml, or --url."


class HistoryError(MigsyncError):
    """A migration file cannot be read.

    Django could not load the file either, or it builds its migration in a way that cannot be read without running it.
    The message names the file and, where there is one, the line.
    """

    code = "history"


class RewriteError(MigsyncError):
    """A rewrite file, or the set of them, is not valid.

    Rewrites are the committed files in ``migration_rewrites/``. One of them was edited, damaged or taken away, or two
    of them contradict each other. migsync changes no database until the set is sound again: restore the files from git.
    """

    code = "rewrite"
