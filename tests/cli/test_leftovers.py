"""Many leftovers of old squashes: reported in a few lines, and removed with one pattern or one option."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.shop import Shop

FILES = ("0001_initial", "0002_price")
LEFT = tuple(f"{number:04}_old" for number in range(3, 63))


def made(root: Path, files: Sequence[str], records: Sequence[str]) -> Shop:
    shop = Shop(root).write("default", names=files).record("default", ())
    for number, name in enumerate(records):
        values = (name, f"2020-01-01 10:00:{number:02}" if number < 60 else f"2020-01-01 10:01:{number - 60:02}")
        shop.execute("default", "INSERT INTO django_migrations (app, name, applied) VALUES ('shop', ?, ?)", values)
    return shop


@pytest.fixture
def many(tmp_path: Path) -> Shop:
    """A database with sixty records that nothing explains, and four that the name of a squash explains."""
    squashed = ("0063_a", "0064_b", "0065_c", "0066_d", "0063_squashed_0066_end")
    return made(tmp_path, (*FILES, "0063_squashed_0066_end"), (*FILES, *LEFT, *squashed))


def left(shop: Shop) -> list[str]:
    return [row[2] for row in shop.rows("default")]


def removed(shop: Shop, *arguments: str) -> list[str]:
    (plan,) = shop.run("plan", *arguments, "--format", "json").json["plans"]
    assert all(change["kind"] == "remove" and change["cause"] == "prune" for change in plan["changes"])
    return [change["before"]["name"] for change in plan["changes"]]


def test_sixty_leftovers_are_told_in_a_few_lines_with_the_command(many: Shop) -> None:
    planned = many.run("plan")
    assert planned.status == 0, planned.err
    assert "shop: 60 records have no file" in planned.out
    assert "60 unexplained records" in planned.out
    assert "migsync plan --prune 'shop.*'" in planned.out
    assert len(planned.out.splitlines()) < 16
    found = {one["code"]: one for one in many.run("plan", "--format", "json").json["plans"][0]["findings"]}
    assert [row[0] for row in found["unknown-records"]["facts"]["rows"]] == [f"shop.{name}" for name in LEFT]
    assert found["squashed-record"]["facts"]["replaced"] == ["0063_a", "0064_b", "0065_c", "0066_d"]


def test_a_pattern_fits_leftovers_alone(many: Shop) -> None:
    assert removed(many, "--prune", "shop.000?_*") == list(LEFT[:7])
    assert removed(many, "--prune", "shop.*") == [*LEFT, "0063_a", "0064_b", "0065_c", "0066_d"]
    assert removed(many, "--prune", "*.0063_?", "--prune", "*.0064_?") == ["0063_a", "0064_b"]
    assert removed(many, "--prune-leftovers") == removed(many, "--prune", "shop.*")
    assert removed(many, "--prune", "shop.0003_old", "--prune", "shop.0004*") == list(LEFT[:2])


def test_a_pattern_that_fits_nothing(many: Shop) -> None:
    planned = many.run("plan", "--prune", "shop.0001*", "--prune", "shpo.*")
    assert planned.status == 0
    assert "--prune shop.0001*: no such record here" in planned.out
    assert "Did you mean shop.*?" in planned.out
    told = many.run("plan", "--prune", "shop*")
    assert told.status == 64
    assert "a pattern needs an app and a name" in told.err
    assert "--prune 'shop*.*'" in told.err
    assert many.run("plan", "--prune", "shop*.*").status == 0


def test_leftovers_go_in_one_run_and_come_back(many: Shop) -> None:
    before = many.rows("default")
    assert many.run("apply", "--prune-leftovers", "--noinput").status == 0
    assert left(many) == [*FILES, "0063_squashed_0066_end"]
    assert many.run("plan", "--check", "--prune-leftovers").status == 0
    assert many.run("undo", "--noinput").status == 0
    assert many.rows("default") == before


def test_a_saved_plan_keeps_its_pattern(many: Shop) -> None:
    file = str(many.root / "plan.json")
    assert many.run("plan", "--prune-leftovers", "-o", file).status == 0
    assert many.run("apply", file, "--noinput").status == 0
    assert left(many) == [*FILES, "0063_squashed_0066_end"]
    assert many.run("apply", file, "--noinput").status == 0


def test_what_may_be_renamed_is_no_leftover(tmp_path: Path) -> None:
    """A file that is not recorded may be what a record once ran: a pattern does not decide that."""
    shop = made(tmp_path, (*FILES, "0003_new"), (*FILES, "0003_old"))
    planned = shop.run("plan", "--prune", "shop.*", "--format", "json")
    assert planned.status == 1
    assert planned.json["plans"][0]["changes"] == []
    assert shop.run("plan", "--prune", "shop.0003_old").status == 0


@pytest.mark.parametrize(("number", "codes"), [(3, ["unknown-record"] * 3), (4, ["unknown-records"])])
def test_three_are_told_one_by_one_and_four_together(tmp_path: Path, number: int, codes: list[str]) -> None:
    shop = made(tmp_path, FILES, (*FILES, *LEFT[:number]))
    planned = shop.run("plan", "--format", "json").json
    assert [one["code"] for one in planned["plans"][0]["findings"]] == codes
    assert shop.run("plan", "--prune-leftovers", "--check").status == 2
