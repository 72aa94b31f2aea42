"""Invented surveys for the tests of the ranking: items with real logs, scored as everywhere else."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date

from queue_data import NOW, criteria, decided, judgement, run

from pipeline.models import CriteriaSet, Judgement, Municipality, QueueItem, Verdict
from pipeline.municipality import unregistered
from pipeline.results import Result
from pipeline.review import queue
from pipeline.score import score
from pipeline.store.log import digest

MET, NOT_MET, NO_EVIDENCE = Verdict.MET, Verdict.NOT_MET, Verdict.NO_EVIDENCE
UNOBSERVED, NOT_JUDGED = Verdict.UNOBSERVED, Verdict.NOT_JUDGED
# What a letter of a survey says of its criteria, in their order: confirmed in capitals, else only proposed.
LETTERS = {"M": MET, "N": NOT_MET, "E": NO_EVIDENCE, "U": UNOBSERVED, "J": NOT_JUDGED}
NAMES = (
    "星見市", "霧島台市", "白樺野市", "青凪市", "若竹市", "汐留浜市", "雪代市", "風待市", "蛍沢市", "朝霧浦市",
    "月影町", "木漏日町", "波音町", "山鳩町", "野分町", "鈴蘭町", "石蕗村", "水芭蕉村", "雲居村", "花筏市",
    "薄氷市", "陽炎市", "時雨市", "虹ヶ浦市", "霞ヶ岬町", "夕凪町", "早蕨町", "若鮎町", "深雪村", "岩燕村",
    "落葉松市", "銀鏡市", "遠雷市", "潮路市", "帆影町", "磯千鳥町", "萌黄町", "露草町", "紅葉谷村", "風花村",
)  # fmt: skip
PREFECTURES = (
    "北海道", "宮城県", "埼玉県", "東京都", "神奈川県", "長野県", "愛知県", "大阪府", "島根県", "福岡県", "沖縄県",
)  # fmt: skip


def place(name: str, prefecture: str = "") -> Municipality:
    return unregistered(name, None).model_copy(update={"prefecture": prefecture})


def survey(
    told: str,
    city: Municipality,
    *,
    asked: CriteriaSet | None = None,
    as_of: date = date(2024, 4, 30),
    run_id: str = "",
) -> Result:
    """A survey whose criteria stand as the letters tell, as in "MMnE": one letter a criterion, see LETTERS."""
    asked = asked or criteria()
    own = run(run_id or f"r-{city.code}", city, criteria_id=asked.id, criteria_sha256=asked.sha256, as_of=as_of)
    pairs = list(zip(asked.criteria, told, strict=True))
    items = [
        _item(own.id, city, judgement(one.id, LETTERS[letter.upper()]), number, confirmed=letter.isupper())
        for number, (one, letter) in enumerate(pairs, 1)
    ]
    return Result(own, asked, tuple(items), score(own, items, asked))


def _item(run_id: str, city: Municipality, judged: Judgement, number: int, *, confirmed: bool) -> QueueItem:
    made = QueueItem(
        number=number, run_id=run_id, municipality=city, judgement=judged, digest=digest(city.code, judged)
    )
    return decided(made, queue.approve(made, reviewer="佐藤", now=NOW)) if confirmed else made


def surveys(told: Mapping[str, str], prefecture: str = "") -> list[Result]:
    return [survey(letters, place(name, prefecture)) for name, letters in told.items()]


def nation(asked: CriteriaSet, seed: int = 7) -> tuple[list[Result], dict[str, int]]:
    """Forty invented municipalities in eleven prefectures, with invented populations: most of them all but decided,
    some half way, three not begun."""
    chance = random.Random(seed)
    results, people = [], {}
    for at, name in enumerate(NAMES):
        city = place(name, PREFECTURES[at % len(PREFECTURES)])
        zeal, done = chance.uniform(0.25, 0.85), chance.choice([0.6, 0.9, 0.97, 1.0, 1.0])
        letters = "".join(_letter(chance, zeal, 0.0 if at % 15 == 4 else done) for _ in asked.criteria)
        results.append(survey(letters, city, asked=asked, as_of=date(2026, 10, 1 + at % 25)))
        people[city.code] = int(chance.lognormvariate(11.3 if name.endswith("市") else 9, 0.7))
    return results, people


def _letter(chance: random.Random, zeal: float, done: float) -> str:
    told = "M" if chance.random() < zeal else chance.choice("NEEEUJ")
    return told if chance.random() < done else told.lower()
