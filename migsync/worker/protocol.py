"""What crosses the boundary between migsync's own process and a worker: a request and a result for each task.

Both processes import this module, so it imports nothing of Django's. The values are named tuples because a worker must
start fast: a frozen dataclass takes eight times as long to define. The tasks themselves, and what is answered where
one fails, are in :mod:`migsync.worker.task`; how the values are written, in :mod:`migsync.worker.codec`.

The `labels` of a request are apps that bear another label in that worker than in the project's code: the code's
label to the other one. With them the code is one step ahead of the files.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from migsync.key import Key
from migsync.worker.clash import Clash

if TYPE_CHECKING:
    from migsync.findings import Finding  # a worker writes findings and reads none: codec.py imports the class

# examination: what Django makes of the migration files


class ExaminationRequest(NamedTuple):
    """`names` say how migrations are called in the result (``app.name`` to ``app.name``).

    `targets` are the keys that are recorded in each database of which the plan is wanted. With `labels`, what
    `makemigrations` would find need not be known.
    """

    names: Mapping[str, str]
    targets: tuple[tuple[Key, ...], ...]
    labels: Mapping[str, str] = {}


class RenderedModel(NamedTuple):
    """One model of a project state, its parts as text that can be compared; `fields` and `managers` in order."""

    name: str
    fields: Mapping[str, str]
    options: Mapping[str, str]
    bases: str
    managers: Mapping[str, str]


class ModelChange(NamedTuple):
    """An operation that ``makemigrations`` would write for an app: in words, and in full."""

    app: str
    words: str
    full: str


class TargetPlan(NamedTuple):
    """What ``migrate --plan`` would say to a database; with an `error` it says nothing else.

    `about` is the migration that the error is about, where that is known. `conflicts` are, by app, several leaves.
    `edges` are pairs of (migration, its dependency), both `pending`.
    """

    error: str = ""
    about: Key | None = None
    conflicts: Mapping[str, tuple[str, ...]] = {}
    pending: tuple[Key, ...] = ()
    edges: tuple[tuple[Key, Key], ...] = ()


RenderedState = Mapping[str, Mapping[str, RenderedModel]]
"""App label -> model's name in lower case -> the model."""


class ExaminationResult(NamedTuple):
    """`migrations` is their number, `leaves` the names by app, `models` the state, `targets` as they were asked for.

    `clashes` are the operations that cannot run when all migrations run one after the other.
    """

    migrations: int
    leaves: Mapping[str, tuple[str, ...]]
    models: RenderedState
    changes: tuple[ModelChange, ...]
    targets: tuple[TargetPlan, ...]
    clashes: tuple[Clash, ...] = ()


# rehearsal: what Django records while it migrates, without running anything


class RehearsalRequest(NamedTuple):
    """The way of a fresh database is wanted, and of one that is older than the squashes of `apps`.

    That is, than those squashes of which all replaced migrations are still on disk.
    """

    apps: tuple[str, ...]
    labels: Mapping[str, str] = {}


class RehearsedWay(NamedTuple):
    """The way of one database: each migration in order, with the keys that are recorded once it has run.

    `hidden` are squashes that were not there yet.
    """

    hidden: tuple[Key, ...]
    steps: tuple[tuple[Key, tuple[Key, ...]], ...]


class RehearsalResult(NamedTuple):
    """The way of a fresh database; and, where a squash stands beside all that it replaces, of one from before it.

    The second goes no further than what the squashes replace: what comes later is as on the first.
    """

    ways: tuple[RehearsedWay, ...]


# trace: `migrate` on a scratch database


class TraceRequest(NamedTuple):
    """Run every migration that the routers allow for `alias` on the scratch database `name`.

    `directory` takes the files that migrations write. `foreign`: the scratch database is one of SQLite, whatever
    the alias's engine is. `stations` are, of each station, the keys that are recorded there and were not at the one
    before. `hidden` are squashes that do not count; None: those that the stations leave no room for. `whole`: go on
    from the last station to the end. `anew` are apps in which an operation that fails is passed over, so that all of
    those are reported at once, unless it is one that the models show.
    """

    alias: str
    name: str
    directory: str
    foreign: bool = False
    stations: tuple[tuple[Key, ...], ...] = ()
    hidden: tuple[Key, ...] | None = None
    whole: bool = True
    anew: tuple[str, ...] = ()
    labels: Mapping[str, str] = {}


CatalogChange = tuple[str, str, str, str | None]
"""A part of the catalog (kind, table, name) and its definition now; None where it went."""


class TraceResult(NamedTuple):
    """For each station what changed in the catalog since the one before; and the squashes that did not count."""

    catalogs: tuple[tuple[CatalogChange, ...], ...]
    hidden: tuple[Key, ...]


# squash: ranges of migrations, each composed into one file


