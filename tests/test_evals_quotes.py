"""Whether the judge's evidence is the labeller's: the page and the words of a quote, case by case."""

from __future__ import annotations

import pytest
from eval_data import case

from evals.labels import Evidence
from evals.metrics import Share
from evals.quotes import on_gold_page, overlaps, quote_agreement

LONG = "令和7年度からRPAを導入し、入力作業を自動化しています。"
OTHER = "キャッシュレス決済が使えます。"
ACCOUNT = "https://x.example/shino"


def evidence(path: str, quote: str = "", href: str = "") -> tuple[Evidence, ...]:
    return (Evidence(path=path, quote=quote, href=href),) if path else ()


@pytest.mark.parametrize(
    ("gold", "said", "page", "words"),
    [
        (evidence("/a.html", LONG), evidence("/a.html", LONG), True, True),
        (evidence("/a.html", LONG), evidence("/b.html", LONG), False, False),
        (evidence("/a.html", LONG), evidence("/a.html", OTHER), True, False),
        (evidence("/a.html", LONG), evidence("/a.html", "RPAを導入し"), True, True),
        (evidence("/a.html", "RPAを導入し"), evidence("/a.html", LONG), True, True),
        (evidence("/a.html", LONG), evidence("/a.html", LONG.replace("RPA", "ＲＰＡ ")), True, True),
        (evidence("/x/", LONG), evidence("/x/index.html", LONG), True, True),
        (evidence("/index.html", LONG), evidence("/", LONG), True, True),
        (evidence("/a.html", "アイウエオカ"), evidence("/a.html", "アイウエ三四"), True, True),  # three of five pairs
        (evidence("/a.html", "アイウエオカ"), evidence("/a.html", "アイウ二三四"), True, False),  # two of five
        (evidence("/a.html", "公式X", ACCOUNT), evidence("/a.html", "エックス", ACCOUNT), True, True),
        (evidence("/a.html", "公式X", ACCOUNT), evidence("/a.html", "エックス", ACCOUNT + "2"), True, False),
        (evidence("/a.html", "公式X", ACCOUNT), evidence("/b.html", "公式X", ACCOUNT), False, False),
        (evidence("/a.html"), evidence("/a.html"), True, True),  # a measurement
        (evidence("/a.html"), evidence("/b.html"), False, False),
        (evidence("/a.html"), evidence("/a.html", LONG), True, False),
        (evidence("/a.html", LONG) + evidence("/b.html", OTHER), evidence("/b.html", OTHER), True, True),
        (evidence("/a.html", LONG) + evidence("/b.html", OTHER), evidence("/b.html", LONG), True, False),
        (evidence("/a.html", LONG), evidence("/b.html", LONG) + evidence("/a.html", LONG), True, True),
        (evidence("/a.html", LONG), (), False, False),
    ],
)
def test_page_and_words_of_a_quote_beside_the_label(
    gold: tuple[Evidence, ...], said: tuple[Evidence, ...], page: bool, words: bool
) -> None:
    one = case(evidence=gold, quotes=said)
    assert (on_gold_page(one), overlaps(one)) == (page, words)


def test_a_quote_of_one_mark_is_like_itself() -> None:
    assert overlaps(case(evidence=evidence("/a.html", "○"), quotes=evidence("/a.html", "○")))


def test_a_page_with_a_japanese_name_is_the_page_of_that_name() -> None:
    assert on_gold_page(case(evidence=evidence("/窓口.html"), quotes=evidence("/%E7%AA%93%E5%8F%A3.html")))


def test_quotes_are_asked_only_where_the_verdict_agrees_and_the_label_has_evidence() -> None:
    there, elsewhere = evidence("/a.html", LONG), evidence("/b.html", LONG)
    found = quote_agreement(
        [
            case("met met", evidence=there, quotes=there),
            case("not_met not_met", evidence=there, quotes=elsewhere),
            case("met not_met", evidence=there, quotes=there),
            case("met met", quotes=there),
            case("no_evidence no_evidence"),
        ]
    )
    assert [(one.hit, one.of) for one in (found.gold_page, found.overlap)] == [(1, 2), (1, 2)]
    assert quote_agreement([]).overlap == Share(0, 0, "no agreed verdict rests on evidence")
