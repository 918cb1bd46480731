"""A directory as it will be, as Python's own import machinery and pkgutil see it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MODULES = (
    "import pkgutil, {0}; print(sorted((name, package) for _, name, package in pkgutil.iter_modules({0}.__path__)))"
)


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "shop").mkdir()
    for name in ("__init__", "a", "b"):
        (tmp_path / "shop" / f"{name}.py").write_text(f"value = 'old {name}'\n")
    (tmp_path / "shop" / "notes.txt").touch()
    (tmp_path / "shop" / "inner").mkdir()
    (tmp_path / "shop" / "inner" / "__init__.py").touch()
    (tmp_path / "shop" / "no_package").mkdir()
    return tmp_path


def seen(root: Path, files: dict[str, bytes | None], code: str) -> str:
    """What `code` prints in a process with these files over those of `root`."""
    real = {str((root / name).parent.resolve() / Path(name).name): content for name, content in files.items()}
    program = f"import sys\nfrom migsync.worker.overlay import install\nsys.path.insert(0, {str(root)!r})\n"
    ended = subprocess.run(
        [sys.executable, "-c", f"{program}install({real!r})\n{code}"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_new_changed_and_gone(shop):
    files = {"shop/a.py": None, "shop/b.py": b"value = 'new b'\n", "shop/c.py": b"from .b import value as value\n"}
    assert seen(shop, files, MODULES.format("shop")) == "[('b', False), ('c', False), ('inner', True)]"
    assert seen(shop, files, "from shop import c; print(c.value, c.__file__)") == f"new b {shop}/shop/c.py"
    gone = "try:\n    import shop.a\nexcept ModuleNotFoundError as error:\n    print(error)"
    assert seen(shop, files, gone) == "No module named 'shop.a'"


def test_a_directory_that_is_not_there_yet(shop):
    files = {"shop/later/__init__.py": b"", "shop/later/a.py": b"value = 5\n", "shop/inner/__init__.py": None}
    assert seen(shop, files, MODULES.format("shop")) == "[('a', False), ('b', False), ('later', True)]"
    assert seen(shop, files, "import shop.later.a as a; print(a.value)") == "5"
    assert seen(shop, files, MODULES.format("shop.later")) == "[('a', False)]"


def test_an_encoding_that_the_file_declares(shop):
    text = "# -*- coding: latin-1 -*-\nvalue = 'é'\n".encode("latin-1")
    assert seen(shop, {"shop/a.py": text}, "import shop.a; print(ascii(shop.a.value))") == ascii("é")


def test_a_directory_that_is_a_link(shop):
    (shop / "other").symlink_to(shop / "shop")
    assert seen(shop, {"other/a.py": b"value = 'new'\n"}, "import shop.a, other.a; print(shop.a.value)") == "new"


def test_what_does_not_change_is_pythons_own(shop):
    assert (
        seen(shop, {"shop/b.py": b""}, "import shop.a; print(type(shop.a.__loader__).__name__)") == "SourceFileLoader"
    )
