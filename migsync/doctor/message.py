"""An error message of Django or of a database driver, read: which one it is, and what it is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from migsync.key import Key


class MessageKind(StrEnum):
    """What a message says, whoever printed it."""

    TABLE_EXISTS = "table exists"
    TABLE_MISSING = "table missing"
    COLUMN_EXISTS = "column exists"
    COLUMN_MISSING = "column missing"
    INDEX_EXISTS = "index exists"
    INDEX_MISSING = "index missing"
    INCONSISTENT_HISTORY = "inconsistent history"
    MISSING_PARENT = "missing parent"
    CONFLICT = "conflict"
    CYCLE = "cycle"
    UNREADABLE = "unreadable"
    SEQUENCE = "sequence"
    DUPLICATE_VALUES = "duplicate values"
    NULL_VALUES = "null values"
    PENDING_TRIGGERS = "pending triggers"
    IRREVERSIBLE = "irreversible"
    MODEL_UNKNOWN = "model unknown"
    FIELD_UNKNOWN = "field unknown"
    LAZY_REFERENCE = "lazy reference"
    NOT_PERMITTED = "not permitted"
    NO_SCHEMA = "no schema"
    LOCKED = "locked"
    READ_ONLY = "read only"
    FOREIGN_KEY = "foreign key"
    CONSTRAINT_COUNT = "constraint count"
    CURSOR = "cursor"
    UNAPPLIED = "unapplied"
    MIGRATION_UNKNOWN = "migration unknown"
    APP_UNKNOWN = "app unknown"
    TOO_LARGE = "too large"
    TYPE_CHANGE = "type change"
    DEPENDED_ON = "depended on"
    VALUE_TOO_LONG = "value too long"
    NO_EXTENSION = "no extension"
    ROW_WITHOUT_PARENT = "row without parent"
    NOT_CONNECTED = "not connected"
    CODE_GONE = "code gone"


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `text` is the line that says it.

    `migration` is the one that it names, or else the one that ran when it was printed, as far as the text tells;
    `other` is a second one that it names. `table`, `column` and `index` are as the database calls them, without their
    schema. `alias` is the database that Django names. `sought` is another name: the label of an app, a model
    as ``app.model``, or what a file tries to import.
    """

    kind: MessageKind
    text: str
    migration: Key | None = None
    other: Key | None = None
    table: str = ""
    column: str = ""
    index: str = ""
    alias: str = ""
    sought: str = ""


