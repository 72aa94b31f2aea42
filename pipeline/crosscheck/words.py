"""The words of the page: Japanese as written here, English by a catalog."""

from __future__ import annotations

from pathlib import Path

from pipeline.crosscheck.nouns import Answer, How, NoKappa, Relation, Why
from pipeline.language import Say, spoken
from pipeline.report.words import OUTCOMES

CATALOGS = Path(__file__).parent / "locale"

RELATIONS = {
    Relation.AGREE: "一致",
    Relation.FOUND_NOTHING: "調査は「実施」、ページに根拠見当たらず",
    Relation.PAGE_SAYS_NO: "調査は「実施」、ページは否定",
    Relation.WE_SAY_MET: "調査は「未実施」、ページは該当",
    Relation.SILENT: "調査に回答なし",
    Relation.NOT_COMPARABLE: "比べられない",
}
ANSWERS = {Answer.YES: "実施", Answer.NO: "未実施", Answer.SILENT: "回答なし"}
HOWS = {
    How.SAME: "同じことを問う",
    How.NARROWER: "調査のほうが狭い",
    How.BROADER: "調査のほうが広い",
    How.RELATED: "関連する",
}
WHYS = {
    Why.RELATED: "関連するだけの問いなので",
    Why.NARROWER: "項目はほかのことも数え、調査の「未実施」からは言えないので",
    Why.BROADER: "調査はほかのことも問い、調査の「実施」からは言えないので",
    Why.UNJUDGED: "ページからの判定がないので",
}
NO_KAPPAS = {
    NoKappa.ONE_WAY: "調査の回答の一方だけを比べるので求められない",
    NoKappa.FEW: "組が少なすぎて求められない",
    NoKappa.ALL_ALIKE: "回答と判定がすべて同じで、偶然でも同じだけ一致する",
}
VERDICTS = {verdict: outcome.word for verdict, outcome in OUTCOMES.items()}


def say(language: str) -> Say:
    """The function `_` of the templates."""
    return spoken(CATALOGS, language)


def all_words() -> set[str]:
    """Every Japanese word of the enumerations, for the test that the English catalog is complete."""
    return {word for said in (RELATIONS, ANSWERS, HOWS, WHYS, NO_KAPPAS, VERDICTS) for word in said.values()}
