"""classify eval: judges run over labelled sites, the page of a run, two runs compared, and what bad input is told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from commands import classify
from eval_data import LABELS, RPA, SLUG, label, labelled_site
from selectolax.lexbor import LexborHTMLParser

from evals.kept import Runs
from evals.labels import load, schema
from evals.nouns import EvalRun, How
from evals.suite import Job, run
from pipeline.criteria import load as load_criteria
from pipeline.panel import Wish, panel
from pipeline.settings import Settings

ATTACKS = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "</table><h1>x")
LABELLED = Path(__file__).resolve().parents[1] / "evals" / "labels"
LATER = "29990101T000000Z"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a labelled site and a run of the rules over its files. Not to be changed: `home` is a copy."""
    home = tmp_path_factory.mktemp("kept")
    labelled_site(home / "labels" / SLUG)
    classify(home, "eval", "run", "--labels", str(home / "labels"), "--how", "files")
    return home


@pytest.fixture
def home(kept: Path, tmp_path: Path) -> Path:
    return shutil.copytree(kept, tmp_path / "home")


def runs(home: Path) -> list[str]:
    return Runs(home / "evals").ids()


def another(home: Path, judge: str, said: Mapping[str, str] | None = None, **changes: Any) -> Path:
    """A later run of another judge, made of the kept one with other verdicts; returns its file."""
    told = json.loads((home / "evals" / f"{runs(home)[0]}.json").read_text("utf-8"))
    for one in told["cases"]:
        one["said"] = (said or {}).get(one["criterion"], one["said"])
    told |= {"judge": judge, "id": f"{LATER}-{judge.replace('/', '_')}"} | changes
    path = home / "evals" / f"{told['id']}.json"
    path.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    return path


# --- run --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [How.CRAWLED, How.FILES])
def test_a_run_prints_the_table_and_is_kept(tmp_path: Path, how: How) -> None:
    labels = labelled_site(tmp_path / "labels" / SLUG)
    told = classify(tmp_path, "eval", "run", "--labels", str(labels), "--how", how)
    (name,) = runs(tmp_path)
    found = Runs(tmp_path / "evals").find(name)
    assert f"classify eval report {name}" in told and str(tmp_path / "evals" / f"{name}.json") in told
    (row,) = [line for line in told.splitlines() if line.startswith("│pooled")]
    assert [cell.strip() for cell in row.strip("│").split("│")][:6] == ["pooled", "6", "3", "5/6", "2/2", "2/3"]
    (site,) = found.sites
    assert (site.slug, site.how, site.read, site.unread) == (SLUG, how, 3, 0)
    assert (site.digest, site.as_of) == (load(labels)[0].digest, date(2026, 11, 20))
    assert [(one.criterion, one.gold.value) for one in found.cases] == [
        (one["criterion"], one["verdict"]) for one in LABELS
    ]
    assert [one.criterion for one in found.cases if not one.agrees] == ["ops-09"]
    assert [(one.path, one.quote) for one in found.cases[0].quotes] == [("/digital.html", RPA)]
    assert "Evidence where the verdict agrees: on a labelled page 1.00 (3/3)" in told


def test_a_shipped_site_is_measured_as_it_is(tmp_path: Path) -> None:
    """Two of its 31 labels say skip: only a live measurement tells."""
    told = classify(tmp_path, "eval", "run", "--labels", str(LABELLED / "kirigakubo"), "--how", "files")
    assert "1 sites, 29 labels" in told and "│kirigakubo" in told
    assert not (tmp_path / "akashi.db").exists()  # measured in a workspace of its own


def test_the_runs_are_listed_and_found_by_name_beginning_judge_and_file(home: Path, tmp_path: Path) -> None:
    (first,) = runs(home)
    path = another(home, "gpt-5-mini", {"ops-09": "met"})
    listed = classify(home, "eval", "list").splitlines()
    assert listed == [f"{first}  rules  1 sites  5/6 agree", f"{LATER}-gpt-5-mini  gpt-5-mini  1 sites  6/6 agree"]
    for name in ("", "gpt-5-mini", LATER, f"{LATER}-gpt-5-mini", str(path)):
        assert classify(home, "eval", "report", *filter(None, [name])).startswith("gpt-5-mini · ")
    assert classify(home, "eval", "report", "rules").startswith("rules · ")


def test_the_schema_is_printed(tmp_path: Path) -> None:
    assert json.loads(classify(tmp_path, "eval", "schema")) == schema()


