"""Write sql/ anew: ``python -m tests.sync.scripts.regenerate``."""

from __future__ import annotations

from pathlib import Path

from migsync.sync.scripts import apply_script, journal_script, undo_script
from tests.sync.scripts.cases import ENGINES, SHOWN

SQL = Path(__file__).parents[3] / "sql"


def references() -> dict[str, str]:
    """Every file of sql/ that migsync emits: path below sql/ -> text."""
    files = {}
    for engine in ENGINES:
        schema = "public" if engine == "postgresql" else ""
        files[f"{engine}/journal.sql"] = journal_script(engine, schema)
        for case in SHOWN:
            plan = case.plan(engine, schema=schema)
            files[f"{engine}/{case.name}.apply.sql"] = apply_script(plan, case.records(engine))
            files[f"{engine}/{case.name}.undo.sql"] = undo_script(plan)
    return files


def main() -> None:
    files = references()
    for old in SQL.glob("*/*.sql"):
        old.unlink()
    for path, text in files.items():
        (SQL / path).parent.mkdir(parents=True, exist_ok=True)
        (SQL / path).write_text(text, encoding="ascii", newline="\n")


if __name__ == "__main__":
    main()
