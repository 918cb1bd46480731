"""About an app that gets another label."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.words import count, text_list


@entry("table-stays", Severity.INFO)
def table_stays(*, app: str, model: str, table: str) -> Texts:
    """A model keeps its table, which is named after the old label.

    Django makes the name of a table from the label of the app and the name of the model, unless the model sets
    `db_table`. With the new label, Django would look for a table of another name. `migsync rename-app` does not rename
    tables: it writes `db_table` into the migrations.

    Add the `db_table` that the message shows to the model's `class Meta`, before you run `makemigrations`. Otherwise
    `makemigrations` writes a migration that renames the table.
    """
    return Texts(
        f"{app}.{model} keeps the table {table}, which is named after the old label.",
        "Its migrations now set db_table, and the model must set it too.",
        f'Add to class Meta of {model}: db_table = "{table}"',
    )


@entry("derived-names", Severity.WARNING)
def derived_names(*, app: str, file: str, line: int, table: str) -> Texts:
    """A migration renames a model, and its table is now renamed by a separate operation.

    The tables of the app keep names with the old label, so the migrations set `db_table`. RenameModel does not rename a
    table that is set in this way, so an AlterModelTable was added in front of it. In a new database, indexes and
    constraints with names made by Django are called after the first name of the table.

    Django looks up such indexes and constraints by their columns, not by name, so it is safe to go on. Look at it only
    if your own SQL uses the name of such an index or constraint.
    """
    return Texts(
        f"{file}:{line} renames a model. A separate operation now renames its table, to {table}.",
        "In a new database, indexes and constraints with names made by Django are called after the first name of the "
        "table. Django does not depend on these names.",
    )


@entry("label-not-changed", Severity.ERROR)
def label_not_changed(*, app: str, new: str, directory: str, file: str) -> Texts:
    """The code of the project still uses the old label of the app.

    `migsync rename-app` updates the migrations, and the records of the databases, for a label that the code already
    has. It does not change models, settings or other code.

    - Set the new label in the AppConfig.
    - Add `db_table` to the models that the other messages name.
    - Change all other code that uses the label.
    - Run the command again.

    Do not run `migrate` or `makemigrations` in between. Django cannot load the migrations until their files have the
    new label too.
    """
    return Texts(
        f"The app in {directory} still has the label {app}.",
        "migsync changes the migrations and the records. Models, settings and other code are yours to change.",
        f'Change the code first: label = "{new}" in the AppConfig in {file} (or rename the package)\n'
        "Add db_table to the models that are listed, and change the other places that are listed.\n"
        "Then run this command again.",
    )


@entry("tables-behind", Severity.WARNING)
def tables_behind(*, app: str, other: str, tables: Sequence[str], statements: Sequence[str]) -> Texts:
    """An app gets another label in this database, and its tables still have the old label in their names.

    The migrations and the models of today look for the tables under the new label. Where the label was changed by hand,
    the tables have to be renamed by hand in each database. migsync changes only records, and shows the SQL.

    Rename the tables when the new code is deployed. If the tables are to keep their names, set `db_table` in the models
    and in the migrations instead, as `migsync rename-app` does where the code alone has the new label.
    """
    return Texts(
        f"The label {other} of an app is {app} now, and its tables have the old one: {text_list(tables, 3)}.",
        "The models look for them under the new label. migsync renames no tables.",
        "\n".join(["Rename them:", *statements]),
    )


@entry("content-types-behind", Severity.WARNING)
def content_types_behind(
    *, app: str, other: str, types: int, permissions: int, there: int, statement: str, back: str
) -> Texts:
    """The content types of an app still have the old label in this database.

    Django keeps a row in `django_content_type` for each model, with the label of its app. Permissions and generic
    relations refer to it. `migrate` creates new content types for the new label, and new permissions. What users and
    groups were allowed refers to the old ones.

    migsync changes only records. Run the UPDATE of the message in each database, when the new code is deployed and
    before its first `migrate`. If `migrate` has created the new content types already, first see what refers to them,
    and delete them.
    """
    update = f"{statement}\nTo undo it: {back}"
    return Texts(
        f"The label {other} of an app is {app} now, and {count(types, 'content type')} of this database "
        f"{'has' if types == 1 else 'have'} the old one. {count(permissions, 'permission')} "
        f"{'refers' if permissions == 1 else 'refer'} to them.",
        f"`migrate` has created {count(there, 'content type')} with the new label already, and both cannot have the "
        "same label."
        if there
        else "`migrate` would create new ones, and permissions of users and groups would stay with the old ones.",
        f"See what refers to the new ones, and delete them. Then run: {update}"
        if there
        else f"Before the next migrate, run: {update}",
    )
