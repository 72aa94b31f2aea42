"""classify eval gate: floors pinned beside the labels, and what makes it fail."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import classify
from eval_data import CODE, LABELS, SLUG, case, cases, label, labelled_site, write_labels

from evals.gate import failures, gate_of, pinned
from evals.labels import load
from evals.nouns import Case, EvalRun, How, SiteRun

# What the rules reach on LABELS: five of six agree; labels met 3, not_met 1, no_evidence 2; verdicts 2, 1, 3.
REACHED = {
    "agreement": 0.8333,
    "kappa": 0.7391,  # (30/36 - 13/36) / (23/36) = 17/23
    "point_kappa": 0.6666,
    "precision_of_met": 1.0,
    "recall_of_met": 0.6666,
    "errors_in_first_30_percent": 1.0,  # the one error is among the two least sure of six
}


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a labelled site and floors pinned over its files. Not to be changed: `home` is a copy."""
    home = tmp_path_factory.mktemp("gated")
    labelled_site(home / "labels" / SLUG)
    told = classify(home, "eval", "gate", "--labels", str(home / "labels"), "--how", "files", "--pin")
    assert told.splitlines()[-1] == str(home / "labels" / "floors.yaml")
    return home


@pytest.fixture
def home(gated: Path, tmp_path: Path) -> Path:
    return shutil.copytree(gated, tmp_path / "home")


def gate(home: Path, *more: str, code: int = 0) -> str:
    return classify(home, "eval", "gate", "--labels", str(home / "labels"), *more, code=code)


def floors(home: Path, judge: str = "rules") -> dict[str, Any]:
    return yaml.safe_load((home / "labels" / "floors.yaml").read_text("utf-8"))["judges"][judge]


def rewrite(home: Path, **changes: Any) -> bytes:
    """Changes what the file says of the rules; returns what then stands in it."""
    file = home / "labels" / "floors.yaml"
    told = yaml.safe_load(file.read_text("utf-8"))
    told["judges"]["rules"] |= changes
    file.write_text(yaml.safe_dump(told), encoding="utf-8")
    return file.read_bytes()


# --- pinning ----------------------------------------------------------------------------------------------------------


def test_without_floors_it_fails_and_says_how_to_pin_them(tmp_path: Path) -> None:
    labelled_site(tmp_path / "labels" / SLUG)
    told = gate(tmp_path, code=2)
    assert f"{tmp_path / 'labels' / 'floors.yaml'}: no floors for rules" in told and "--pin" in told
    assert not (tmp_path / "labels" / "floors.yaml").exists()


def test_pinning_writes_the_figures_reached_and_the_digests_of_the_labels(home: Path) -> None:
    (site,) = load(home / "labels")
    assert floors(home) == {
        "how": "files",
        "criteria_id": "dx-2024",
        "digests": {SLUG: site.digest},
        "floors": REACHED,
    }
    assert (home / "labels" / "floors.yaml").read_text("utf-8").startswith("# Floors under the judges")


def test_what_was_pinned_passes_the_way_it_was_seen_then_and_changes_nothing(home: Path) -> None:
    before = (home / "labels" / "floors.yaml").read_bytes()
    told = gate(home)
    for name, floor in REACHED.items():
        assert f"(floor {floor:.4f})" in next(line for line in told.splitlines() if line.startswith(f"{name} "))
    assert "crawl" not in told and "Below the gate" not in told
    assert (home / "labels" / "floors.yaml").read_bytes() == before
    assert not (home / "evals").exists()


def test_the_floors_of_another_judge_stay_when_one_is_pinned(home: Path) -> None:
    file = home / "labels" / "floors.yaml"
    file.write_text(file.read_text("utf-8").replace("rules:", "gpt-5-mini:"), encoding="utf-8")
    assert "no floors for rules" in gate(home, code=2)
    before = floors(home, "gpt-5-mini")
    gate(home, "--pin", "--how", "files")
    assert floors(home, "gpt-5-mini") == before == floors(home)


# --- failing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "floor", "told"),
    [
        ("agreement", 0.9, "agreement: 0.8333, below its floor of 0.9000"),
        ("kappa", 0.74, "kappa: 0.7391, below its floor of 0.7400"),
        ("errors_in_first_30_percent", 1.5, "errors_in_first_30_percent: 1.0000, below its floor of 1.5000"),
        ("recall_of_not_met", 0.5, "recall_of_not_met: undefined, below its floor of 0.5000"),
    ],
)
def test_a_floor_above_what_is_reached_fails(home: Path, name: str, floor: float, told: str) -> None:
    rewrite(home, floors=REACHED | {name: floor})
    found = gate(home, code=1)
    assert [line for line in found.splitlines() if "Below" in line] == [f"Below the gate: {told}"]


def other_note(home: Path) -> None:
    write_labels(home / "labels" / SLUG, [*LABELS[:-1], LABELS[-1] | {"note": "reworded"}])


def other_page(home: Path) -> None:
    page = home / "labels" / SLUG / "site" / "digital.html"
    page.write_text(page.read_text("utf-8").replace("令和7年度", "令和6年度"), encoding="utf-8")


def one_more(home: Path) -> None:
    labelled_site(home / "labels" / "other", slug="other")


def one_less(home: Path) -> None:
    (home / "labels" / SLUG).rename(home / "gone")
    one_more(home)


