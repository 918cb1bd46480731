"""Everything that migsync reports to a person, and the catalogue of it.

`finding` is the value, `entry` is what makes one; the other modules hold the catalogue, one entry a code, and
:mod:`migsync.findings.catalogue` gives all of it.
"""

from migsync.findings.entry import CatalogueEntry, Texts, entry
from migsync.findings.finding import Finding, Severity

__all__ = ["CatalogueEntry", "Finding", "Severity", "Texts", "entry"]
