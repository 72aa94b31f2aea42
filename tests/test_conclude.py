"""No claim becomes evidence unverified, and silence about unread pages is never `no_evidence`."""

from datetime import UTC, datetime

import pytest

from pipeline.judge.conclude import conclude
from pipeline.models import (
    Block,
    BlockKind,
    Cause,
    Claim,
    Coverage,
    Criterion,
    Flag,
    Judgement,
    Page,
    Pending,
    Proposal,
    Region,
    SettledBy,
    Source,
    Unread,
    Verdict,
)

NOW = datetime(2026, 11, 20, tzinfo=UTC)
TEXT = "市役所の窓口では、クレジットカードで手数料を支払えます。"
CRITERION = Criterion(
    id="resident-07",
    viewpoint="resident",
    settled_by=SettledBy.TEXT,
    statement_ja="窓口でキャッシュレス決済を導入している",
    statement_en="Cashless payment at the counter",
    counts_ja="",
    counts_en="",
    search_terms=("キャッシュレス", "カード払い", "QR"),
)


def page(text: str = TEXT, sha: str = "a" * 64, source: Source = Source.OFFICIAL) -> Page:
    block = Block(start=0, end=len(text), kind=BlockKind.PARAGRAPH, region=Region.MAIN)
    return Page(sha256=sha, url=f"http://city.example/{sha[0]}", text=text, blocks=(block,), source=source)


def coverage(*unread: Unread, read: int = 10, home_read: bool = True, pending: tuple[Pending, ...] = ()) -> Coverage:
    return Coverage(
        home_read=home_read, found=20, fetched=10, read=read, unread=unread, pending=pending, started=NOW, finished=NOW
    )


def proposed(verdict: Verdict, *claims: Claim) -> Proposal:
    return Proposal(criterion=CRITERION.id, verdict=verdict, claims=claims, confidence=0.9, judge="rules")


def concluded(proposal: Proposal, seen: Coverage, *pages: Page) -> Judgement:
    return conclude(
        proposal,
        criterion=CRITERION,
        pages={one.sha256: one for one in pages or (page(),)},
        coverage=seen,
        criteria_sha256="c" * 64,
        judged_at=NOW,
    )


def test_a_claim_that_stands_on_the_page_becomes_a_quote_of_its_slice() -> None:
    judgement = concluded(proposed(Verdict.MET, Claim(text=TEXT, page_sha256="a" * 64)), coverage())
    assert judgement.verdict is Verdict.MET
    assert [quote.text for quote in judgement.quotes] == [TEXT]


@pytest.mark.parametrize("verdict", [Verdict.MET, Verdict.NOT_MET])
def test_without_a_grounded_claim_nothing_is_said(verdict: Verdict) -> None:
    invented = Claim(text="市税はすべて電子マネーで納められます。", page_sha256="a" * 64)
    judgement = concluded(proposed(verdict, invented), coverage())
    assert judgement.verdict is Verdict.NOT_JUDGED
    assert judgement.quotes == ()
    assert Flag.QUOTE_NOT_FOUND in judgement.flags


def test_one_grounded_claim_of_two_carries_the_verdict_and_the_loss_is_flagged() -> None:
    claims = (Claim(text="存在しない文です。", page_sha256="a" * 64), Claim(text=TEXT, page_sha256="a" * 64))
    judgement = concluded(proposed(Verdict.MET, *claims), coverage())
    assert len(judgement.quotes) == 1
    assert Flag.QUOTE_NOT_FOUND in judgement.flags


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (coverage(), Verdict.NO_EVIDENCE),
        (
            coverage(Unread(url="http://city.example/1", cause=Cause.SERVER, label="キャッシュレス決済")),
            Verdict.UNOBSERVED,
        ),
        (coverage(Unread(url="http://city.example/1", cause=Cause.NEEDS_OCR, label="ｷｬｯｼｭﾚｽ決済")), Verdict.UNOBSERVED),
        (
            coverage(Unread(url="http://city.example/1", cause=Cause.ROBOTS, label="カード払いについて")),
            Verdict.UNOBSERVED,
        ),
        (
            coverage(Unread(url="http://city.example/1", cause=Cause.NOT_FOUND, label="キャッシュレス決済")),
            Verdict.NO_EVIDENCE,
        ),
        (coverage(Unread(url="http://city.example/1", cause=Cause.SERVER, label="ごみの出し方")), Verdict.NO_EVIDENCE),
        (coverage(Unread(url="http://city.example/1", cause=Cause.SERVER, label="QR")), Verdict.NO_EVIDENCE),
        (coverage(home_read=False), Verdict.UNOBSERVED),
        (coverage(read=0), Verdict.UNOBSERVED),
    ],
)
def test_a_failed_fetch_never_reads_as_absent(seen: Coverage, verdict: Verdict) -> None:
    assert concluded(proposed(Verdict.NO_EVIDENCE), seen).verdict is verdict


def test_a_site_mostly_unread_settles_nothing() -> None:
    failures = [Unread(url=f"http://city.example/{n}", cause=Cause.TIMEOUT) for n in range(11)]
    assert concluded(proposed(Verdict.NO_EVIDENCE), coverage(*failures, read=10)).verdict is Verdict.UNOBSERVED
    assert concluded(proposed(Verdict.NO_EVIDENCE), coverage(*failures, read=11)).verdict is Verdict.NO_EVIDENCE


def test_a_failed_page_that_no_label_describes_is_flagged() -> None:
    judgement = concluded(
        proposed(Verdict.NO_EVIDENCE), coverage(Unread(url="http://city.example/7", cause=Cause.SERVER))
    )
    assert judgement.verdict is Verdict.NO_EVIDENCE
    assert judgement.flags == (Flag.PAGES_UNREAD,)


def test_a_dead_link_about_the_criterion_is_shown_to_the_reviewer() -> None:
    gone = Unread(url="http://city.example/1", cause=Cause.NOT_FOUND, label="キャッシュレス決済")
    judgement = concluded(proposed(Verdict.NO_EVIDENCE), coverage(gone))
    assert (judgement.verdict, judgement.unread) == (Verdict.NO_EVIDENCE, (gone,))
    assert judgement.flags == (Flag.PAGES_UNREAD,)


def test_pages_left_for_want_of_budget_are_flagged() -> None:
    seen = coverage(pending=(Pending(url="http://city.example/9", label="キャッシュレス決済の対応施設"),))
    judgement = concluded(proposed(Verdict.NO_EVIDENCE), seen)
    assert judgement.verdict is Verdict.NO_EVIDENCE
    assert judgement.flags == (Flag.BUDGET_SPENT,)


def test_evidence_from_the_press_alone_is_flagged() -> None:
    claim = Claim(text=TEXT, page_sha256="b" * 64)
    judgement = concluded(proposed(Verdict.MET, claim), coverage(), page(sha="b" * 64, source=Source.PRESS))
    assert Flag.PRESS in judgement.flags