_K = MessageKind
_PATTERNS: Final[tuple[tuple[MessageKind, str], ...]] = (
    # PostgreSQL calls tables and indexes relations; which of them is meant, the files tell.
    (_K.TABLE_EXISTS, r'relation "(?P<table>[^"]+)" already exists'),
    (_K.TABLE_EXISTS, r"table [\"`]?(?:new__)?(?P<table>[\w.$-]+)[\"`]? already exists"),
    (_K.TABLE_EXISTS, r"1050, [\"']Table '(?P<table>[^']+)' already exists"),
    (_K.TABLE_MISSING, r'relation "(?P<table>[^"]+)" does not exist'),
    (_K.TABLE_MISSING, r'(?<!relation )table "(?P<table>[^"]+)" does not exist'),
    (_K.TABLE_MISSING, r"no such table: (?:new__)?(?P<table>[\w.$-]+)"),
    (_K.TABLE_MISSING, r"1146, [\"']Table '(?P<table>[^']+)' doesn't exist"),
    (_K.TABLE_MISSING, r"1051, [\"']Unknown table '(?P<table>[^']+)'"),
    (_K.COLUMN_EXISTS, r'column "(?P<column>[^"]+)" of relation "(?P<table>[^"]+)" already exists'),
    (_K.COLUMN_EXISTS, r"duplicate column name: (?P<column>[\w$-]+)"),
    (_K.COLUMN_EXISTS, r"1060, [\"']Duplicate column name '(?P<column>[^']+)'"),
    (_K.COLUMN_MISSING, r'column "(?P<column>[^"]+)" of relation "(?P<table>[^"]+)" does not exist'),
    (_K.COLUMN_MISSING, r"column (?P<table>\w+)\.(?P<column>\w+) does not exist"),
    (_K.COLUMN_MISSING, r'column "(?P<column>[^"]+)" does not exist'),
    (_K.COLUMN_MISSING, r"table (?P<table>\w+) has no column named (?P<column>\w+)"),
    (_K.COLUMN_MISSING, r"no such column: (?:\"?(?P<table>\w+)\"?\.)?\"?(?P<column>\w+)"),
    (_K.COLUMN_MISSING, r"1054, [\"']Unknown column '(?:(?P<table>[\w$]+)\.)?(?P<column>[^'.]+)'"),
    (_K.INDEX_EXISTS, r"index [\"`]?(?P<index>[\w$-]+)[\"`]? already exists"),
    (_K.INDEX_EXISTS, r"there is already an index named (?P<index>[\w$-]+)"),
    (_K.INDEX_EXISTS, r"1061, [\"']Duplicate key name '(?P<index>[^']+)'"),
    (_K.INDEX_MISSING, r'(?:index|constraint) "(?P<index>[^"]+)"(?: of relation "(?P<table>[^"]+)")? does not exist'),
    (_K.INDEX_MISSING, r"no such index: (?P<index>[\w$-]+)"),
    (_K.COLUMN_MISSING, r"1091, [\"']Can't DROP COLUMN `(?P<column>[^`]+)`"),
    (_K.INDEX_MISSING, r"1091, [\"']Can't DROP (?!COLUMN )(?:[\w ]+ )?[`'](?P<index>[^`']+)[`']"),
    (
        _K.INCONSISTENT_HISTORY,
        r"Migration (?P<app>\w+)\.(?P<name>\w+) is applied before its dependency (?P<other>\w+\.\w+) "
        r"on database '(?P<alias>[^']+)'",
    ),
    (
        _K.MISSING_PARENT,
        r"Migration (?P<app>\w+)\.(?P<name>\w+) dependencies reference nonexistent parent node "
        r"\('(?P<other_app>\w+)', '(?P<other_name>\w+)'\)",
    ),
    (_K.CONFLICT, r"Conflicting migrations detected"),
    (_K.CYCLE, r"CircularDependencyError: (?P<other>\w+\.\w+)"),
    (_K.UNREADABLE, r"Migration (?P<name>\w+) in app (?P<app>\w+) has no Migration class"),
    (_K.SEQUENCE, r'unique constraint "django_migrations_pkey"'),
    (_K.DUPLICATE_VALUES, r'could not create unique index "(?P<index>[^"]+)"'),
    (_K.DUPLICATE_VALUES, r"1062, [\"']Duplicate entry"),
    (_K.DUPLICATE_VALUES, r"UNIQUE constraint failed: (?:new__)?(?P<table>\w+)\.(?P<column>\w+)"),
    (_K.NULL_VALUES, r'column "(?P<column>[^"]+)" of relation "(?P<table>[^"]+)" contains null values'),
    (_K.NULL_VALUES, r"NOT NULL constraint failed: (?:new__)?(?P<table>\w+)\.(?P<column>\w+)"),
    (_K.NULL_VALUES, r"1138, [\"']Invalid use of NULL value"),
    (_K.NULL_VALUES, r"1265, [\"']Data truncated for column '(?P<column>[^']+)'"),
    (_K.PENDING_TRIGGERS, r'cannot ALTER TABLE "(?P<table>[^"]+)" because it has pending trigger events'),
    (_K.IRREVERSIBLE, r"Operation <.*> in (?P<app>\w+)\.(?P<name>\w+) is not reversible"),
    (_K.LAZY_REFERENCE, r"was declared with a lazy reference to '(?P<model>[\w.]+)', but app"),
    (_K.MODEL_UNKNOWN, r"KeyError: \('(?P<app_of>\w+)', '(?P<model>\w+)'\)"),
    (_K.MODEL_UNKNOWN, r"LookupError: App '(?P<app_of>\w+)' doesn't have a '(?P<model>\w+)' model"),
    (_K.FIELD_UNKNOWN, r"FieldDoesNotExist: [\w.]+ has no field named '(?P<column>\w+)'"),
    (_K.NO_SCHEMA, r"no schema has been selected to create in"),
    (_K.NO_SCHEMA, r"permission denied for schema \w+"),
    (_K.NOT_PERMITTED, r"permission denied for (?:table|relation|sequence|view) \"?(?P<table>\w+)"),
    (_K.NOT_PERMITTED, r"must be owner of (?:table|relation|view) \"?(?P<table>\w+)"),
    (
        _K.NOT_PERMITTED,
        r"1142, [\"']\w+(?:, \w+)* command denied to user .* for table [`'](?:\w+`\.`)?(?P<table>\w+)",
    ),
    (_K.LOCKED, r"canceling statement due to lock timeout|deadlock detected|database (?:table )?is locked"),
    (_K.LOCKED, r"(?:1205|1213), [\"'](?:Lock wait timeout exceeded|Deadlock found)"),
    (_K.READ_ONLY, r"attempt to write a readonly database|in a read-only transaction|(?:1290|1792), "),
    (_K.FOREIGN_KEY, r"there is no unique constraint matching given keys for referenced table \"(?P<table>[^\"]+)\""),
    (_K.FOREIGN_KEY, r"foreign key constraint \"[^\"]+\" cannot be implemented"),
    (_K.FOREIGN_KEY, r"1005, .*Foreign key constraint is incorrectly formed|(?:1215|3780), [\"']"),
    (_K.CONSTRAINT_COUNT, r"Found wrong number \(\d+\) of .*(?:constraints|indexes) for (?P<table>\w+)"),
    (_K.TABLE_EXISTS, r"there is already another table or index with this name: (?P<table>[\w.$-]+)"),
    (_K.COLUMN_MISSING, r"1072, [\"']Key column '(?P<column>[^']+)' doesn't exist in table"),
    (_K.INDEX_EXISTS, r'constraint "(?P<index>[^"]+)" for relation "(?P<table>[^"]+)" already exists'),
    (_K.INDEX_EXISTS, r"1826, [\"']Duplicate (?:foreign key|CHECK) constraint name '(?P<index>[^']+)'"),
    (_K.MISSING_PARENT, r"NodeNotFoundError: Node \('(?P<other_app>\w+)', '(?P<other_name>\w+)'\) not a valid node"),
    (
        _K.MISSING_PARENT,
        r"Migration (?P<app>\w+)\.(?P<name>\w+) dependencies reference nonexistent child node "
        r"\('(?P<other_app>\w+)', '(?P<other_name>\w+)'\)",
    ),
    (
        _K.DUPLICATE_VALUES,
        r'duplicate key value violates unique constraint "(?!django_migrations_pkey")(?P<index>[^"]+)"',
    ),
    (_K.NULL_VALUES, r'null value in column "(?P<column>[^"]+)"(?: of relation "(?P<table>[^"]+)")? violates not-null'),
    (
        _K.PENDING_TRIGGERS,
        r'cannot (?:DROP TABLE|CREATE INDEX) "(?P<table>[^"]+)" because it has pending trigger events',
    ),
    (_K.LAZY_REFERENCE, r"Related model '(?P<model>[\w.]+)' cannot be resolved"),
    (_K.FIELD_UNKNOWN, r"django[/\\]db[/\\]migrations[/\\](?:[^\n]*\n){1,4}KeyError: u?'(?P<column>\w+)'"),
    (_K.NO_SCHEMA, r"Unable to create the django_migrations table"),
    (_K.LOCKED, r"canceling statement due to statement timeout|could not obtain lock on relation"),
    (_K.FOREIGN_KEY, r"(?:1025|1553|1822|1824|1825), [\"'].*(?:errno: 150|foreign key|referenced table)"),
    (_K.CURSOR, r'cursor "_django_curs_\w+" does not exist'),
    (_K.UNAPPLIED, r"You have \d+ unapplied migration\(?s?\)?|You have unapplied migrations"),
    (
        _K.MIGRATION_UNKNOWN,
        r"(?:Cannot find a migration matching|More than one migration matches) '(?P<name>[^']+)' "
        r"(?:from|in) app '(?P<app>\w+)'",
    ),
    (
        _K.MIGRATION_UNKNOWN,
        r"There (?:is no|is more than one) migration for '(?P<app>\w+)' with the prefix '(?P<name>[^']+)'",
    ),
    (_K.APP_UNKNOWN, r"No installed app with label '(?P<label>\w+)'"),
    (_K.APP_UNKNOWN, r"App '(?P<label>\w+)' does not have migrations"),
    (_K.APP_UNKNOWN, r"Dependency on (?:unknown app|app with no migrations): (?P<label>\w+)"),
    (_K.TOO_LARGE, r"(?:1118|1071|1709), [\"'](?:Row size|Specified key was|Index column size)"),
    (_K.TYPE_CHANGE, r'column "(?P<column>[^"]+)" cannot be cast automatically to type'),
    (_K.DEPENDED_ON, r"cannot drop table (?:\w+\.)?\"?(?P<table>\w+)\"? because other objects depend on it"),
    (
        _K.DEPENDED_ON,
        r"cannot drop column \"?(?P<column>\w+)\"? of table (?:\w+\.)?\"?(?P<table>\w+)\"? because other objects",
    ),
    (_K.DEPENDED_ON, r"cannot alter type of a column used by a view or rule"),
    (_K.VALUE_TOO_LONG, r"value too long for type character varying|1406, [\"']Data too long for column"),
    (
        _K.VALUE_TOO_LONG,
        r"1264, [\"']Out of range value for column|(?:integer|numeric field) out of range|numeric field overflow",
    ),
    (_K.NO_EXTENSION, r"has no default operator class for access method|could not open extension control file"),
    (_K.NO_EXTENSION, r"permission denied to create extension|operator class \"\w+\" does not exist for access method"),
    (_K.NO_EXTENSION, r'type "(?:citext|hstore|vector|geometry|geography|ltree)" does not exist'),
    (_K.ROW_WITHOUT_PARENT, r'insert or update on table "(?P<table>[^"]+)" violates foreign key constraint'),
    (_K.ROW_WITHOUT_PARENT, r"The row in table '(?P<table>\w+)' with primary key .* has an invalid foreign key"),
    (_K.ROW_WITHOUT_PARENT, r"1452, [\"']Cannot add or update a child row|FOREIGN KEY constraint failed"),
    (_K.NOT_CONNECTED, r"could not connect to server|connection to server (?:at|on) .* failed|Connection refused"),
    (_K.NOT_CONNECTED, r"password authentication failed for user|(?:1044|1045|1698), [\"']Access denied for user"),
    (_K.NOT_CONNECTED, r"(?:2002|2003|2013|2006), [\"']|1049, [\"']Unknown database|unable to open database file"),
    (_K.NOT_CONNECTED, r'FATAL:  ?(?:database|role) "[^"]+" does not exist|could not translate host name'),
    (_K.CODE_GONE, r"(?:ModuleNotFoundError: No module named|ImportError: cannot import name) '(?P<code>[\w.]+)'"),
    (
        _K.CODE_GONE,
        r"AttributeError: (?:partially initialized )?module '(?P<module>[\w.]+)' has no attribute '(?P<code>\w+)'",
    ),
)
_COMPILED: Final = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _PATTERNS)

