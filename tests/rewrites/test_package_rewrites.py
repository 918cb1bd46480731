"""Rewrites that installed packages ship: found where Python finds the package, and only about its own apps."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from migsync.errors import RewriteError
from migsync.history import App, read_history
from migsync.history.migration import Key
from migsync.project import Project
from migsync.project.firstparty import FirstParty
from migsync.project.packages import Package, find_packages
from migsync.rewrites.package_rewrites import all_rewrites, rewritten_apps
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.rewrites.rewrite_files import to_toml, write_rewrite
from migsync.rewrites.rewrite_graph import Rewrites
from tests.project.projects import app, write

EARLY, LATE = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"


def rename(
    label: str = "wares", old: str = "0001_a", new: str = "0001_b", created: str = EARLY, **changes: object
) -> Rewrite:
    changed = AppRewrite((old,), (new,), renamed=((old, new),))
    return replace(Rewrite((), "rewrite", created, {label: changed}), **changes)  # type: ignore[arg-type]


def ship(lib: Path, package: str, rewrite: Rewrite) -> Path:
    """Put a rewrite into a package that is a directory of `lib`."""
    return write_rewrite(lib / package.replace(".", "/") / "migration_rewrites", rewrite)


def project_with(root: Path, places: Mapping[str, str]) -> Project:
    """A project with an own app ``shop``, and the apps at `places` by label, installed elsewhere."""
    apps = [App(label, None, first_party=False) for label in places]
    own = root / "migration_rewrites"
    return Project(root, own, (App("shop", None), *apps), {}, root / "cache", packages=find_packages(places, own))


@pytest.fixture
def lib(tmp_path: Path) -> Path:
    return write(tmp_path / "lib", app("wares") | {"goods/__init__.py": ""} | app("goods.sale") | app("goods.stock"))


@pytest.fixture
def wares(tmp_path: Path, lib: Path) -> Project:
    """A project with the package ``wares``, which ships one rewrite."""
    ship(lib, "wares", rename())
    return project_with(tmp_path / "project", {"wares": str(lib / "wares")})


def test_a_package_speaks_for_its_own_app(wares: Project) -> None:
    rewrites, findings = all_rewrites(wares)
    (rewrite,) = rewrites.ordered
    assert (rewrite.package, rewritten_apps(rewrites), findings) == ("wares", {"wares"}, ())
    assert rewrite.source == "20260101T000000_rewrite_wares.toml of the package wares"


def test_a_package_speaks_for_all_apps_in_it(tmp_path: Path, lib: Path) -> None:
    ship(lib, "goods", rename("stock"))
    ship(lib, "goods.sale", rename("sale"))
    places = {"sale": str(lib / "goods/sale"), "stock": str(lib / "goods/stock")}
    assert find_packages(places, tmp_path) == (
        Package("goods", str(lib / "goods/migration_rewrites"), frozenset({"sale", "stock"})),
        Package("goods.sale", str(lib / "goods/sale/migration_rewrites"), frozenset({"sale"})),
    )
    rewrites, findings = all_rewrites(project_with(tmp_path / "project", places))
    assert (rewritten_apps(rewrites), findings) == ({"sale", "stock"}, ())


def test_a_namespace_package_belongs_to_nobody(tmp_path: Path, lib: Path) -> None:
    (lib / "goods/__init__.py").unlink()
    ship(lib, "goods", rename("sale"))
    assert find_packages({"sale": str(lib / "goods/sale")}, tmp_path) == ()


def test_a_package_does_not_speak_for_others(tmp_path: Path, lib: Path) -> None:
    ship(lib, "goods.sale", rename("stock"))
    places = {"sale": str(lib / "goods/sale"), "stock": str(lib / "goods/stock")}
    rewrites, findings = all_rewrites(project_with(tmp_path / "project", places))
    assert rewrites.ordered == ()
    assert [(each.code, each.app, each.blocks) for each in findings] == [("foreign-rewrite", "stock", False)]
    assert "goods.sale ships a rewrite of stock" in findings[0].found


def test_a_package_does_not_speak_for_a_copy_of_its_app(tmp_path: Path, lib: Path) -> None:
    ship(lib, "goods", rename("stock"))
    places = {"sale": str(lib / "goods/sale"), "stock": str(tmp_path / "project/stock")}
    rewrites, findings = all_rewrites(project_with(tmp_path / "project", places))
    assert (rewrites.ordered, [each.code for each in findings]) == ((), ["foreign-rewrite"])


def test_a_label_that_is_not_installed_is_nobody_elses(wares: Project, lib: Path) -> None:
    ship(lib, "wares", rename("wares_extra"))
    assert len(all_rewrites(wares)[0].ordered) == 2


def test_rewrites_of_the_project_are_not_those_of_a_package(tmp_path: Path, lib: Path) -> None:
    ship(lib, "wares", rename())
    assert find_packages({"wares": str(lib / "wares")}, lib / "wares/migration_rewrites") == ()
    link = tmp_path / "link"
    link.symlink_to(lib)
    assert find_packages({"wares": str(link / "wares")}, lib / "wares/migration_rewrites") == ()


@pytest.mark.parametrize(("ours", "theirs"), [(EARLY, LATE), (LATE, EARLY)])
def test_project_and_package_agree(tmp_path: Path, lib: Path, ours: str, theirs: str) -> None:
    """The project's was written for a version with more files, and the journals know either by its id."""
    more = AppRewrite(("0001_a", "0002_c"), ("0001_b", "0002_c"), renamed=(("0001_a", "0001_b"),))
    own = rename(created=ours, third_party=True, apps={"wares": more})
    shipped = rename(created=theirs)
    ship(lib, "wares", shipped)
    project = project_with(tmp_path / "project", {"wares": str(lib / "wares")})
    write_rewrite(project.rewrites, own)
    rewrites, _ = all_rewrites(project)
    assert len(rewrites.ordered) == 1
    assert rewrites.by_id.keys() == {own.id, shipped.id}
    assert rewrites.conflicts(lambda _: ()) == []


