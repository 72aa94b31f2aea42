"""The bundled municipality: invented from its name to its last bus stop, so that the whole walk can be seen offline."""

from __future__ import annotations

from datetime import date

from pipeline.demo.server import SITE, serve
from pipeline.municipality import unregistered

__all__ = ["AS_OF", "MUNICIPALITY", "SITE", "serve"]

# The day its pages speak about: announcements after it are plans.
AS_OF = date(2026, 11, 20)

# home_url stays None: the port is known only while the server runs (see `serve`).
MUNICIPALITY = unregistered("汐凪市", None).model_copy(update={"kana": "しおなぎし", "prefecture": "遠海県"})
