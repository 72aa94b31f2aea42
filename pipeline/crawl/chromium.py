"""Finding a Chromium on this machine, and saying what to install where there is none. Loads no browser library."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL = "install Chromium and the extra `browser` (pip install 'akashi[browser]')"


def find(chromium: str = "") -> str | None:
    """Path of the browser: the one set, else the first known name on PATH; None where there is none."""
    names = (chromium,) if chromium else NAMES
    return next((path for name in names if (path := shutil.which(name))), None)


def lacking(chromium: str = "") -> str:
    """What is missing for a browser to run and what to do about it, or an empty string."""
    if find_spec("playwright") is None:
        return f"the Python package playwright is not installed: {INSTALL}"
    if find(chromium):
        return ""
    if chromium:
        return f"CLASSIFY_CHROMIUM names {chromium}, which is no program that can be run"
    return f"no Chromium was found ({', '.join(NAMES)} on PATH): install it, or set CLASSIFY_CHROMIUM"