# What `migrate` prints before it runs a migration, and a line of a traceback in the file of one.
_APPLYING: Final = re.compile(r"(?:Applying|Unapplying) (\w+)\.(\w+)\.\.\.(?! ?OK)")
_FRAME: Final = re.compile(r'File "[^"]*?(\w+)[/\\]migrations[/\\](\w+)\.py"')


def read_message(text: str) -> Message | None:
    """The message in `text`, which may be a whole traceback, or the output of `migrate`; None for none that is known.

    The last one counts: what Python prints last is what ended the command.
    """
    found = [(match.end(), -match.start(), kind, match) for kind, match in _matches(text)]
    if not found:
        return None
    _, _, kind, match = max(found, key=lambda each: each[:2])
    facts = {name: value for name, value in match.groupdict().items() if value}
    migration = Key(facts["app"], facts["name"]) if "app" in facts else _running(text[: match.start()])
    return Message(
        kind,
        _line(text, match.start()),
        migration,
        _other(facts),
        facts.get("table", "").rpartition(".")[2] or _table_of_model(facts),
        facts.get("column", ""),
        facts.get("index", ""),
        facts.get("alias", ""),
        ".".join(filter(None, (facts.get("module"), facts.get("code"))))
        or facts.get("label")
        or ".".join(filter(None, (facts.get("app_of"), facts.get("model")))),
    )


def _matches(text: str) -> Iterator[tuple[MessageKind, re.Match[str]]]:
    for kind, pattern in _COMPILED:
        yield from ((kind, match) for match in pattern.finditer(text))


def _other(facts: dict[str, str]) -> Key | None:
    if "other_app" in facts:
        return Key(facts["other_app"], facts["other_name"])
    app, _, name = facts.get("other", "").partition(".")
    return Key(app, name) if name else None


def _table_of_model(facts: dict[str, str]) -> str:
    """What Django calls the table of a model that a message names."""
    model = facts.get("model", "").lower()
    return f"{facts['app_of']}_{model}" if "app_of" in facts else model.replace(".", "_")


def _running(before: str) -> Key | None:
    """The migration that ran when the message was printed."""
    for pattern in (_APPLYING, _FRAME):
        if found := pattern.findall(before):
            return Key(*found[-1])
    return None


def _line(text: str, place: int) -> str:
    return text[text.rfind("\n", 0, place) + 1 :].partition("\n")[0].strip()
