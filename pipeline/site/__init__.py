"""All editions as a small static site: files that any web server, or none, can show."""

from pipeline.site.building import Built, build

__all__ = ["Built", "build"]
