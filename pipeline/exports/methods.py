"""How the exported surveys were made and what the words and columns mean, gathered while the results pass by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pipeline.exports.columns import SHEETS
from pipeline.exports.rows import in_japan, judges
from pipeline.exports.words import say
from pipeline.models import CriteriaSet
from pipeline.report.speech import Speech
from pipeline.report.words import OUTCOMES
from pipeline.results import Result

_NOTES = (
    (
        "得点の数え方",
        "得点は、人が「該当」と確認した項目の数です。機械判定だけの項目は「暫定」として別に示し、得点に含めません。",
    ),
    ("0点の意味", "「根拠見当たらず」「未判定」「未観測」は0点ですが、「実施していない」という意味ではありません。"),
    (
        "引用の検証",
        "引用は、保存した写しの本文の開始位置から終了位置までと一致するものだけです。写しはSHA-256で特定できます。",
    ),
    (
        "文字の扱い",
        "セルは文字・数値・日付だけで、数式はありません。表示できない制御文字は「\ufffd」に置き換えています。"
        "セルに収まらない文は「…」で切ります（32,767文字まで）。",
    ),
    ("CSVの記号", "CSVでは、数式と解釈されうる文の先頭、または文中の「;」・タブ・改行の直後に「'」を付けています。"),
    (
        "リンク",
        "リンクは一枚のシートに65,530件までです。それを超えるアドレスと、2,079文字を超えるアドレスは文字で示します。",
    ),
    ("印刷", "印刷されるのは左側の列です。右側の列（調査番号、SHA-256など）は画面でご覧ください。"),
)


@dataclass(frozen=True)
class Line:
    """A line of the sheet of methods: what it is about, what is told, and the telling."""

    section: str
    term: str
    text: str


@dataclass
class Methods:
    """What is told of all results together. Counts are of addresses."""

    language: str
    newest: datetime = datetime.min.replace(tzinfo=UTC)
    surveys: int = 0
    unrecorded: int = 0
    read: int = 0
    unread: int = 0
    left: int = 0
    window: tuple[datetime, datetime] | None = None
    judges: set[str] = field(default_factory=set)
    asked: dict[str, CriteriaSet] = field(default_factory=dict)

    def add(self, result: Result, newest: datetime) -> None:
        self.surveys += 1
        self.newest = max(self.newest, newest)
        self.judges.update(judges(result))
        self.asked.setdefault(result.criteria.sha256, result.criteria)
        seen = result.run.coverage
        if seen is None:
            self.unrecorded += 1
            return
        self.read += seen.read
        self.unread += len(seen.unread)
        self.left += len(seen.pending)
        begun, ended = in_japan(seen.started), in_japan(seen.finished)
        first, last = self.window or (begun, ended)
        self.window = (min(first, begun), max(last, ended))

    def lines(self) -> Iterator[Line]:
        """The lines in reading order."""
        _ = say(self.language)
        yield from self._criteria()
        yield from self._crawl()
        for one in OUTCOMES.values():
            yield Line(_("判定"), f"{_(one.word)} ({one.key})", _(one.meaning))
        for term, text in _NOTES:
            yield Line(_("読み方"), _(term), _(text))
        for sheet in SHEETS:
            for column in sheet.columns:
                yield Line(f"{_('列')}: {_(sheet.name)}", _(column.title), _(column.meaning))

    def _criteria(self) -> Iterator[Line]:
        _ = say(self.language)
        section = _("調査項目")
        for one in sorted(self.asked.values(), key=lambda asked: (asked.version, asked.sha256)):
            yield Line(section, _("名称"), Speech(self.language).title(one))
            yield Line(section, _("識別子"), one.id)
            yield Line(section, _("版"), one.version)
            yield Line(section, "SHA-256", one.sha256)
            yield Line(section, _("項目の数"), str(len(one.criteria)))
            for viewpoint in one.viewpoints:
                yield Line(section, _("観点"), Speech(self.language).viewpoint(viewpoint))

    def _crawl(self) -> Iterator[Line]:
        _ = say(self.language)
        section = _("調査")
        yield Line(section, _("調査の数"), f"{self.surveys:,}")
        if self.window:
            first, last = (f"{time:%Y-%m-%d %H:%M}" for time in self.window)
            yield Line(section, _("収集開始（最初）"), first)
            yield Line(section, _("収集終了（最後）"), last)
        yield Line(section, _("本文を読めたページ"), f"{self.read:,}")
        yield Line(section, _("読めなかったアドレス"), f"{self.unread:,}")
        yield Line(section, _("上限により未取得のアドレス"), f"{self.left:,}")
        yield Line(section, _("収集の記録がない調査"), f"{self.unrecorded:,}")
        for judge in sorted(self.judges):
            yield Line(section, _("機械判定"), judge)
