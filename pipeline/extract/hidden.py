"""What a reader does not see: styles and attributes that hide an element."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

_BRACE = re.compile(r"[{}]")
_SIMPLE = re.compile(r"[a-z0-9]*([.#][\w-]+)", re.I)
_UNCONDITIONAL = re.compile(r"@media\s+(?:all|screen)", re.I)
_SPEAK_OF_VISIBILITY = frozenset(
    {
        "display",
        "visibility",
        "font-size",
        "opacity",
        "position",
        "text-indent",
        "clip",
        "clip-path",
        "transform",
        "text-decoration",
        "text-decoration-line",
    }
)
_NUMBER = re.compile(r"-?\d*\.?\d+")
_OFF_SCREEN_PX = -999
_MAX_STYLESHEET_CHARS = 200_000
_WHITE = {"#fff", "#ffff", "#ffffff", "#fefefe", "#fdfdfd", "white", "rgb(255,255,255)", "rgba(255,255,255,1)"}
_INVISIBLE_COLOURS = {"transparent", "rgba(0,0,0,0)"}
# Quick refusal: most style attributes hold none of these and need no parsing.
_SUSPECT = re.compile(
    r"none|hidden|font-size|opacity|absolute|fixed|indent|clip|color|background|scale\(0|height:\s*0|collapse|line-through",
    re.I,
)


@dataclass(frozen=True)
class Stylesheet:
    """Class and id selectors (`.name`, `#name`) that the page's own <style> blocks hide."""

    hidden: frozenset[str]

    def hides(self, attributes: Mapping[str, str | None]) -> bool:
        if not self.hidden:
            return False
        identity = attributes.get("id")
        if identity and "#" + identity in self.hidden:
            return True
        return any("." + name in self.hidden for name in (attributes.get("class") or "").split())


def stylesheet(css: str) -> Stylesheet:
    """Rules of one class or id without conditions; the last one that speaks about visibility holds."""
    state: dict[str, bool] = {}
    for selectors, body in _rules(_uncommented(css[:_MAX_STYLESHEET_CHARS])):
        declared = declarations(body)
        if not declared.keys() & _SPEAK_OF_VISIBILITY:
            continue
        for selector in selectors.split(","):
            if match := _SIMPLE.fullmatch(selector.strip()):
                state[match.group(1)] = style_hides(declared)
    return Stylesheet(frozenset(name for name, hidden in state.items() if hidden))


def _uncommented(css: str) -> str:
    head, *rest = css.split("/*")
    return head + "".join(part.partition("*/")[2] for part in rest)


def _rules(css: str) -> Iterator[tuple[str, str]]:
    """(selectors, declarations) outside at-rules; @media all and screen are looked into, other conditions are not."""
    prelude, skipped, at = "", 0, 0
    for brace in _BRACE.finditer(css):
        text, at = css[at : brace.start()], brace.end()
        if brace.group() == "{":
            if skipped:
                skipped += 1
            elif _UNCONDITIONAL.fullmatch(text.strip()):
                prelude = ""
            elif "@" in text:
                skipped = 1
            else:
                prelude = text
        elif skipped:
            skipped -= 1
        elif prelude:
            yield prelude, text
            prelude = ""


@lru_cache(maxsize=4096)
def declarations(style: str) -> Mapping[str, str]:
    """`display: none !important` as {"display": "none"}, lower case, without white space inside values."""
    pairs = (part.partition(":") for part in style.lower().split(";"))
    return {name.strip(): "".join(value.replace("!important", "").split()) for name, _, value in pairs if value.strip()}


def style_hides(style: Mapping[str, str]) -> bool:
    """True for display, visibility, size, opacity or position that leave nothing to see, and for struck words."""
    return (
        style.get("display") == "none"
        or style.get("visibility") in ("hidden", "collapse")
        or style.get("content-visibility") == "hidden"
        or _zero(style.get("font-size"))
        or _zero(style.get("opacity"))
        or _nothing_left(style)
        or _off_screen(style)
        or "line-through" in style.get("text-decoration", "") + style.get("text-decoration-line", "")
    )


def _nothing_left(style: Mapping[str, str]) -> bool:
    clipped = style.get("clip", "").startswith(("rect(0,0,0,0", "rect(00", "rect(0000", "rect(0px", "rect(1px"))
    clipped |= style.get("clip-path", "").startswith(("inset(50%", "inset(100%", "circle(0"))
    flat = style.get("overflow") == "hidden" and any(
        _zero(style.get(name)) for name in ("height", "width", "max-height")
    )
    return clipped or flat or "scale(0)" in style.get("transform", "")


def _off_screen(style: Mapping[str, str]) -> bool:
    names = ["text-indent"]
    if style.get("position") in ("absolute", "fixed"):
        names += ["left", "top", "right", "bottom", "margin-left", "margin-top"]
    return any(_pixels(style.get(name)) <= _OFF_SCREEN_PX for name in names)


def _pixels(value: str | None) -> float:
    match = _NUMBER.match(value or "")
    if not match or not value:
        return 0.0
    return float(match.group()) * (16 if value.endswith("em") else 1)


def _zero(value: str | None) -> bool:
    match = _NUMBER.match(value or "")
    return bool(match) and float(match.group() if match else 1) == 0


def background(attributes: Mapping[str, str | None], inherited: str) -> str:
    """Background colour behind an element as far as the page itself declares it; white where it says nothing."""
    declared = declarations(attributes.get("style") or "")
    own = declared.get("background-color") or declared.get("background") or (attributes.get("bgcolor") or "").lower()
    return own if own and own not in ("none", "transparent", "inherit", "initial") else inherited


def hides(attributes: Mapping[str, str | None], sheet: Stylesheet, behind: str = "white") -> bool:
    """True when an element's attributes, or the page's stylesheet, keep it from a reader.

    aria-hidden counts too: what is left to be seen there are icons, clones of carousels and duplicates. A colour that
    equals the background declared behind it counts; where none is declared, the page is taken as white.
    """
    if "hidden" in attributes and attributes["hidden"] != "until-found":
        return True
    if attributes.get("aria-hidden") == "true":
        return True
    if sheet.hides(attributes):
        return True
    style = attributes.get("style")
    if style and _SUSPECT.search(style):
        declared = declarations(style)
        return style_hides(declared) or _same_colour(declared.get("color", ""), behind)
    return "color" in attributes and _same_colour((attributes["color"] or "").lower(), behind)


def _same_colour(colour: str, behind: str) -> bool:
    if colour in _INVISIBLE_COLOURS:
        return True
    if colour in _WHITE:
        return behind in _WHITE
    return bool(colour) and colour == behind
