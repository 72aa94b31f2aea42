"""The registry: 1,741 municipalities and 47 prefectures, found by name, code, kana or romaji."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Self

from pipeline.errors import AmbiguousCityError, RegistryError, UnknownCityError
from pipeline.models import Municipality
from pipeline.municipality import fetching, reading
from pipeline.municipality.naming import check_digit, folded, hiragana, line, spoken
from pipeline.municipality.romaji import Index, words
from pipeline.municipality.romaji import folded as letters

_LONGEST = 60
_NEAR = 5
_NEAR_RATIO = 0.5
_NEAR_LETTERS_RATIO = 0.75  # with 26 letters, half of them are alike by chance
PREFECTURES_FILE = "prefjp-utf8.csv"


class Registry:
    """Looks municipalities up. municipalities: without the wards of designated cities, which are kept to say what to
    type instead; prefectures: as the prefecture CSV says, else the bare names and codes."""

    def __init__(self, rows: reading.Rows, prefectures: Sequence[Municipality] = ()) -> None:
        self.municipalities = rows.municipalities
        self.wards = rows.wards
        self.prefectures = tuple(prefectures) or _bare_prefectures(rows.municipalities)
        self._parents = rows.parents
        self._by_code = {each.code: each for each in (*self.municipalities, *self.prefectures)}
        kana = {each.name: each.kana for each in self.prefectures}
        self._forms = _by_form(self.municipalities, self.prefectures, kana)
        self._stems = _by_stem((*self.municipalities, *self.prefectures))
        self._ward_forms = _by_form(self.wards, (), kana)

    @classmethod
    def read(cls, path: Path, prefecture_path: Path | None = None) -> Self:
        """The registry in a CSV file (UTF-8, or Shift_JIS as spreadsheets save it).

        prefecture_path: CSV of the prefectures; without it a `prefjp-utf8.csv` beside `path` is read. Raises
        RegistryError with the lines at fault.
        """
        beside = path.with_name(PREFECTURES_FILE)
        prefecture_path = prefecture_path or (beside if beside != path and beside.is_file() else None)
        prefectures = reading.prefectures(_content(prefecture_path), prefecture_path.name) if prefecture_path else ()
        return cls(reading.municipalities(_content(path), str(path)), prefectures)

    @classmethod
    def fetch(cls, url: str, prefecture_url: str, folder: Path, *, refresh: bool = False) -> Self:
        """The registry at two addresses, downloaded into `folder` once and read from there afterwards.

        refresh: download again; the copies are replaced only by valid ones. Raises RegistryError, saying what to do
        by hand, if there is no valid copy to be had.
        """
        checks = (_check_municipalities, _check_prefectures)
        path, prefecture_path = fetching.copies((url, prefecture_url), folder, checks=checks, refresh=refresh)
        return cls.read(path, prefecture_path)

    def find(self, text: str) -> Municipality:
        """The one municipality or prefecture of that code, name, prefecture and name, kana or romaji.

        Codes have six digits, or five without the check digit or the leading zero; a county may stand before a town;
        a name may lack its 市, 区, 町 or 村; romaji may be of any spelling (see `romaji`). Raises AmbiguousCityError
        where several fit, UnknownCityError where none does.
        """
        typed = spoken(text)
        if not typed:
            raise UnknownCityError("no municipality was named; give a name or a six-digit code with --city")
        if len(typed) > _LONGEST:
            raise UnknownCityError(f"no municipality is called {typed[:_LONGEST]}…")
        if re.fullmatch(r"[0-9]+", typed):
            return self._by_digits(typed)
        if latin := words(text):
            return self._by_romaji(latin, typed)
        key = hiragana(typed)
        found = self._forms.get(key) or self._without_county(key) or self._stems.get(key)
        if found:
            return _one(found, typed)
        wards = self._ward_forms.get(key) or [each for each in self.wards if hiragana(each.name).endswith("市" + key)]
        if wards:
            raise self._is_ward(wards, typed)
        raise self._unknown(typed, self._near(typed))

    def _by_romaji(self, latin: Sequence[str], typed: str) -> Municipality:
        if found := self._romaji.find(latin):
            return _one(found, typed)
        if wards := self._ward_romaji.find(latin):
            raise self._is_ward(wards, typed)
        close = difflib.get_close_matches(
            letters("".join(latin)).lower(), self._romaji.stems, n=_NEAR, cutoff=_NEAR_LETTERS_RATIO
        )
        raise self._unknown(typed, _typed(each for key in close for each in self._romaji.stems[key]))

    @cached_property
    def _romaji(self) -> Index:
        return Index(self.municipalities, self.prefectures)

    @cached_property
    def _ward_romaji(self) -> Index:
        """Wards under their own names (Chuo-ku) and after their cities' (Sapporo-shi Chuo-ku, Sapporo Chuo-ku)."""
        cities = {(each.prefecture, each.name): each for each in self.municipalities}
        wards = []
        for ward in self.wards:
            city = cities.get((ward.prefecture, self._parents[ward.code]))
            own = ward.kana.removeprefix(city.kana) if city else ward.kana
            kanas = {own, ward.kana, (city.kana.removesuffix("し") if city else "") + own}
            wards += [ward.model_copy(update={"kana": kana, "home_url": None}) for kana in sorted(kanas)]
        return Index(wards, self.prefectures)

    def _by_digits(self, digits: str) -> Municipality:
        codes = {digits}
        if len(digits) == 5:
            codes = {digits + check_digit(digits), "0" + digits}
        found = [self._by_code[code] for code in sorted(codes) if code in self._by_code]
        if found:
            return _one(found, digits)
        wards = [each for each in self.wards if each.code in codes]
        if wards:
            raise self._is_ward(wards, digits)
        raise self._unknown_code(digits)

    def _without_county(self, key: str) -> list[Municipality]:
        """Towns and villages typed with their county (神奈川県愛甲郡愛川町): the registry does not name counties."""
        match = re.match(r"(.{2,3}?[都道府県])?(.+)", key)
        prefecture, rest = (match[1] or "", match[2]) if match else ("", key)
        tails = [rest[at + 1 :] for at in range(1, len(rest)) if rest[at] == "郡"]
        found = {each.code: each for tail in tails for each in self._forms.get(prefecture + tail, ())}
        return [each for each in found.values() if each.name.endswith(("町", "村"))]

    def _is_ward(self, wards: Sequence[Municipality], typed: str) -> UnknownCityError:
        cities = list(dict.fromkeys(self._parents[ward.code] for ward in wards))
        advice = f"survey the city instead: --city {cities[0]}" if len(cities) == 1 else "name the city"
        message = f"{typed} is a ward of {'、'.join(cities)}, not a municipality of its own; {advice}"
        return UnknownCityError(message, cities)

    def _unknown_code(self, digits: str) -> UnknownCityError:
        if len(digits) != 6:
            return UnknownCityError(f"code {digits} has {len(digits)} digits; a municipality's code has six")
        if check_digit(digits[:5]) == digits[5]:
            return UnknownCityError(f"no municipality has the code {digits}; give its name, or another --registry")
        meant = self._by_code.get(digits[:5] + check_digit(digits[:5]))
        hint = f"; did you mean {line(meant)}?" if meant else "; check the number"
        message = f"the check digit of code {digits} is wrong{hint}"
        return UnknownCityError(message, [meant.code] if meant else [])

    def _unknown(self, typed: str, near: Sequence[str]) -> UnknownCityError:
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        message = (
            f"no municipality is called {typed}{hint} (one that is not in the registry can be surveyed with --url)"
        )
        return UnknownCityError(message, near)

    def _near(self, typed: str) -> list[str]:
        """Up to five names that resemble it, as they can be typed; first what differs by a variant character only."""
        forms: dict[str, list[Municipality]] = defaultdict(list)
        for known in (self._forms, self._stems):
            for form, found in known.items():
                forms[folded(form)] += found
        key = folded(typed)
        close = difflib.get_close_matches(key, forms, n=_NEAR, cutoff=_NEAR_RATIO)
        return _typed(each for form in close for each in forms[form])


