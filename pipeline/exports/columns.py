"""The columns of each sheet: what stands above, what it means, and where the value is found in the row."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """value: path of it in the row; width in characters of the sheet; printed: whether the A4 page shows it."""

    value: str
    title: str
    meaning: str
    width: int = 12
    printed: bool = True


@dataclass(frozen=True)
class Sheet:
    """row_points: height of its rows; frozen: how many columns stay in sight."""

    name: str
    columns: tuple[Column, ...]
    row_points: int
    frozen: int = 3


_CODE = Column("place.code", "団体コード", "全国地方公共団体コード。6桁の文字列（先頭の0を残す）", 12)
_PREFECTURE = Column("place.prefecture", "都道府県", "都道府県名", 9)
_CITY = Column("place.municipality", "市区町村", "市区町村名", 12)
_AS_OF = Column("place.as_of", "基準日", "調査がいつの時点について述べるか", 11, printed=False)
_RUN = Column("place.run", "調査番号", "調査一回ごとの番号", 26, printed=False)
_CRITERION = Column("criterion", "項目番号", "調査項目の番号", 12)
_VIEWPOINT = Column("viewpoint", "観点", "調査項目の観点", 14)
_OUTCOME = Column("said.outcome", "判定", "人が確認した判定。確認前は機械の提案", 10)
CONFIRMED = Column("said.confirmed", "確認済み", "人が確認したか", 8)
_VERDICT = Column("said.verdict.value", "判定キー", "判定を表す英語のキー（met など）", 13, printed=False)
_TITLE = Column("proof.title", "ページの題名", "引用のあるページの題名", 24)
_DATED = Column("proof.dated", "ページの日付", "ページ自身が示す更新日または公開日", 11)
_SOURCE = Column("proof.source", "情報源", "公式、外部サービス、報道など、ページの発信者", 9)
_URL = Column("proof.url", "アドレス", "ページのアドレス。収集の後に変わることがある", 42)
_SHA256 = Column("proof.sha256", "写しのSHA-256", "根拠として保存したページの写しのSHA-256", 20, printed=False)
_START = Column("proof.start", "開始位置", "写しの本文で引用が始まる位置（文字数、0から）", 9, printed=False)
_END = Column("proof.end", "終了位置", "写しの本文で引用が終わる位置（文字数、この文字を含まない）", 9, printed=False)

DATA = Sheet(
    "基礎データ",
    (
        _CODE,
        _PREFECTURE,
        _CITY,
        _CRITERION,
        _VIEWPOINT,
        Column("statement", "調査項目", "調査項目の文", 28),
        _OUTCOME,
        CONFIRMED,
        Column("point", "得点", "人が「該当」と確認した項目は1、ほかは0。合計が団体の得点", 6),
        Column("proof.quote", "引用", "最も直接の引用。すべての引用は「引用一覧」のシートにある", 46),
        _TITLE,
        _DATED,
        _SOURCE,
        _URL,
        _AS_OF,
        _VERDICT,
        Column("quotes", "引用の数", "判定の根拠とする引用の数", 9, printed=False),
        Column("measured.name", "測定", "測定で決まる項目で測ったもの", 18, printed=False),
        Column("measured.value", "測定値", "測定値。しきい値以下なら「該当」", 9, printed=False),
        Column("measured.unit", "単位", "測定値としきい値の単位", 8, printed=False),
        Column("measured.threshold", "しきい値", "「該当」とする上限", 9, printed=False),
        Column("check.reviewer", "確認者", "確認した人", 14, printed=False),
        Column("check.decided", "確認日", "確認した日（日本時間）", 11, printed=False),
        Column("check.note", "確認メモ", "確認した人の注記", 30, printed=False),
        _RUN,
        _SHA256,
        _START,
        _END,
    ),
    row_points=52,
)
POINTS = Sheet(
    "得点",
    (
        _CODE,
        _PREFECTURE,
        _CITY,
        _VIEWPOINT,
        Column("confirmed", "得点", "人が「該当」と確認した項目の数"),
        Column("possible", "満点", "観点の項目の数"),
        Column("provisional", "暫定", "機械判定だけで「該当」とされ、確認を待つ項目の数。得点に含めない"),
        Column("awaiting", "確認待ち", "人がまだ確認していない項目の数"),
        _AS_OF,
        _RUN,
    ),
    row_points=18,
)
QUOTES = Sheet(
    "引用一覧",
    (
        _CODE,
        _PREFECTURE,
        _CITY,
        _CRITERION,
        _OUTCOME,
        CONFIRMED,
        Column("number", "順番", "1が最も直接の引用", 6),
        Column("proof.quote", "引用", "写しの本文と一致する引用の全文", 60),
        _TITLE,
        _DATED,
        _SOURCE,
        _URL,
        _VERDICT,
        _RUN,
        _SHA256,
        _START,
        _END,
    ),
    row_points=52,
)
SURVEYS = Sheet(
    "調査",
    (
        _CODE,
        _PREFECTURE,
        _CITY,
        Column("place.as_of", "基準日", "調査がいつの時点について述べるか", 11),
        Column("points", "得点", "人が「該当」と確認した項目の数", 7),
        Column("possible", "満点", "調査項目の数", 7),
        Column("awaiting", "確認待ち", "人がまだ確認していない項目の数", 9),
        Column("begun", "収集開始", "収集を始めた時刻（日本時間）", 17),
        Column("ended", "収集終了", "収集を終えた時刻（日本時間）", 17),
        Column("found", "発見", "見つけたアドレスの数", 9),
        Column("fetched", "取得", "取得・保存した応答の数", 9),
        Column("read", "読了", "本文を読めたページの数", 9),
        Column("unread", "未読", "読めなかったアドレスの数。記載の有無は分からない", 9),
        Column("left", "未取得", "上限により取得していないアドレスの数", 9),
        Column("judges", "機械判定", "判定を提案したもの（モデルを使ったときはその名前）", 24),
        Column("version", "調査項目の版", "調査項目の版", 13, printed=False),
        Column("criteria", "調査項目のSHA-256", "調査項目のファイルのSHA-256", 20, printed=False),
        _RUN,
    ),
    row_points=30,
)
METHODS = Sheet(
    "方法",
    (
        Column("section", "区分", "何についての説明か", 20),
        Column("term", "項目", "説明するもの", 24),
        Column("text", "内容", "説明", 90),
    ),
    row_points=30,
    frozen=0,
)
SHEETS = (DATA, POINTS, QUOTES, SURVEYS, METHODS)