# --- report -----------------------------------------------------------------------------------------------------------


def test_the_page_of_a_run_is_one_file_that_loads_nothing(home: Path, tmp_path: Path) -> None:
    told = classify(home, "eval", "report", "--out", str(tmp_path / "page.html"))
    assert told.rstrip().endswith(str(tmp_path / "page.html"))
    assert (home / "evals" / f"{runs(home)[0]}.html").exists() is False
    text = (tmp_path / "page.html").read_text("utf-8")
    harmless(text)
    shown = LexborHTMLParser(text).text()
    for words in ("試野市", "missed: it is there", "自由に席を選べます", "6 labels", "5/6"):
        assert words in shown
    classify(home, "eval", "report")
    assert (home / "evals" / f"{runs(home)[0]}.html").read_text("utf-8") == text


def harmless(text: str) -> None:
    tree = LexborHTMLParser(text)
    assert not tree.css(
        "script, img, iframe, object, embed, form, base, link, a, [src], [href], [style], meta[http-equiv=refresh]"
    )
    assert not [name for node in tree.css("*") for name in node.attributes if name.startswith("on")]
    style = "".join(node.text() for node in tree.css("style"))
    assert "url(" not in style and "@import" not in style
    (policy,) = tree.css("meta[http-equiv=Content-Security-Policy]")
    assert (policy.attributes["content"] or "").startswith("default-src 'none'")


def test_whatever_labels_pages_and_judges_say_is_text_on_the_page(tmp_path: Path) -> None:
    attack = " ".join(ATTACKS)
    labels = [
        label("ops-08", "no_evidence", note=attack),
        label("policy-03", "unobserved", note=attack, trap=f"trap {attack}", hard=True),
        label("ops-09", "met", f"/path{attack}", f"quote {attack}", note=attack),
    ]
    home = labelled_site(tmp_path / SLUG, labels, name=f"name {attack}").parent
    told = classify(home, "eval", "run", "--labels", str(home / SLUG), "--how", "files")
    path = another(home, f"judge {attack}", id="attack")
    path.write_text(path.read_text("utf-8").replace(RPA, json.dumps(f"said {attack}")[1:-1]), encoding="utf-8")
    told += classify(home, "eval", "report", str(path))
    assert "3 errors" in told and "judge: said <script>alert(1)</script>" in told
    text = (home / "evals" / "attack.html").read_text("utf-8")
    harmless(text)
    shown = " ".join(LexborHTMLParser(text).text().split())
    for place in ("name ", "judge ", "trap ", "quote ", "/path", "said "):
        assert f"{place}{attack}" in shown, place


def test_what_could_turn_the_terminal_s_writing_is_shown_as_a_mark(tmp_path: Path) -> None:
    labels = [
        label("policy-03", "unobserved", trap="\x1b[31mred\x1b]0;title\x07 \u202eturned [bold]x[/bold] [/nothing]"),
        label("ops-09", "met", "/index.html", "[link=https://evil.example]x[/link] \x9b2J"),
    ]
    home = labelled_site(tmp_path / SLUG, labels).parent
    told = classify(home, "eval", "run", "--labels", str(home / SLUG), "--how", "files")
    assert "?[31mred?]0;title? ?turned [bold]x[/bold] [/nothing]" in told
    assert "[link=https://evil.example]x[/link] ?2J" in told
    assert not set("\x1b\x07\u202e\x9b") & set(told)


# --- compare ----------------------------------------------------------------------------------------------------------


def test_two_runs_are_compared_with_every_verdict_that_flipped_losses_first(home: Path) -> None:
    another(home, "A", {"resident-09": "met"})
    another(home, "B", {"ops-08": "no_evidence", "ops-09": "not_met"})
    told = classify(home, "eval", "compare", "A", "B")
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in told.splitlines() if "│" in line]
    assert "3 verdicts flipped" in told
    marks = [row[0] for row in rows if row[0] in ("−", "=", "+")]
    where = [row[1] for row in rows if row[1] in ("ops-08", "ops-09", "resident-09")]
    assert list(zip(marks, where, strict=True)) == [("−", "ops-08"), ("=", "ops-09"), ("+", "resident-09")]
    assert ["agreement", "0.67", "0.67", "+0.000"] in [row[:4] for row in rows]
    assert ["recall", "0.67", "0.33", "-0.333"] in [row[:4] for row in rows]
    assert [SLUG, "4", "4", "6"] in rows and ["ops-08", "1", "0", "1"] in rows
    assert "0 verdicts flipped" in classify(home, "eval", "compare", "A", "A")


