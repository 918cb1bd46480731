"""About an app that gets another label."""

from __future__ import annotations

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity


@entry("table-stays", Severity.INFO)
def table_stays(*, app: str, model: str, table: str) -> Texts:
    """A model keeps its table, whose name is made of the old label.

    Django makes the name of a table from the label of the app and the name of the model, unless the model states it.
    With the new label, Django would look for another table. The migrations state the name of the table from now on.

    Add the `db_table` that the message shows to the model's `class Meta`, before you run `makemigrations` or
    `migrate`. Otherwise `makemigrations` finds a difference and makes a migration that renames the table.
    """
    return Texts(
        f"{app}.{model} keeps the table {table}, whose name is from the old label.",
        "Its migrations state that from now on, and the model must too.",
        f'In class Meta of {model}: db_table = "{table}"',
    )


@entry("derived-names", Severity.WARNING)
def derived_names(*, app: str, file: str, line: int, table: str) -> Texts:
    """A migration renames a model, and its table is renamed by an operation of its own now.

    The tables of the app keep names with the old label, so the files state them, and RenameModel no longer renames the
    table. An AlterModelTable was added that does. On a new database, indexes and constraints keep the names that Django
    made for the first name of the table.

    Django finds indexes and constraints by what they are, so it is safe to go on. Look at it only if SQL of your own
    names such an index or constraint.
    """
    return Texts(
        f"{file}:{line} renames a model, and with it the table; that is an operation of its own now, to {table}.",
        "On a database made from scratch, indexes and constraints that Django names by itself keep the names that "
        "they got with the first table. Django finds them by what they are, and does not mind.",
    )


@entry("label-not-changed", Severity.ERROR)
def label_not_changed(*, app: str, new: str, directory: str, file: str) -> Texts:
    """The code of the project still has the old label of the app.

    `migsync rename-app` changes the migrations and the records of the databases to fit a label that the code has. It
    does not change models, settings, or other code.

    Set the new label in the AppConfig, add `db_table` to the models that the other messages name, and change what else
    names the label. Then run the command again. Do not run `migrate` or `makemigrations` in between: Django cannot load
    the migrations until their files have the new label too.
    """
    return Texts(
        f"The app in {directory} still has the label {app}.",
        "Models, settings and everything else that names the label are your code; migsync changes the migrations and "
        "the records to fit it.",
        f'Change the code first: label = "{new}" in the AppConfig in {file} (or the package\'s name), '
        "db_table where it is said below, and what names the label. Then run this command again.",
    )
