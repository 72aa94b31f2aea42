"""What is published stays as it was, can be made again byte for byte, and is corrected by errata alone."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import stat
import time
from datetime import timedelta
from pathlib import Path

import pytest
from commands import classify, start
from edition_data import AT, LATER, SAID, approved, decide, opened, place, published, surveyed, wish
from queue_data import criteria

from pipeline.editions import changes, issue, parts, publish, verify
from pipeline.errors import EvidenceError, InputError
from pipeline.models import Action, QueueItem, Verdict
from pipeline.report.markdown import escape
from pipeline.review.team import AKASHI
from pipeline.store.log import standing


def contents(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}


def first(home: Path, number: int = 1) -> QueueItem:
    with opened(home) as (sources, _):
        return sources.store.item(number)


# --- publishing -------------------------------------------------------------------------------------------------------


def test_an_edition_says_what_it_was_made_from(tmp_path: Path) -> None:
    edition = published(tmp_path)
    (one,) = edition.municipalities
    folder = tmp_path / "editions" / "dx-2026"
    assert (one.points, one.possible, one.awaiting, one.pages) == (9, 9, 0, 1)
    assert edition.log.last == edition.log.lines == len(one.lines) == 9
    assert (one.judges, one.models, one.prompts) == (("rules",), (), ())
    assert one.crawl is not None and one.crawl.finished - one.crawl.started == timedelta(minutes=5)
    assert {file.path for file in edition.files} == {
        "criteria.json", f"evidence/{place().code}.json",
        *(f"reports/{one}/{place().code}.{suffix}" for one in ("ja", "en") for suffix in ("html", "md", "json")),
        *(f"{part}-{one}.{suffix}" for one in ("ja", "en")
          for part, suffix in (("ranking", "html"), ("workbook", "xlsx"), ("data", "csv"))),
    }  # fmt: skip
    for file in edition.files:
        assert hashlib.sha256((folder / file.path).read_bytes()).hexdigest() == file.sha256
    with opened(tmp_path) as (sources, shelf):
        assert shelf.edition("dx-2026") == edition
        (snapshot,) = sources.archive.snapshots(one.run)
    told = f"{snapshot.sha256} {snapshot.fetched_at.isoformat()} {snapshot.final_url}\n"
    assert one.snapshots.digest == hashlib.sha256(told.encode()).hexdigest()
    assert one.snapshots.cited == (snapshot.sha256,)


def test_anyone_can_count_the_chain_of_the_log_again(tmp_path: Path) -> None:
    edition = published(tmp_path)
    head = "0" * 64
    for line in classify(tmp_path, "queue", "log").splitlines():
        text = json.dumps(json.loads(line), sort_keys=True, separators=(",", ":"))
        head = hashlib.sha256(f"{head}\n{text}".encode()).hexdigest()
    assert head == edition.log.digest


def test_files_are_read_only_and_private(tmp_path: Path) -> None:
    published(tmp_path)
    folder = tmp_path / "editions" / "dx-2026"
    assert {stat.S_IMODE(one.stat().st_mode) for one in folder.rglob("*") if one.is_file()} == {0o444}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_edition_is_never_overwritten(tmp_path: Path) -> None:
    published(tmp_path)
    before = contents(tmp_path / "editions")
    told = classify(tmp_path, "publish", "dx-2026", "--title", "また", "--criteria", "test", code=2)
    assert "never overwritten" in told and "classify errata dx-2026" in told
    assert contents(tmp_path / "editions") == before


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "", ".", "..", "DX", "dx_2026", "-dx", "版", "a" * 65, "a\n", ".part-a", "a.b", "/etc"]
)
def test_a_name_is_no_path(name: str, tmp_path: Path) -> None:
    with opened(tmp_path) as (sources, shelf):
        approved(sources, surveyed(sources, place()))
        with pytest.raises(InputError, match="cannot name an edition"):
            publish(wish(name), sources, shelf)
        with pytest.raises(InputError, match="no edition"):
            shelf.edition(name)
    assert not (tmp_path / "editions").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"title": " "}, "--title"), ({"title": "a\nb"}, "--title"), ({"title": "a\u202eb"}, "--title"),
        ({"title": "あ" * 201}, "--title"), ({"at": AT.replace(tzinfo=None)}, "zone"),
        ({"languages": ("fr",)}, "--language"), ({"languages": ()}, "--language"),
        ({"criteria_id": "other"}, "no finished survey"), ({"codes": ("131016",)}, "no finished survey"),
    ],
)  # fmt: skip
def test_a_wish_that_cannot_be_leaves_nothing(change: dict[str, object], said: str, tmp_path: Path) -> None:
    with opened(tmp_path) as (sources, shelf):
        approved(sources, surveyed(sources, place()))
        with pytest.raises(InputError, match=said):
            publish(wish(**change), sources, shelf)
        assert shelf.names() == []
    assert {one.name for one in (tmp_path / "editions").glob("*")} <= {".lock"}


def test_what_waits_for_a_person_is_published_only_where_that_is_asked_for(tmp_path: Path) -> None:
    with opened(tmp_path) as (sources, shelf):
        approved(sources, surveyed(sources, place())[:7])
        with pytest.raises(InputError, match=r"2 criteria of 1 municipalities wait .*白浜原市 .*--with-unconfirmed"):
            publish(wish(), sources, shelf)
        edition = publish(wish(with_unconfirmed=True), sources, shelf)
    assert edition.with_unconfirmed
    assert edition.municipalities[0].awaiting == 2
    assert [one.verdict for one in edition.municipalities[0].outcomes].count(None) == 2
    assert edition.municipalities[0].points == 7


def test_surveys_by_two_versions_of_the_criteria_are_no_edition(tmp_path: Path) -> None:
    other = criteria().model_copy(update={"sha256": "d" * 64, "version": "2"})
    with opened(tmp_path) as (sources, shelf):
        approved(sources, surveyed(sources, place()))
        items = surveyed(sources, place("千鳥沢村"))
        sources.workspace.keep(other)
        run = sources.store.run(items[0].run_id)
        assert run is not None
        sources.store.save_run(run.model_copy(update={"criteria_sha256": other.sha256}))
        approved(sources, items)
        with pytest.raises(InputError, match="2 versions of the criteria"):
            publish(wish(), sources, shelf)
        assert len(publish(wish(codes=(place().code,)), sources, shelf).municipalities) == 1


def test_a_quote_that_does_not_stand_is_named_and_nothing_is_published(tmp_path: Path) -> None:
    with opened(tmp_path) as (sources, shelf):
        items = surveyed(sources, place())
        quote = items[3].judgement.quotes[0]
        moved = quote.model_copy(update={"start": quote.start + 1, "end": quote.end + 1})
        run = sources.store.run(items[0].run_id)
        assert run is not None
        sources.store.save_judgements(run, [items[3].judgement.model_copy(update={"quotes": (moved,)})])
        approved(sources, sources.store.items(run.id))
        with pytest.raises(EvidenceError) as raised:
            publish(wish(), sources, shelf)
        assert SAID[items[3].judgement.criterion] in str(raised.value)
        assert "白浜原市" in str(raised.value)
        assert quote.page_sha256 in str(raised.value)
    assert not list((tmp_path / "editions").glob("dx-2026"))
    assert not list((tmp_path / "editions").glob(".part-*"))


def test_a_page_that_the_archive_has_lost_is_no_proof(tmp_path: Path) -> None:
    with opened(tmp_path) as (sources, shelf):
        approved(sources, surveyed(sources, place()))
    shutil.rmtree(tmp_path / "archive")
    with opened(tmp_path) as (sources, shelf), pytest.raises(EvidenceError, match="9|policy-01"):
        publish(wish(), sources, shelf)


def test_a_part_over_all_municipalities_is_frozen_and_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def totals(contents: parts.Contents, frame: parts.Frame, folder: Path) -> None:
        told = [[(one.run.municipality.name, one.score.points) for one in contents] for _ in range(2)]
        assert told[0] == told[1]
        parts.written(folder / "totals.txt", f"{frame.title} {told[0]}")

    monkeypatch.setattr(parts, "PARTS", (*parts.PARTS, totals))
    edition = published(tmp_path)
    assert "totals.txt" in {file.path for file in edition.files}
    assert "('白浜原市', 9)" in (tmp_path / "editions/dx-2026/totals.txt").read_text("utf-8")
    with opened(tmp_path) as (sources, shelf):
        assert verify("dx-2026", sources, shelf).problems == ()


def test_populations_are_kept_with_the_edition(tmp_path: Path) -> None:
    """What is compared with what depends on them, so a check needs no file from outside."""
    told = tmp_path / "people.csv"
    told.write_text("code,population\n131016,66680\n", "utf-8")
    published(tmp_path / "home", populations=told)
    told.unlink()
    assert (tmp_path / "home/editions/dx-2026/populations.csv").read_text("utf-8").endswith("66680\n")
    assert "as published" in classify(tmp_path / "home", "editions", "verify", "dx-2026")


def test_reports_bear_the_title_and_compare_within_the_edition(tmp_path: Path) -> None:
    with opened(tmp_path) as (sources, shelf):
        for name in ("白浜原市", "大浦戸市", "府津見市", "千代川原市"):
            approved(sources, surveyed(sources, place(name), 9 if name == "白浜原市" else 5))
        publish(wish(title="令和八年 <秋>"), sources, shelf)
    page = (tmp_path / f"editions/dx-2026/reports/ja/{place().code}.html").read_text("utf-8")
    assert "令和八年 &lt;秋&gt;" in page and "3団体と比べました" in page


def test_a_copy_of_the_workspace_publishes_the_same_bytes(tmp_path: Path) -> None:
    with opened(tmp_path / "one") as (sources, _):
        approved(sources, surveyed(sources, place()))
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    for home in ("one", "two"):
        with opened(tmp_path / home) as (sources, shelf):
            publish(wish(), sources, shelf)
    assert contents(tmp_path / "one" / "editions" / "dx-2026") == contents(tmp_path / "two" / "editions" / "dx-2026")


# --- killed -----------------------------------------------------------------------------------------------------------


def test_a_publication_that_is_killed_leaves_no_half_edition(tmp_path: Path) -> None:
    """Killed as soon as it has begun to write, and at later moments; the next one is whole and cleans up."""
    with opened(tmp_path) as (sources, shelf):
        for number in range(12):
            approved(sources, surveyed(sources, place(f"第{number}架空町")))
    editions, halves = tmp_path / "editions", 0
    for number, wait_s in enumerate((0.0, 0.02, 0.08)):
        name = f"killed-{number}"
        process = start(tmp_path, "publish", name, "--title", "版", "--criteria", "test", "--at", AT.isoformat())
        while process.poll() is None and not list(editions.glob(".part-*/reports")):
            time.sleep(0.002)
        time.sleep(wait_s)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        halves += len(list(editions.glob(".part-*")))
        if (editions / name).exists():
            assert "as published" in classify(tmp_path, "editions", "verify", name)
    assert halves, "no kill has met a publication under way"
    classify(tmp_path, "publish", "whole", "--title", "版", "--criteria", "test", "--at", AT.isoformat())
    assert not list(editions.glob(".part-*"))
    assert "as published" in classify(tmp_path, "editions", "verify", "whole")


def test_two_publications_do_not_meet(tmp_path: Path) -> None:
    published(tmp_path)
    with opened(tmp_path) as (sources, shelf), shelf.locked():
        told = classify(tmp_path, "publish", "other", "--title", "版", "--criteria", "test", code=2)
        assert "another publication is under way" in told


# --- made again -------------------------------------------------------------------------------------------------------


def test_tomorrows_decisions_change_nothing(tmp_path: Path) -> None:
    published(tmp_path)
    before = contents(tmp_path / "editions" / "dx-2026")
    with opened(tmp_path) as (sources, shelf):
        decide(sources, first(tmp_path), Action.UNDO)
        decide(sources, first(tmp_path), Action.AMEND, note="違うページだった")
        decide(sources, first(tmp_path, 2), Action.UNDO)
        approved(sources, surveyed(sources, place(), met=3, run_id="20270101T000000Z"))  # a later survey
        found = verify("dx-2026", sources, shelf)
    assert (found.problems, found.notes) == ((), ())
    assert found.files == 14
    assert contents(tmp_path / "editions" / "dx-2026") == before


def test_an_edition_of_judgements_that_were_replaced_is_made_again_from_its_own_copy(tmp_path: Path) -> None:
    published(tmp_path)
    with opened(tmp_path) as (sources, shelf):
        items = sources.store.items(first(tmp_path).run_id)
        run = sources.store.run(items[0].run_id)
        assert run is not None
        anew = [one.judgement.model_copy(update={"judged_at": LATER, "rationale": "別の判定"}) for one in items]
        sources.store.save_judgements(run, anew)
        found = verify("dx-2026", sources, shelf)
    assert found.problems == ()
    assert "judged again since" in found.notes[0]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("reports/ja/{code}.html", "was changed"),
        ("evidence/{code}.json", "was changed"),
        ("criteria.json", "was changed"),
        ("edition.json", "not what database and archive give"),
        ("reports/ja/{code}.md", "is missing"),
        ("reports/ja/more.html", "was added"),
    ],
)  # fmt: skip
def test_what_was_tampered_with_is_found(path: str, said: str, tmp_path: Path) -> None:
    published(tmp_path)
    place_ = tmp_path / "editions" / "dx-2026" / path.format(code=place().code)
    text = place_.read_text("utf-8") if place_.exists() else ""
    place_.unlink(missing_ok=True)
    if said != "is missing":
        changed = text.replace('"points": 9', '"points": 8') if path == "edition.json" else f"{text} "
        assert changed != text
        place_.write_text(changed, "utf-8")
    told = classify(tmp_path, "editions", "verify", "dx-2026", code=1)
    assert said in told and place_.name in told and "NOT as published" in told
    assert classify(tmp_path, "publish", "--check", "dx-2026", code=1) == told


def test_files_and_edition_changed_together_are_found_in_the_database(tmp_path: Path) -> None:
    edition = published(tmp_path)
    folder = tmp_path / "editions" / "dx-2026"
    page = folder / f"reports/ja/{place().code}.html"
    forged = page.read_bytes().replace("白浜原市".encode(), "黒浜原市".encode())
    old = next(one for one in edition.files if one.path == f"reports/ja/{place().code}.html")
    page.unlink()
    page.write_bytes(forged)
    new = old.model_copy(update={"sha256": hashlib.sha256(forged).hexdigest(), "bytes": len(forged)})
    files = tuple(new if one == old else one for one in edition.files)
    (folder / "edition.json").unlink()
    (folder / "edition.json").write_text(edition.model_copy(update={"files": files}).model_dump_json(indent=1) + "\n")
    with opened(tmp_path) as (sources, shelf):
        problems = verify("dx-2026", sources, shelf).problems
    assert any(one.startswith(f"{old.path} is not what database and archive give") for one in problems)


def test_a_lost_archive_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    published(tmp_path)
    shutil.rmtree(tmp_path / "archive")
    assert "cannot be made again" in classify(tmp_path, "editions", "verify", "dx-2026", code=1)


def test_either_database_makes_the_edition_again(database_url: str, tmp_path: Path) -> None:
    with opened(tmp_path, database_url) as (sources, shelf):
        items = surveyed(sources, place())
        approved(sources, items)
        publish(wish(), sources, shelf)
        decide(sources, items[0], Action.UNDO, note="誤り")
        issue("dx-2026", sources, shelf, at=LATER)
        assert verify("dx-2026", sources, shelf).problems == ()


# --- errata -----------------------------------------------------------------------------------------------------------


def test_nothing_is_issued_where_nothing_has_changed(tmp_path: Path) -> None:
    published(tmp_path)
    assert "nothing to correct" in classify(tmp_path, "errata", "dx-2026", "--issue")
    with opened(tmp_path) as (sources, _):
        decide(sources, first(tmp_path), Action.UNDO)
        decide(sources, first(tmp_path), Action.APPROVE, note="やはり正しい")
        decide(sources, first(tmp_path, 2), Action.NOTE, note="見た")
    assert "nothing to correct" in classify(tmp_path, "errata", "dx-2026", "--issue")
    assert not (tmp_path / "editions" / "dx-2026" / "errata").exists()


def test_errata_follow_each_other(tmp_path: Path) -> None:
    """Amended, then another one taken back, then the first one put right again: each tells only what is new."""
    published(tmp_path)
    before = contents(tmp_path / "editions" / "dx-2026")
    with opened(tmp_path) as (sources, shelf):
        decide(sources, first(tmp_path), Action.UNDO)
        decide(sources, first(tmp_path), Action.AMEND, note="違うページだった")
        (one,) = issue("dx-2026", sources, shelf, at=LATER)
        decide(sources, first(tmp_path, 2), Action.UNDO, note="確認し直す")
        (two,) = issue("dx-2026", sources, shelf, at=LATER)
        decide(sources, first(tmp_path), Action.UNDO, note="元の判断が正しかった")
        decide(sources, first(tmp_path), Action.APPROVE)
        (three,) = issue("dx-2026", sources, shelf, at=LATER + timedelta(days=1))
        assert changes(shelf.edition("dx-2026"), shelf.errata("dx-2026"), sources) == []
        assert issue("dx-2026", sources, shelf, at=LATER + timedelta(days=2)) == []
        assert verify("dx-2026", sources, shelf).problems == ()
    told = [(one.erratum.number, one.erratum.points_before, one.erratum.points_after) for one in (one, two, three)]
    assert told == [(1, 9, 8), (2, 8, 7), (3, 7, 8)]
    said = [(c.criterion, c.before, c.after, c.note) for i in (one, two, three) for c in i.erratum.corrections]
    assert said == [
        ("policy-01", Verdict.MET, Verdict.NO_EVIDENCE, "違うページだった"),
        ("policy-02", Verdict.MET, None, "確認し直す"),
        ("policy-01", Verdict.NO_EVIDENCE, Verdict.MET, "元の判断が正しかった"),
    ]
    after = contents(tmp_path / "editions" / "dx-2026")
    assert {name: after[name] for name in before} == before
    assert {name for name in after if name not in before} == {
        f"errata/000{number}.{suffix}" for number in (1, 2, 3) for suffix in ("json", "html", "md")
    }


def test_a_correction_without_a_note_needs_a_reason(tmp_path: Path) -> None:
    published(tmp_path)
    with opened(tmp_path) as (sources, _):
        decide(sources, first(tmp_path), Action.UNDO)
    assert "no decision says why: 白浜原市 policy-01" in classify(tmp_path, "errata", "dx-2026", "--issue", code=2)
    assert not (tmp_path / "editions" / "dx-2026" / "errata").exists()
    at = ("--at", LATER.isoformat())
    told = classify(tmp_path, "errata", "dx-2026", "--issue", "--reason", "担当課の申し出", *at)
    assert "9 -> 8 points" in told and "met -> unconfirmed" in told and "0001.json" in told
    page = (tmp_path / "editions" / "dx-2026" / "errata" / "0001.html").read_text("utf-8")
    assert "担当課の申し出" in page and "2027-02-01" in page


def test_evidence_that_was_replaced_is_a_correction(tmp_path: Path) -> None:
    published(tmp_path)
    with opened(tmp_path) as (sources, shelf):
        one, other = first(tmp_path), first(tmp_path, 2)
        decide(sources, one, Action.UNDO)
        from pipeline.review import queue

        line = queue.amend(
            sources.store.item(1), verdict=Verdict.MET, quotes=other.judgement.quotes, reviewer="青木", now=LATER,
            note="より直接の文",
        )  # fmt: skip
        sources.store.record(line)
        (issued,) = issue("dx-2026", sources, shelf, at=LATER)
    assert (issued.erratum.points_before, issued.erratum.points_after) == (9, 9)
    assert issued.erratum.corrections[0].before is issued.erratum.corrections[0].after is Verdict.MET
    assert "根拠を差し替え" in (tmp_path / "editions/dx-2026/errata/0001.html").read_text("utf-8")


def test_a_page_that_changes_later_corrects_nothing(tmp_path: Path) -> None:
    """Akashi sends a confirmation back where a later survey finds another page; what a person then says is of that."""
    published(tmp_path)
    with opened(tmp_path) as (sources, shelf):
        held = standing(first(tmp_path).decisions)
        assert held is not None
        back = {"action": Action.RETURN, "verdict": None, "quotes": (), "reviewer": AKASHI, "note": "変わった"}
        sources.store.record(held.model_copy(update=back | {"decided_at": LATER}))
        decide(sources, first(tmp_path), Action.AMEND, note="今は載っていない")
        (found,) = changes(shelf.edition("dx-2026"), [], sources)
        assert (found.corrections, found.reopened, found.lines) == ((), ("policy-01",), ())
        assert issue("dx-2026", sources, shelf, at=LATER) == []


def test_a_later_survey_corrects_nothing(tmp_path: Path) -> None:
    published(tmp_path)
    with opened(tmp_path) as (sources, shelf):
        approved(sources, surveyed(sources, place(), met=2, run_id="20270101T000000Z"))
        assert changes(shelf.edition("dx-2026"), [], sources) == []


def test_an_erratum_is_not_older_than_what_it_corrects(tmp_path: Path) -> None:
    published(tmp_path)
    with opened(tmp_path) as (sources, shelf):
        decide(sources, first(tmp_path), Action.UNDO, note="誤り")
        with pytest.raises(InputError, match="before the edition"):
            issue("dx-2026", sources, shelf, at=AT - timedelta(days=1))
        with pytest.raises(InputError, match="zone"):
            issue("dx-2026", sources, shelf, at=LATER.replace(tzinfo=None))


def test_an_erratum_that_was_changed_is_found(tmp_path: Path) -> None:
    published(tmp_path)
    with opened(tmp_path) as (sources, shelf):
        decide(sources, first(tmp_path), Action.UNDO, note="誤り")
        issue("dx-2026", sources, shelf, at=LATER)
        for suffix, old, new in ((".md", "9 → 8", "9 → 9"), (".json", '"points_after": 8', '"points_after": 9')):
            path = tmp_path / "editions" / "dx-2026" / "errata" / f"0001{suffix}"
            kept = path.read_text("utf-8")
            path.chmod(0o644)
            path.write_text(kept.replace(old, new), "utf-8")
            assert any(path.name in one for one in verify("dx-2026", sources, shelf).problems)
            path.write_text(kept, "utf-8")
        assert verify("dx-2026", sources, shelf).problems == ()
        (tmp_path / "editions/dx-2026/errata/0002.html").write_text("x")
        assert any("0002.html was added" in one for one in verify("dx-2026", sources, shelf).problems)


def test_an_erratum_that_was_taken_away_is_missed(tmp_path: Path) -> None:
    published(tmp_path)
    with opened(tmp_path) as (sources, shelf):
        for number in (1, 2):
            decide(sources, first(tmp_path, number), Action.UNDO, note="誤り")
            issue("dx-2026", sources, shelf, at=LATER)
        for suffix in ("json", "html", "md"):
            (tmp_path / f"editions/dx-2026/errata/0001.{suffix}").unlink()
        assert verify("dx-2026", sources, shelf).problems


HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1)) | \u202e 版"


def test_words_of_others_stay_words(tmp_path: Path) -> None:
    title = HOSTILE.replace("\u202e", "")
    published(tmp_path, title=title)
    with opened(tmp_path) as (sources, shelf):
        decide(sources, first(tmp_path), Action.UNDO, note=HOSTILE)
        issue("dx-2026", sources, shelf, at=LATER)
    page = (tmp_path / "editions/dx-2026/errata/0001.html").read_text("utf-8")
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "\u202e" not in page
    text = (tmp_path / "editions/dx-2026/errata/0001.md").read_text("utf-8")
    assert "<script" not in text and "](" not in text.replace(escape("]("), "") and "\u202e" not in text
    row = next(line for line in text.splitlines() if line.startswith("| policy-01"))
    assert row.count("|") == 6
    assert "\u202e" not in classify(tmp_path, "errata", "dx-2026")
    assert "\x1b" not in classify(tmp_path, "editions")


# --- the command line -------------------------------------------------------------------------------------------------


def test_an_edition_bears_the_time_that_is_given(tmp_path: Path) -> None:
    with opened(tmp_path) as (sources, _):
        approved(sources, surveyed(sources, place()))
    told = classify(tmp_path, "publish", "dx-2026", "--title", "2026年版", "--criteria", "test",
                    "--at", "2026-11-26T10:00:00+09:00")  # fmt: skip
    assert "1 municipalities, 9 decisions up to line 9, 14 files" in told
    sha256 = hashlib.sha256((tmp_path / "editions/dx-2026/edition.json").read_bytes()).hexdigest()
    assert f"edition.json sha256 {sha256}" in told
    assert "before its newest decision" not in told
    assert "2026-11-26T10:00:00+09:00" in classify(tmp_path, "editions")
    told = classify(
        tmp_path, "publish", "early", "--title", "版", "--criteria", "test", "--at", "2026-11-01T10:00+09:00"
    )
    assert "before its newest decision" in told


@pytest.mark.parametrize("at", ["yesterday", "2026-11-26", "2026-11-26T10:00:00"])
def test_a_time_without_a_zone_is_refused(at: str, tmp_path: Path) -> None:
    assert "--at" in classify(tmp_path, "publish", "dx-2026", "--title", "版", "--at", at, code=2)


def test_an_edition_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    assert "No edition yet" in classify(tmp_path, "editions")
    published(tmp_path)
    for command in (("editions", "verify"), ("errata",), ("publish", "--check")):
        assert "Editions: dx-2026" in classify(tmp_path, *command, "dx-1999", code=2)


def test_a_damaged_edition_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    published(tmp_path)
    path = tmp_path / "editions" / "dx-2026" / "edition.json"
    path.unlink()
    path.write_text("{}")
    assert f"{path} is damaged" in classify(tmp_path, "editions", "verify", "dx-2026", code=2)


def test_a_real_survey_is_published_and_made_again(workspace: Path) -> None:
    """The demo city, through the command line."""
    told = classify(workspace, "publish", "demo", "--title", "試行版", "--city", "demo", code=2)
    assert "31 criteria of 1 municipalities wait" in told
    classify(workspace, "publish", "demo", "--title", "試行版", "--city", "demo", "--with-unconfirmed")
    classify(workspace, "queue", "approve", "1", "--reviewer", "青木")
    assert "14 files made again byte for byte" in classify(workspace, "editions", "verify", "demo")
    assert "unconfirmed -> met" in classify(workspace, "errata", "demo")