def _by_form(
    municipalities: Iterable[Municipality], prefectures: Iterable[Municipality], prefecture_kana: dict[str, str]
) -> dict[str, list[Municipality]]:
    """Every full form that names a municipality: name and kana, each with and without its prefecture."""
    forms: dict[str, dict[str, Municipality]] = defaultdict(dict)
    for each in (*municipalities, *prefectures):
        name, kana = hiragana(spoken(each.name)), hiragana(spoken(each.kana))
        prefecture = hiragana(spoken(each.prefecture))
        for form in (name, prefecture + name, kana, prefecture_kana.get(each.prefecture, "") + kana):
            forms[form][each.code] = each
    forms.pop("", None)
    return {form: list(found.values()) for form, found in forms.items()}


def _by_stem(municipalities: Iterable[Municipality]) -> dict[str, list[Municipality]]:
    """Names without what they are (相模原, 神奈川), with and without the prefecture."""
    stems: dict[str, dict[str, Municipality]] = defaultdict(dict)
    for each in municipalities:
        stem = hiragana(spoken(each.name))[:-1]
        for form in (stem, hiragana(spoken(each.prefecture)) + stem):
            stems[form][each.code] = each
    return {form: list(found.values()) for form, found in stems.items()}


def _typed(found: Iterable[Municipality]) -> list[str]:
    """As they can be typed, each once, five at most."""
    return list(dict.fromkeys(each.prefecture + each.name for each in found))[:_NEAR]


def _one(found: Sequence[Municipality], typed: str) -> Municipality:
    if len(found) == 1:
        return found[0]
    candidates = [line(each) for each in sorted(found, key=lambda each: each.code)]
    listed = "\n  ".join(candidates)
    raise AmbiguousCityError(
        f"{typed} names {len(found)} municipalities; give one of these codes:\n  {listed}", candidates
    )


def _bare_prefectures(municipalities: Iterable[Municipality]) -> tuple[Municipality, ...]:
    codes = {each.prefecture: each.code[:2] + "000" for each in municipalities}
    return tuple(Municipality(code=code + check_digit(code), name=name) for name, code in codes.items())


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RegistryError(
            f"the registry {path} cannot be read ({error.strerror}); give another --registry"
        ) from error


def _check_municipalities(content: bytes, name: str) -> None:
    """A download of the whole country is complete if it holds about as many as there are (1,741 in 2026)."""
    found = len(reading.municipalities(content, name).municipalities)
    if found < fetching.LEAST_MUNICIPALITIES:
        raise RegistryError(f"{name} holds {found} municipalities only; the download is not complete")


def _check_prefectures(content: bytes, name: str) -> None:
    found = len(reading.prefectures(content, name))
    if found != fetching.PREFECTURES:
        raise RegistryError(f"{name} holds {found} prefectures, not {fetching.PREFECTURES}")
