from __future__ import annotations

from tests.companion.commands.conftest import bare as bare