@pytest.mark.parametrize("change", [{"digest": "0" * 64}, {"slug": "other"}])
def test_runs_on_other_labels_or_pages_are_not_compared(home: Path, change: dict[str, str]) -> None:
    site = json.loads((home / "evals" / f"{runs(home)[0]}.json").read_text("utf-8"))["sites"][0]
    another(home, "B", sites=[site | change])
    told = classify(home, "eval", "compare", "rules", "B", code=2)
    assert "other labels or pages of " in told and SLUG in told and "eval run --judge A --judge B" in told


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("report", "nope"), ("no eval run nope in", "-rules", "classify eval run")),
        (("compare", "rules", "nope"), ("no eval run nope in",)),
        (("report", "labels/shino/manifest.json"), ("manifest.json: not an eval run", "classify eval run")),
        (("report", "--out", "nowhere/page.html"), ("--out nowhere/page.html: cannot be written",)),
        (("run", "--labels", "labels", "--how", "sideways"), ("--how sideways: give crawled, files, archived",)),
        (("run", "--labels", "nowhere"), ("nowhere: no such folder or file", "Give a folder of labelled sites")),
        (("run", "--labels", "evals"), ("evals: no labels.jsonl",)),
        (("run", "--labels", "labels", "--judge", "rules,gpt-5-mini"), ("--judge rules --judge gpt-5-mini",)),
        (("run", "--labels", "labels", "--judge", " "), ("--judge: give each judge",)),
        (("run", "--labels", "labels", "--criteria", "nowhere.yaml"), ("nowhere.yaml",)),
        (("run", "--labels", "strange"), ("shino: ops-77: no criterion of dx-2024", "--criteria")),
        (("run", "--labels", "bare"), ("is not surveyed in this workspace", "classify --city")),
    ],
)
def test_bad_input_is_told_and_nothing_kept(
    home: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], why: tuple[str, ...]
) -> None:
    labelled_site(home / "strange", [label("ops-77", "met")])
    shutil.rmtree(labelled_site(home / "bare") / "site")
    monkeypatch.chdir(home)
    before = sorted(home.rglob("evals/*"))
    told = classify(home, "eval", *arguments, code=2)
    assert all(words in told for words in why), told
    assert sorted(home.rglob("evals/*")) == before


def test_without_a_run_it_says_how_to_make_one(tmp_path: Path) -> None:
    assert "no eval run at all" in classify(tmp_path, "eval", "report", code=2)
    assert classify(tmp_path, "eval", "list") == ""


# --- bugs -------------------------------------------------------------------------------------------------------------


def test_a_whole_id_names_that_run_and_not_one_whose_id_goes_on(home: Path) -> None:
    for judge in ("gpt-5", "gpt-5-mini"):  # as one command names them: both runs are of one second
        another(home, judge)
    assert classify(home, "eval", "report", f"{LATER}-gpt-5").startswith("gpt-5 · ")


def test_a_judge_with_a_slash_in_its_name_is_found_by_it(home: Path) -> None:
    another(home, "openai/gpt-oss")
    assert classify(home, "eval", "report", "openai/gpt-oss").startswith("openai/gpt-oss · ")


@pytest.mark.parametrize("judge", ["qwen[instruct]", "qwen[/]"])
def test_brackets_in_a_judge_s_name_are_shown(home: Path, judge: str) -> None:
    another(home, judge, id=LATER)
    assert classify(home, "eval", "report", LATER).startswith(f"{judge} · ")


def test_a_run_s_file_is_reported_in_a_workspace_without_runs(home: Path, tmp_path: Path) -> None:
    classify(tmp_path / "new", "eval", "report", str(home / "evals" / f"{runs(home)[0]}.json"))


def test_two_runs_of_one_second_have_ids_of_their_own() -> None:
    settings, criteria = Settings(), load_criteria("dx-2024")
    job = Job("rules", panel(Wish(judges="rules"), settings))
    made: list[EvalRun] = run([], [job] * 3, criteria, how=How.FILES, settings=settings, watch=lambda *told: None)
    assert len({one.id for one in made}) == 3


def test_labels_with_pages_are_not_told_to_have_none(home: Path) -> None:
    told = classify(home, "eval", "run", "--labels", str(home / "labels"), "--how", "archived", code=2)
    assert "not surveyed in this workspace" in told and "no site/ folder" not in told
