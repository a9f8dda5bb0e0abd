"""Foreign exports → our tables, through a mapping file. docs/import-mapping.md is the reference."""

from __future__ import annotations

from optimizer.importing.loading import load_mapping
from optimizer.importing.mapping import Mapping
from optimizer.importing.run import Imported, import_tables

__all__ = ["Imported", "Mapping", "import_tables", "load_mapping"]
