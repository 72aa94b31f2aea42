"""The languages in which Akashi speaks to readers: Japanese as the code writes it, English by a catalog."""

from __future__ import annotations

import gettext
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path

LANGUAGES = {"ja": "日本語", "en": "English"}

Say = Callable[[str], str]


@cache
def catalog(folder: Path, language: str) -> gettext.NullTranslations:
    """The catalog of a language, read from its .po file in the folder, so that nothing has to be compiled before."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with (folder / f"{language}.po").open("rb") as file:
        messages = read_po(file, locale=language)
    packed = BytesIO()
    write_mo(packed, messages)
    packed.seek(0)
    return gettext.GNUTranslations(packed)


def spoken(folder: Path, language: str) -> Say:
    """What says a text of the code in that language, by the catalog in the folder; Japanese texts are said already."""
    return str if language == "ja" else catalog(folder, language).gettext
