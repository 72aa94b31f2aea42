"""Criteria files: the shipped one is whole, every kind of mistake is named with its line, nothing harmful is read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from pipeline import criteria
from pipeline.errors import CriteriaError
from pipeline.models import SettledBy
from pipeline.settings import bundled

SHIPPED = bundled("criteria") / "dx-2024.yaml"

MINIMAL = """\
id: tiny
version: "1"
title: {ja: 題, en: Title}
viewpoints:
  - {id: ops, name: {ja: 業務, en: Operations}}
concepts:
  online: [オンライン, ウェブ]
criteria:
  - id: ops-01
    viewpoint: ops
    settled_by: text
    statement: {ja: 予約できる, en: It can be booked}
    counts: {ja: ウェブの予約, en: Booking on the web}
    search_terms: [予約]
    cues:
      - all: [[予約], ["@online"]]
"""


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "set.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_shipped_set_has_the_31_in_three_viewpoints():
    loaded = criteria.load("dx-2024")
    counts = [sum(one.viewpoint == viewpoint.id for one in loaded.criteria) for viewpoint in loaded.viewpoints]
    assert counts == [6, 9, 16]
    assert len({one.id for one in loaded.criteria}) == 31
    assert [one.id for one in loaded.criteria if one.settled_by is SettledBy.MEASURED] == [
        "resident-01",
        "resident-02",
        "resident-05",
    ]
    assert [one.id for one in loaded.criteria if one.settled_by is SettledBy.LINK] == [
        "resident-03",
        "resident-04",
        "resident-11",
    ]
    assert not criteria.check(SHIPPED)


def test_the_shipped_statements_are_those_of_the_codebook(shared: Path):
    rows = re.findall(
        r"^\| ([a-z]+-\d\d) \| (\S+) \| (\w+) \| (.+?) \|",
        (shared / "evidence/CODEBOOK.md").read_text(encoding="utf-8"),
        re.M,
    )
    loaded = criteria.load("dx-2024")
    names = {viewpoint.id: viewpoint.name_ja for viewpoint in loaded.viewpoints}
    assert [(one.id, names[one.viewpoint], one.settled_by, one.statement_ja) for one in loaded.criteria] == rows


@pytest.mark.parametrize(
    "criterion", [one for name in criteria.shipped() for one in criteria.load(name).criteria], ids=lambda one: one.id
)
def test_each_criterion_has_twenty_to_sixty_search_terms_and_a_rule_in_both_languages(criterion):
    assert 20 <= len(criterion.search_terms) <= 60
    assert all(len(term) > 1 for term in criterion.search_terms)
    assert not [term for term in criterion.search_terms if re.search(r"[\\?|\[\]^$*]", term)]
    assert criterion.statement_en and criterion.counts_en and criterion.counts_ja


@pytest.mark.parametrize("name", criteria.shipped())
def test_every_shipped_set_is_whole_and_says_how_many_it_asks(name):
    loaded = criteria.load(name)
    assert loaded.id == name
    assert str(len(loaded.criteria)) in loaded.title_ja and str(len(loaded.criteria)) in loaded.title_en
    assert {one.viewpoint for one in loaded.criteria} == {one.id for one in loaded.viewpoints}


def test_no_program_names_a_criterion_of_a_shipped_set():
    """Rewording, adding or replacing a set touches no Python."""
    ids = {one.id for name in criteria.shipped() for one in criteria.load(name).criteria}
    root = bundled("criteria").parent
    for path in [*(root / "pipeline").rglob("*.py"), *(root / "evals").rglob("*.py")]:
        named = {one for one in ids if one in path.read_text("utf-8")}
        assert not named, f"{path} names {', '.join(sorted(named))}"


def test_a_concept_is_spelled_out_where_a_cue_names_it(written):
    (criterion,) = criteria.load(str(written(MINIMAL))).criteria
    assert criterion.cues[0].all == (("予約",), ("オンライン", "ウェブ"))


def test_the_sha256_changes_with_every_byte(written):
    first = criteria.load(str(written(MINIMAL))).sha256
    assert criteria.load(str(written(MINIMAL + "\n"))).sha256 != first


def test_the_editors_schema_is_the_loaders():
    kept = json.loads((bundled("criteria") / "criteria.schema.json").read_text(encoding="utf-8"))
    assert kept == criteria.schema()
    jsonschema.Draft202012Validator.check_schema(kept)
    for name in criteria.shipped():
        jsonschema.validate(yaml.safe_load((bundled("criteria") / f"{name}.yaml").read_text(encoding="utf-8")), kept)
    assert SHIPPED.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=criteria.schema.json\n")


STRUCTURAL = [
    ("unknown field", "    viewpoint: ops\n", "    viewpoint: ops\n    weight: 2\n", "weight"),
    ("bad id", "id: ops-01", "id: Ops_1", "criteria[0].id"),
    ("wrong type", 'version: "1"', "version: 1", "version"),
    ("empty search terms", "search_terms: [予約]", "search_terms: []", "search_terms"),
    ("blank search term", "search_terms: [予約]", 'search_terms: [""]', "search_terms"),
    ("unknown settled_by", "settled_by: text", "settled_by: guess", "settled_by"),
    ("no English", "statement: {ja: 予約できる, en: It can be booked}", "statement: {ja: 予約できる}", "statement.en"),
    ("empty group", '[[予約], ["@online"]]', "[[予約], []]", "cues[0].all[1]"),
    ("terms not a list", "search_terms: [予約]", "search_terms: 予約", "search_terms"),
    ("criteria missing", MINIMAL[MINIMAL.index("criteria:") :], "", "criteria"),
]


@pytest.mark.parametrize(("name", "old", "new", "where"), STRUCTURAL, ids=[case[0] for case in STRUCTURAL])
def test_a_mistake_of_shape_is_refused_by_loader_and_schema(written, name, old, new, where):
    broken = MINIMAL.replace(old, new)
    problems = criteria.check(written(broken))
    assert any(where in one for one in problems), problems
    assert all(re.match(r"line \d+: ", one) for one in problems)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(broken), criteria.schema())


MEANING = [
    ("duplicate id", MINIMAL + MINIMAL[MINIMAL.index("  - id: ops-01") :], "line 17: criteria[1].id: ops-01"),
    ("unknown viewpoint", MINIMAL.replace("viewpoint: ops\n", "viewpoint: sky\n"), "line 10: criteria[0].viewpoint"),
    ("unknown concept", MINIMAL.replace("@online", "@offline"), "unknown concept @offline"),
    ("broken pattern", MINIMAL.replace("[[予約]", '[["予約("]'), "line 16: criteria[0].cues[0].all[0][0]: broken"),
    ("pattern of nothing", MINIMAL.replace("[[予約]", '[["(予約)?"]'), "matches everything"),
    ("no cues", MINIMAL[: MINIMAL.index("    cues:")], "has no cues"),
    ("no probe", MINIMAL.replace("settled_by: text", "settled_by: measured"), "names no probe"),
    ("stray threshold", MINIMAL + "    threshold: 3\n", "is not measured and has a threshold"),
    ("no hosts", MINIMAL.replace("settled_by: text", "settled_by: link"), "names no link_hosts"),
    ("repeated key", MINIMAL + "id: other\n", "id is given twice"),
    ("tag", MINIMAL.replace("en: Title", "en: !!python/name:os.system x"), "tags are not allowed"),
    ("alias", MINIMAL.replace("ja: 題, en: Title", "ja: &t 題, en: *t"), "aliases are not allowed"),
    ("not YAML", "a: [1, 2", "line 1:"),
    ("not a mapping", "- a\n- b\n", "the file:"),
    ("empty", "", "the file:"),
    ("two documents", MINIMAL + "---\n" + MINIMAL, "document"),
    ("deeply nested", "[" * 5000, "YAML"),
]


@pytest.mark.parametrize(("name", "text", "said"), MEANING, ids=[case[0] for case in MEANING])
def test_a_mistake_of_meaning_is_named(written, name, text, said):
    path = written(text)
    problems = criteria.check(path)
    assert any(said in one for one in problems), problems
    with pytest.raises(CriteriaError) as raised:
        criteria.load(str(path))
    assert list(raised.value.problems) == problems


def test_files_that_are_no_text_or_too_large_or_absent_are_named(tmp_path: Path):
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "b.yaml").write_bytes(b"#" * (criteria.MAX_BYTES + 1))
    assert "not UTF-8" in criteria.check(tmp_path / "a.yaml")[0]
    assert "larger" in criteria.check(tmp_path / "b.yaml")[0]
    assert "cannot be read" in criteria.check(tmp_path / "c.yaml")[0]
    with pytest.raises(CriteriaError):
        criteria.load("no-such-set")
