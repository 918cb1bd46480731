"""Nothing of the person's environment comes into a test."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in ("DJANGO_SETTINGS_MODULE", "DJANGO_CONFIGURATION", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path_factory.mktemp("cache")))
