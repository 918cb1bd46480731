"""Plans built by hand, one for each kind of change. All are run on real engines; a few are shown in sql/."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from migsync.rewrites.record import Record, fingerprints
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.sync.plan import Change, Plan, TargetRef

ENGINES = ("postgresql", "mysql", "sqlite")


@dataclass(frozen=True)
class Case:
    """Rows of one app as (id, name), and what becomes of them.

    `renamed` maps an id to a new name, `removed` are ids, `inserted` pairs a new name with the id of the row whose
    `applied` it gets.
    """

    name: str
    rows: tuple[tuple[int, str], ...]
    renamed: dict[int, str]
    removed: tuple[int, ...] = ()
    inserted: tuple[tuple[str, int], ...] = ()

    def records(self, engine: str) -> list[Record]:
        return [Record(id_, "shop", name, applied(engine, id_)) for id_, name in self.rows]

    def plan(self, engine: str, identity: str = "the identity that the server gave", schema: str = "") -> Plan:
        before = {record.id: record for record in self.records(engine)}
        cause = f"20261120T104500_{self.name}.toml"
        changes = [Change(before[id_], before[id_]._replace(name=name), cause) for id_, name in self.renamed.items()]
        changes += [Change(before[id_], None, cause) for id_ in self.removed]
        changes += [Change(None, before[id_]._replace(id=None, name=name), cause) for name, id_ in self.inserted]
        after = {record.id: record for record in before.values()}
        after |= {change.before.id: change.after for change in changes if change.before}  # type: ignore[misc]
        left = [record for record in after.values() if record] + [c.after for c in changes if c.after and not c.before]
        return Plan(
            TargetRef("default", engine, identity, schema),
            tuple(changes),
            fingerprints(before.values(), ["shop"]),
            fingerprints(left, ["shop"]),
            passed=(self.rewrite([record.name for record in sorted(left, key=lambda record: record.name)]),),
            digests={f"shop.{record.name}": "0" * 64 for record in left},
        )

    def rewrite(self, after: Sequence[str]) -> Rewrite:
        names = dict(self.rows)
        inserted = tuple((names[id_], new) for new, id_ in self.inserted)
        return Rewrite(
            parents=(),
            command=f"rewrite {self.name}",
            created="2026-11-20T10:45:00Z",
            apps={
                "shop": AppRewrite(
                    before=tuple(names.values()),
                    after=tuple(after),
                    removed=tuple(names[id_] for id_ in self.removed),
                    renamed=tuple((names[id_], new) for id_, new in self.renamed.items()),
                    collapsed=tuple(((old,), (new,)) for old, new in inserted),
                )
            },
            path=f"migration_rewrites/20261120T104500_{self.name}.toml",
        )


def applied(engine: str, day: int) -> str:
    """The server's text of a timestamp; every third has no fraction, which only MySQL writes then."""
    fraction = ".123456" if day % 3 else ".000000" if engine == "mysql" else ""
    return f"2025-03-{day:02} 09:30:00{fraction}" + ("+00" if engine == "postgresql" else "")


CHAIN = Case(
    "chain",
    ((1, "0001_initial"), (2, "0003_alter_item_price"), (3, "0004_alter_item_price")),
    {2: "0002_alter_item_price", 3: "0003_alter_item_price"},
)
SHIFT = Case(
    "shift",
    ((1, "0001_initial"), (2, "0002_aaa"), (3, "0002_alter_x"), (4, "0003_alter_x"), (5, "0004_merge")),
    {3: "0003_alter_x", 4: "0004_alter_x"},
    removed=(5,),
)
SWAP = Case("swap", ((1, "0001_initial"), (2, "0003_x"), (3, "0002_x")), {2: "0002_x", 3: "0003_x"})
COLLAPSE = Case(
    "collapse",
    ((1, "0001_initial"), (2, "0002_add_a"), (3, "0003_add_b"), (4, "0004_add_c")),
    {4: "0002_squashed_0004_add_c"},
    removed=(2, 3),
)
REMOVAL = Case("removal", ((1, "0001_initial"), (2, "0002_a"), (3, "0002_b"), (4, "0003_merge")), {}, removed=(4,))
REMAKE = Case(
    "remake",
    ((1, "0001_initial"), (2, "0002_everything")),
    {2: "0003_stock"},
    inserted=(("0002_prices", 2),),
)
# A new row takes over the name and the timestamp of a row that is renamed.
REUSE = Case(
    "reuse",
    ((1, "0001_initial"), (2, "0002_everything")),
    {2: "0003_rest"},
    inserted=(("0002_everything", 2), ("0004_more", 2)),
)
# Only new rows.
ADDITION = Case("addition", ((1, "0001_initial"),), {}, inserted=(("0002_second", 1),))
CASES = (CHAIN, SHIFT, SWAP, COLLAPSE, REMOVAL, REMAKE, REUSE, ADDITION)
SHOWN = (CHAIN, COLLAPSE, REMAKE)
"""Those whose scripts are kept in sql/: together they hold every kind of statement."""
