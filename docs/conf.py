"""How Sphinx builds the documentation: ``nox -s docs``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "migsync"
author = "the migsync developers"
extensions = ["myst_parser", "findings"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "migsync"
# Code blocks of terminals and files: what Pygments does not know is shown as it is.
suppress_warnings = ["misc.highlighting_failure"]
html_show_copyright = False
