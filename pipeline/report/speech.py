"""One language of a report: Japanese as the code writes it, English by the catalog."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

from pipeline.language import spoken
from pipeline.models import CriteriaSet, Criterion, Municipality, Verdict, Viewpoint
from pipeline.municipality.romaji import english
from pipeline.report import words
from pipeline.report.nouns import Day, Outcome

CATALOGS = Path(__file__).parent / "locale"


class Speech:
    """Says what a report says in `language`, ja or en. A text with gaps, %(name)s, is given their values."""

    def __init__(self, language: str = "ja") -> None:
        self.language = language

    def __call__(self, text: str, /, **values: object) -> str:
        said = spoken(CATALOGS, self.language)(text)
        return said % values if values else said

    def listed(self, texts: Iterable[str]) -> str:
        return self("、").join(texts)

    def told(self, *sentences: str) -> str:
        """Sentences that follow each other."""
        return ("" if self.language == "ja" else " ").join(sentences)

    def outcome(self, verdict: Verdict) -> Outcome:
        found = words.OUTCOMES[verdict]
        return found.model_copy(update={"word": self(found.word), "meaning": self(found.meaning)})

    def day(self, value: date) -> Day:
        shown = f"{value.year}年{value.month}月{value.day}日" if self.language == "ja" else value.isoformat()
        return Day(iso=value.isoformat(), shown=shown)

    def moment(self, value: datetime) -> Day:
        """A time in Japan's time zone, to the minute for readers; a time without a zone is taken as UTC."""
        at = (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(words.JAPAN)
        zone = "" if self.language == "ja" else " JST"
        return Day(iso=at.isoformat(timespec="seconds"), shown=f"{self.day(at.date()).shown} {at:%H:%M}{zone}")

    def day_of(self, value: datetime) -> Day:
        """The day in Japan of a time, with the whole time in iso."""
        at = self.moment(value)
        return Day(iso=at.iso, shown=at.shown.partition(" ")[0])

    # --- what the criteria file and the registry say in both languages ---

    def title(self, criteria: CriteriaSet) -> str:
        return criteria.title_ja if self.language == "ja" else criteria.title_en

    def viewpoint(self, viewpoint: Viewpoint) -> str:
        return viewpoint.name_ja if self.language == "ja" else viewpoint.name_en

    def statement(self, criterion: Criterion) -> str:
        return criterion.statement_ja if self.language == "ja" else criterion.statement_en

    def counts(self, criterion: Criterion) -> tuple[str, str]:
        """What counts, and what does not."""
        if self.language == "ja":
            return criterion.counts_ja, criterion.does_not_count_ja
        return criterion.counts_en, criterion.does_not_count_en

    def place(self, municipality: Municipality) -> str:
        """The name; in English in Latin letters too, where the registry knows how it is read."""
        name = words.visible(municipality.name)
        latin = english(municipality) if self.language == "en" else ""
        return f"{latin} ({name})" if latin else name