@pytest.mark.parametrize(
    ("change", "named"),
    [(other_note, [SLUG]), (other_page, [SLUG]), (one_more, ["other"]), (one_less, ["other", SLUG])],
)
def test_other_labels_or_pages_than_those_of_the_floors_fail_and_are_named(
    home: Path, change: Any, named: list[str]
) -> None:
    change(home)
    told = [line for line in gate(home, code=1).splitlines() if line.startswith("Below the gate")]
    assert told == [f"Below the gate: {slug}: its labels or pages are not those of the floors" for slug in named]


def test_changed_labels_are_taken_over_by_pinning(home: Path) -> None:
    one_less(home)
    gate(home, "--pin", "--how", "files")
    assert floors(home)["digests"].keys() == {"other"}
    gate(home)


def test_pinning_does_not_lower_a_floor_unless_it_is_told_to(home: Path) -> None:
    write_labels(home / "labels" / SLUG, [*LABELS[:-1], label("ops-09", "met"), label("ops-07", "met")])
    before = (home / "labels" / "floors.yaml").read_bytes()
    told = gate(home, "--pin", "--how", "files", code=2)
    assert "that lowers agreement 0.8333 -> 0.7142" in told and "--lower" in told
    assert (home / "labels" / "floors.yaml").read_bytes() == before
    gate(home, "--pin", "--lower", "--how", "files")
    assert floors(home)["floors"]["agreement"] == 0.7142
    gate(home)


def test_lower_alone_is_refused(home: Path) -> None:
    before = rewrite(home)
    assert "--lower goes with --pin" in gate(home, "--lower", code=2)
    assert (home / "labels" / "floors.yaml").read_bytes() == before


@pytest.mark.parametrize("text", ["judges: [", "- rules", "judges: {rules: {floors: {agreement: high}}}", "floors: {}"])
def test_floors_that_are_none_are_named(home: Path, text: str) -> None:
    (home / "labels" / "floors.yaml").write_text(text, encoding="utf-8")
    for more in ((), ("--pin",)):
        assert f"{home / 'labels' / 'floors.yaml'}: not valid" in gate(home, *more, code=2)
    assert (home / "labels" / "floors.yaml").read_text("utf-8") == text


# --- without the command line -----------------------------------------------------------------------------------------


def run_of(cases: list[Case], *how: How) -> EvalRun:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    about = {"name": "a", "code": CODE, "as_of": date(2026, 11, 20), "digest": "d" * 64}
    sites = [
        SiteRun(slug=f"s{number}", how=one, read=1, unread=0, seconds=0.0, **about)
        for number, one in enumerate(how or (How.FILES,))
    ]
    return EvalRun(
        id="r", made=now, judge="rules", criteria_id="test", criteria_sha256="c" * 64, sites=sites, cases=cases
    )


def random_run(seed: int, right: float) -> EvalRun:
    draw = random.Random(seed)
    golds = draw.choices(["met", "not_met", "no_evidence"], k=draw.randint(5, 60))
    said = [gold if draw.random() < right else draw.choice(["met", "not_met", "no_evidence"]) for gold in golds]
    return run_of([case(f"{a} {b}", confidence=draw.random()) for a, b in zip(golds, said, strict=True)])


def test_pinning_the_same_figures_again_changes_nothing() -> None:
    for seed in range(20):
        floors = pinned(random_run(seed, right=0.8), None, lower=False)
        assert pinned(random_run(seed, right=0.8), floors, lower=False) == floors


# --- bugs -------------------------------------------------------------------------------------------------------------


def test_the_run_that_pinned_the_floors_passes_them() -> None:
    runs = [random_run(seed, right=0.8) for seed in range(20)]
    assert [failures(run, pinned(run, None, lower=False)) for run in runs] == [[]] * 20


def test_a_judge_worse_than_chance_passes_the_floors_that_it_pinned() -> None:
    run = run_of(cases({"met no_evidence": 3, "no_evidence met": 3, "met met": 1}))
    floors = pinned(run, None, lower=False)
    assert floors.floors["kappa"] < -0.7
    assert failures(run, floors) == []


def test_a_floor_that_is_reached_to_the_point_can_be_pinned_again() -> None:
    run = run_of([case("met met")] * 57 + [case("met not_met")] * 43)
    reached = pinned(run, None, lower=False)
    known = reached.model_copy(update={"floors": {"agreement": 0.57}})
    assert failures(run, known) == []
    assert pinned(run, known, lower=False).floors["agreement"] == 0.57


def test_floors_of_sites_with_pages_and_without_are_those_of_the_way_that_was_asked_for() -> None:
    run = run_of([case("met met"), case("met not_met")], How.ARCHIVED, How.CRAWLED)
    assert pinned(run, None, lower=False).how is How.CRAWLED


def test_floors_that_are_not_utf_8_are_named(home: Path) -> None:
    (home / "labels" / "floors.yaml").write_bytes("# 床\njudges: {}\n".encode("shift_jis"))
    assert "floors.yaml: not " in gate(home, code=2)


def test_a_floor_that_is_no_number_is_refused(home: Path) -> None:
    rewrite(home, floors={"agreement": float("nan")})
    with pytest.raises(Exception, match="not valid"):
        gate_of(home / "labels")


def test_floors_of_other_criteria_do_not_pass(home: Path) -> None:
    rewrite(home, criteria_id="dx-2030")
    with pytest.raises(AssertionError):  # any exit code but 0 will do
        gate(home)


def test_one_file_of_labels_has_its_floors_beside_it(home: Path) -> None:
    file = home / "labels" / SLUG / "labels.jsonl"
    classify(home, "eval", "gate", "--labels", str(file), "--how", "files", "--pin")
    assert gate_of(file.parent).judges.keys() == {"rules"}