def test_project_and_package_differ(wares: Project) -> None:
    write_rewrite(wares.rewrites, rename(new="0001_c", created=LATE, third_party=True))
    (found,) = all_rewrites(wares)[0].conflicts(lambda _: ())
    assert (found.code, found.app, found.blocks) == ("package-rewrite-differs", "wares", True)
    assert found.file == str(wares.rewrites / "20260201T000000_rewrite_wares.toml")


def test_a_rewrite_on_top_of_a_packages_does_not_need_it(wares: Project, lib: Path) -> None:
    known, _ = all_rewrites(wares)
    assert known.heads({"shop"}) == ()
    (parent,) = known.heads({"wares"})
    assert parent == f"wares/{known.ordered[0].id}"
    write_rewrite(wares.rewrites, rename(old="0001_b", new="0001_c", created=LATE, third_party=True, parents=(parent,)))
    rewrites, _ = all_rewrites(wares)
    assert rewrites.conflicts(lambda _: ()) == []
    assert [rewrite.package for rewrite in rewrites.ordered] == ["wares", ""]
    (last,) = rewrites.heads({"wares"})
    assert last == rewrites.ordered[1].id
    for path in (lib / "wares/migration_rewrites").iterdir():
        path.unlink()
    assert len(all_rewrites(wares)[0].ordered) == 1


def test_a_copy_of_a_packages_rewrite_is_one_with_it(wares: Project) -> None:
    write_rewrite(wares.rewrites, rename())
    assert [rewrite.package for rewrite in all_rewrites(wares)[0].ordered] == ["wares"]


def test_a_broken_file_of_a_package(wares: Project) -> None:
    path = Path(wares.packages[0].directory) / "20260101T000000_rewrite_wares.toml"
    path.write_text(path.read_text().replace("0001_b", "0001_x"))
    with pytest.raises(RewriteError, match="was edited") as caught:
        all_rewrites(wares)
    assert "the installed package wares" in caught.value.hint
    assert "git" not in caught.value.hint


def test_a_package_that_dropped_a_rewrite(wares: Project, lib: Path) -> None:
    ship(lib, "wares", rename(old="0001_b", new="0001_c", parents=("0" * 64,)))
    with pytest.raises(RewriteError, match="which is missing") as caught:
        all_rewrites(wares)
    assert "Install another version of the package" in caught.value.hint


def test_rewrites_and_migrations_in_a_zip_archive(tmp_path: Path, lib: Path) -> None:
    """As a wheel on ``sys.path``: also inside the project, its files are nobody's to change."""
    ship(lib, "wares", rename())
    archive = tmp_path / "project/wares.whl"
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as opened:
        for path in sorted((lib / "wares").rglob("*")):
            opened.write(path, path.relative_to(lib))
    place = os.path.join(archive, "wares")  # noqa: PTH118
    project = project_with(tmp_path / "project", {"wares": place})
    (rewrite,) = all_rewrites(project)[0].ordered
    assert (rewrite.package, rewrite.path) == ("wares", f"{place}/migration_rewrites/{rewrite.label}")
    assert not FirstParty(project.root)(f"{place}/migrations")
    history = read_history([App("wares", f"{place}/migrations", first_party=False)])
    migration = history.migrations[Key("wares", "0001_initial")]
    on_disk = read_history([App("wares", str(lib / "wares/migrations"))]).migrations[migration.key]
    assert migration.digest == on_disk.digest != ""


def test_only_what_rewrites_speak_of_is_synced() -> None:
    history = read_history([App("shop", None), App("wares", None, first_party=False), App("other", None, False)])
    changed = history.with_rewritten({"wares", "shop"})
    assert (history.synced, changed.synced, changed.first_party) == ({"shop"}, {"shop", "wares"}, {"shop"})
    assert rewritten_apps(Rewrites((rename("shop"), rename(third_party=True)))) == {"wares"}


def test_third_party_is_written_and_read_again() -> None:
    rewrite = rename(third_party=True)
    assert "third_party = true" in to_toml(rewrite)
    assert Rewrite.from_dict(rewrite.as_dict()) == rewrite
    assert "third_party" not in rename().as_dict()
