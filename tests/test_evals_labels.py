"""Labelled sites as the eval suite reads them: where they may lie, what is refused, what their digest holds, and the
committed schema."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from eval_data import CODE, LABELS, SLUG, label, labelled_site, write_labels

from evals.labels import Evidence, LabelVerdict, load, schema
from pipeline import criteria, demo
from pipeline.errors import InputError
from pipeline.judge import confidence

EVALS = Path(__file__).resolve().parents[1] / "evals"
SHIPPED = sorted((EVALS / "labels").glob("*/labels.jsonl"))
GOOD = json.dumps(LABELS[0], ensure_ascii=False)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return labelled_site(tmp_path / "labels" / "folder")


def refused(path: Path) -> str:
    with pytest.raises(InputError) as error:
        load(path)
    return str(error.value)


# --- where labels may lie ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["..", ".", "labels.jsonl"])
def test_a_folder_of_folders_a_folder_and_a_file_are_read_alike(own: Path, place: str) -> None:
    (found,) = load(own / place)
    assert found.site is not None and found.site.resolve() == own / "site"
    assert (found.manifest.slug, found.municipality.name, found.municipality.code) == (SLUG, "試野市", CODE)
    assert [(one.criterion, one.verdict) for one in found.labels] == [
        (told["criterion"], told["verdict"]) for told in LABELS
    ]
    assert found.labels[0].evidence == (Evidence(**LABELS[0]["evidence"][0]),)
    assert found.labels[-1].hard and found.labels[-1].trap


def test_a_file_of_labels_may_bear_any_name(own: Path) -> None:
    (own / "labels.jsonl").rename(own / "second-reader.jsonl")
    assert len(load(own / "second-reader.jsonl")[0].labels) == len(LABELS)


def test_sites_come_in_the_order_of_their_slugs_and_not_of_their_folders(tmp_path: Path) -> None:
    for folder, slug in (("1", "c"), ("2", "a"), ("3", "b")):
        labelled_site(tmp_path / folder, slug=slug)
    assert [one.manifest.slug for one in load(tmp_path)] == ["a", "b", "c"]


def test_blank_lines_are_no_labels(own: Path) -> None:
    (own / "labels.jsonl").write_text(f"\n{GOOD}\n  \n", encoding="utf-8")
    assert len(load(own)[0].labels) == 1


def test_without_a_site_folder_the_pages_are_the_workspace_s_and_the_demo_s_are_bundled(own: Path) -> None:
    shutil.rmtree(own / "site")
    assert load(own)[0].site is None
    assert load(EVALS / "labels" / "demo")[0].site == demo.SITE


@pytest.mark.parametrize("place", SHIPPED, ids=lambda place: place.parent.name)
def test_every_shipped_site_loads_with_pages_and_31_labels(place: Path) -> None:
    (found,) = load(place.parent)
    assert found.site and len(found.labels) == 31


@pytest.mark.parametrize("breaker", ["\u2028", "\u2029", "\u0085"])
def test_a_quote_may_hold_what_unicode_calls_a_line_break(own: Path, breaker: str) -> None:
    write_labels(own, [label("ops-08", "met", "/digital.html", f"RPAを{breaker}導入")])
    assert load(own)[0].labels[0].evidence[0].quote == f"RPAを{breaker}導入"


# --- what is refused --------------------------------------------------------------------------------------------------


def changed(**fields: Any) -> str:
    return json.dumps({**LABELS[1], **fields}, ensure_ascii=False)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"criterion": "ops-01"', "Invalid JSON"),
        ("ops-01 met", "Invalid JSON"),
        ("[]", "an object"),
        ("null", "an object"),
        (changed(colour="red"), "colour: Extra inputs"),
        (changed(verdict="maybe"), "verdict: Input should be"),
        (changed(verdict="not_judged"), "verdict: Input should be"),
        (changed(criterion="OPS-1"), "criterion: String should match"),
        ('{"criterion": "ops-01"}', "verdict: Field required"),
        (changed(evidence=[{"path": "/x"}]), "evidence.0.quote: Field required"),
        (changed(evidence=[{"path": "digital.html", "quote": "x"}]), "evidence.0.path: String should match"),
        (changed(evidence=[{"path": "javascript:alert(1)", "quote": "x"}]), "evidence.0.path: String should match"),
        (changed(codes={"佐藤": "maybe"}), "codes.佐藤: Input should be"),
    ],
)
def test_a_line_that_is_no_label_is_named_by_file_and_number(own: Path, line: str, why: str) -> None:
    (own / "labels.jsonl").write_text(f"{GOOD}\n\n{line}\n", encoding="utf-8")
    told = refused(own)
    assert told.startswith(f"{own / 'labels.jsonl'}:3: ")
    assert why in told and "classify eval schema" in told


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        ("{", "Invalid JSON"),
        ('{"slug": "a", "name": "a", "code": "x0123456789"}', "as_of: Field required"),
        ('{"slug": "../a", "name": "a", "code": "x0123456789", "as_of": "2026-11-20"}', "slug: String should match"),
        ('{"slug": "a", "name": "a", "code": "12", "as_of": "2026-11-20"}', "code: String should match"),
        ('{"slug": "a", "name": "a", "code": "x0123456789", "as_of": "soon"}', "as_of: Input should be a valid date"),
        ('{"slug": "a", "name": "a", "code": "x0123456789", "as_of": "2026-11-20", "x": 1}', "x: Extra inputs"),
    ],
)
def test_a_manifest_that_is_none_is_named(own: Path, manifest: str, why: str) -> None:
    (own / "manifest.json").write_text(manifest, encoding="utf-8")
    told = refused(own)
    assert told.startswith(f"{own / 'manifest.json'}: ") and why in told


def without_manifest(own: Path) -> None:
    (own / "manifest.json").unlink()


def labels_in_shift_jis(own: Path) -> None:
    (own / "labels.jsonl").write_bytes(GOOD.encode("shift_jis"))


def manifest_in_shift_jis(own: Path) -> None:
    (own / "manifest.json").write_bytes((own / "manifest.json").read_text("utf-8").encode("shift_jis"))


def one_criterion_twice(own: Path) -> None:
    write_labels(own, [*LABELS, LABELS[2]])


@pytest.mark.parametrize(
    ("spoil", "file", "why"),
    [
        (without_manifest, "manifest.json", "missing"),
        (labels_in_shift_jis, "labels.jsonl", "not UTF-8"),
        (manifest_in_shift_jis, "manifest.json", "not UTF-8"),
        (one_criterion_twice, "labels.jsonl", "resident-07: labelled twice"),
    ],
)
@pytest.mark.parametrize("place", [".", "labels.jsonl"])
def test_a_file_that_cannot_be_used_is_named(
    own: Path, place: str, spoil: Callable[[Path], None], file: str, why: str
) -> None:
    spoil(own)
    told = refused(own / place)
    assert told.startswith(f"{own / file}: ") and why in told


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path).startswith(f"{tmp_path}: no labels.jsonl")
    assert refused(tmp_path / "nowhere").startswith(f"{tmp_path / 'nowhere'}: no such folder")


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_file_without_labels_is_refused(own: Path, text: str) -> None:
    (own / "labels.jsonl").write_text(text, encoding="utf-8")
    assert str(own / "labels.jsonl") in refused(own)


def test_two_sites_of_one_slug_are_refused(tmp_path: Path) -> None:
    labelled_site(tmp_path / "one")
    labelled_site(tmp_path / "two")
    assert refused(tmp_path) == f"{tmp_path}: {SLUG}: labelled twice. Keep one of each."
    assert len(load(tmp_path / "one")) == 1


def test_where_the_format_is_told_there_is_a_file(tmp_path: Path) -> None:
    (named,) = [word for word in refused(tmp_path).split() if word.endswith(".md")]
    assert (EVALS.parent / named).is_file()


# --- the digest -------------------------------------------------------------------------------------------------------

COUNTS: dict[str, Callable[[Path], object]] = {
    "a byte of a page": lambda own: append(own / "site/digital.html", " "),
    "a file below a folder": lambda own: (own / "site/css").mkdir() or (own / "site/css/a.css").write_text("p{}"),
    "an empty file": lambda own: (own / "site/new.html").touch(),
    "a hidden file": lambda own: (own / "site/.htaccess").write_text("x"),
    "a file less": lambda own: (own / "site/madoguchi.html").unlink(),
    "another name": lambda own: (own / "site/digital.html").rename(own / "site/dx.html"),
    "two pages exchanged": lambda own: exchange(own / "site/digital.html", own / "site/madoguchi.html"),
    "no site": lambda own: shutil.rmtree(own / "site"),
    "a label": lambda own: write_labels(own, [label("ops-08", "no_evidence"), *LABELS[1:]]),
    "the order of labels": lambda own: write_labels(own, LABELS[::-1]),
    "a blank line": lambda own: append(own / "labels.jsonl", "\n"),
    "the manifest": lambda own: append(own / "manifest.json", "\n"),
}
COUNTS_NOT: dict[str, Callable[[Path], object]] = {
    "a file beside": lambda own: (own / "README.md").write_text("x"),
    "floors beside": lambda own: (own / "floors.yaml").write_text("judges: {}"),
    "an empty folder": lambda own: (own / "site/empty").mkdir(),
    "another site": lambda own: labelled_site(own / "other", slug="other"),
    "the time": lambda own: [os.utime(path, (0, 0)) for path in own.rglob("*")],
    "who may read": lambda own: (own / "site/digital.html").chmod(0o600),
}


def append(file: Path, text: str) -> None:
    file.write_text(file.read_text("utf-8") + text, encoding="utf-8")


def exchange(one: Path, other: Path) -> None:
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


@pytest.mark.parametrize("change", COUNTS.values(), ids=COUNTS.keys())
def test_the_digest_changes_with_every_file_that_is_measured(own: Path, change: Callable[[Path], object]) -> None:
    before = load(own)[0].digest
    change(own)
    assert load(own)[0].digest != before


@pytest.mark.parametrize("change", COUNTS_NOT.values(), ids=COUNTS_NOT.keys())
def test_the_digest_changes_with_nothing_else(own: Path, change: Callable[[Path], object]) -> None:
    before = load(own)[0].digest
    change(own)
    assert load(own)[0].digest == before


def test_the_digest_is_the_same_elsewhere_and_however_the_site_is_named(own: Path, tmp_path: Path) -> None:
    elsewhere = shutil.copytree(own, tmp_path / "elsewhere" / "renamed")
    assert len({load(place)[0].digest for place in (own, own.parent, own / "labels.jsonl", elsewhere)}) == 1


# --- the schema -------------------------------------------------------------------------------------------------------


def validator(noun: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({**schema(), "$ref": f"#/$defs/{noun}"})


def test_the_committed_schema_is_that_of_the_nouns() -> None:
    """Write it anew with `classify eval schema > evals/labels.schema.json`."""
    assert json.loads((EVALS / "labels.schema.json").read_text("utf-8")) == schema()
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("place", SHIPPED, ids=lambda place: place.parent.name)
def test_every_shipped_label_and_manifest_is_valid_by_the_schema(place: Path) -> None:
    for line in place.read_text("utf-8").splitlines():
        validator("Label").validate(json.loads(line))
    validator("Manifest").validate(json.loads((place.parent / "manifest.json").read_text("utf-8")))


@pytest.mark.parametrize(
    "line", [changed(colour="red"), changed(verdict="maybe"), changed(criterion="OPS-1"), '{"criterion": "ops-01"}']
)
def test_the_schema_refuses_what_loading_refuses(line: str) -> None:
    assert not validator("Label").is_valid(json.loads(line))


def test_labels_speak_of_every_verdict_but_the_judge_s_failure() -> None:
    assert set(schema()["$defs"]["LabelVerdict"]["enum"]) == {one.value for one in LabelVerdict}
    assert "not_judged" not in set(LabelVerdict)


def test_what_is_usual_is_counted_on_the_shipped_labels() -> None:
    """`usual` in the criteria file, and the shares over all criteria that the judge's confidence starts from."""
    counted: dict[str, Counter[str]] = {}
    for site in load(EVALS / "labels"):
        for one in site.labels:
            if one.verdict is not LabelVerdict.SKIP:
                verdict = "no_evidence" if one.verdict.value == "unobserved" else one.verdict.value
                counted.setdefault(one.criterion, Counter())[verdict] += 1
    usual = {one.id: Counter(one.usual) for one in criteria.load("dx-2024").criteria if one.usual}
    assert usual == counted
    overall = sum(counted.values(), Counter())
    for verdict, share in confidence._OVERALL.items():
        assert abs(overall[verdict.value] / overall.total() - share) < 0.01
