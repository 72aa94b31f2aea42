"""WARC out and in, by sha256: what was fetched is kept as received, and every page can be rebuilt from it alone."""

from pipeline.archive.archive import Archive
from pipeline.archive.importing import Imported, import_site, import_warc
from pipeline.archive.place import Place

__all__ = ["Archive", "Imported", "Place", "import_site", "import_warc"]