class SquashSpec(NamedTuple):
    """A range of migrations of one app, in the graph's order, and what is to be made of them.

    `name` is the new migration's, `heading` the comment at the top of its file (lines without ``#``). Without
    `optimize`, the operations stay as they are, elidable ones included. `keep_replaces`: Django's way in two phases.
    `kept` are names of the range whose elidable operations stay in any case.
    """

    app: str
    names: tuple[str, ...]
    name: str
    optimize: bool = True
    keep_replaces: bool = False
    heading: str = ""
    kept: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """The new migration's key."""
        return Key(self.app, self.name)

    @property
    def keys(self) -> tuple[Key, ...]:
        """The keys of the range."""
        return tuple(Key(self.app, name) for name in self.names)


class SquashRequest(NamedTuple):
    """The ranges to squash; `stands` are pairs of a key and the keys that a dependency on it is to name instead.

    What the ranges themselves bring about need not be among them: see `named_instead`.
    """

    ranges: tuple[SquashSpec, ...]
    stands: tuple[tuple[Key, tuple[Key, ...]], ...] = ()

    @property
    def named_instead(self) -> dict[Key, tuple[Key, ...]]:
        """What a migration that depends on an old key depends on from now on.

        Where the old files stay, the old names do too: Django itself reads them as the squash.
        """
        squashed = {key: (each.key,) for each in self.ranges if not each.keep_replaces for key in each.keys}
        return {**squashed, **dict(self.stands)}


class SquashedRange(NamedTuple):
    """One squash: the `text` of its file, and how many operations there were `before` and are `after`.

    `elided`: (key of a migration, one of its elidable operations in words) for each that the optimizer left out;
    `kept` the same for each that it would have. `notes` say what was carried and how; with an error among them there
    is no text.
    """

    text: str
    before: int
    after: int
    elided: tuple[tuple[Key, str], ...] = ()
    kept: tuple[tuple[Key, str], ...] = ()
    notes: tuple["Finding", ...] = ()

    @property
    def blocked(self) -> bool:
        """True when there is no text."""
        return any(note.blocks for note in self.notes)


class SquashResult(NamedTuple):
    """A squash for each range, in the same order."""

    squashes: tuple[SquashedRange, ...]


# remake: the migrations of apps made from scratch


class Disposition(StrEnum):
    """What becomes of an operation that the models do not show.

    It stands `FIRST` in the app's first file or is `CARRIED` into a further one; or it is left out, for its result is
    `SHOWN` by the models, it is `ELIDABLE`, does `NOTHING`, or was `DROPPED` by name. `STUCK` can neither be carried
    nor is it known to be needless.
    """

    FIRST = "first"
    CARRIED = "carried"
    SHOWN = "shown"
    ELIDABLE = "elidable"
    NOTHING = "nothing"
    DROPPED = "dropped"
    STUCK = "stuck"


class RemakeRequest(NamedTuple):
    """The apps to be made anew, and what their new migrations may be called.

    `word` is in every new name; `taken` are, by app, the names that are not free. `drop` are migrations whose
    operations need not be carried over. `replaces`: every old migration is to be replaced by one of the new ones.
    `empty`: an app of which nothing would be left gets a migration without operations.
    """

    apps: tuple[str, ...]
    word: str
    taken: Mapping[str, tuple[str, ...]]
    drop: tuple[Key, ...] = ()
    replaces: bool = False
    empty: bool = False


class Carried(NamedTuple):
    """One operation that the models do not show, of the migration `origin` in `file`, and what it is `called`.

    `disposition` is what became of it, `into` the new migration that has it now, if one has.
    """

    origin: Key
    file: str
    called: str
    disposition: Disposition
    into: Key | None = None


class RemadeFile(NamedTuple):
    """A new migration and its text; `further` if it holds nothing but operations that were carried over.

    `origins` are the number (from 1) of each operation that was carried over, with the old migration that had it.
    """

    key: Key
    text: str
    further: bool
    origins: tuple[tuple[int, Key], ...]
    notes: tuple["Finding", ...]


class RemakeResult(NamedTuple):
    """What Django made of the apps: `made` are the new migrations in order, without text where something is stuck.

    `pending` are the changes, (app, in words), that have no migration yet; then there is nothing else. `crossed` are
    apps whose old migrations cannot be shared out among the new; `empty` those whose new migration has no operations.
    """

    made: tuple[RemadeFile, ...] = ()
    pending: tuple[tuple[str, str], ...] = ()
    carried: tuple[Carried, ...] = ()
    crossed: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()

    @property
    def files(self) -> Mapping[Key, str]:
        """The text of each new migration."""
        return {each.key: each.text for each in self.made}

    @property
    def notes(self) -> "tuple[Finding, ...]":
        """What the making of the texts has to say."""
        return tuple(note for each in self.made for note in each.notes)


# registry and model settings: what only a started Django knows


class RegistryRequest(NamedTuple):
    """All installed apps are wanted."""


class RegisteredApp(NamedTuple):
    """What Django's registry says of one app. `directory` is that of its migrations, None without any."""

    label: str
    name: str
    directory: str | None


class RegistryResult(NamedTuple):
    """The apps, in the order of INSTALLED_APPS."""

    apps: tuple[RegisteredApp, ...]


class ModelSettingsRequest(NamedTuple):
    """The settings `names` are wanted."""

    names: tuple[str, ...]


class ModelSettingsResult(NamedTuple):
    """Those of the settings that are texts."""

    values: Mapping[str, str]
