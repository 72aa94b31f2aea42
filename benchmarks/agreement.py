"""Agreement of the embedded judge with labelled sites: disagreements, confusion matrix, kappa, precision, recall.

    python benchmarks/agreement.py --sites DIR [--all]

DIR holds a folder a site: manifest.json (name, prefecture, code, as_of), labels.jsonl (criterion, verdict, evidence)
and site/ (the files). Criteria labelled `skip` need a live measurement and are left out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from protego import Protego

from pipeline.criteria import load
from pipeline.extract import dated_list, extract, from_page
from pipeline.judge import probes
from pipeline.judge.rules import RulesJudge
from pipeline.models import Criterion, DatedList, Municipality, Page, Proposal, SettledBy, Snapshot, Verdict

VERDICTS = (Verdict.MET, Verdict.NOT_MET, Verdict.NO_EVIDENCE, Verdict.NOT_JUDGED)
HOME = "http://site.invalid"


@dataclass(frozen=True)
class Case:
    """One criterion of one site: what the label says and what the judge proposes."""

    site: str
    label: dict[str, Any]
    proposal: Proposal
    urls: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        return self.label["verdict"] == self.proposal.verdict


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=Path, required=True, help="folder of labelled sites")
    parser.add_argument("--criteria", default="dx-2024")
    parser.add_argument("--all", action="store_true", help="print agreements too")
    wanted = parser.parse_args()
    cases: list[Case] = []
    for folder in sorted(one.parent for one in wanted.sites.glob("*/labels.jsonl")):
        begun = time.perf_counter()
        found = list(judged(folder, wanted.criteria))
        cases += found
        print(f"\n{folder.name}: {time.perf_counter() - begun:.1f} s, {figures(found)}")
        for case in found:
            if wanted.all or not case.agrees:
                print_case(case)
    print(f"\nAll sites: {figures(cases)}\n")
    print(matrix(cases))


def judged(folder: Path, criteria: str) -> Iterator[Case]:
    """The cases of one labelled site."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    as_of = date.fromisoformat(manifest["as_of"])
    city = Municipality(code=manifest["code"], name=manifest["name"], prefecture=manifest["prefecture"])
    pages, lists = read(folder / "site", as_of)
    judge = RulesJudge(city, as_of)
    begun = time.perf_counter()
    labels = [json.loads(line) for line in (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
    by_id = {label["criterion"]: label for label in labels}
    for criterion in load(criteria).criteria:
        label = by_id.get(criterion.id)
        if label and label["verdict"] != "skip":
            proposal = propose(criterion, judge, pages, lists, as_of)
            urls = tuple(pages[one.page_sha256].url for one in proposal.claims if one.page_sha256 in pages)
            yield Case(folder.name, label, proposal, urls)
    print(f"{folder.name}: judged {len(pages)} pages in {time.perf_counter() - begun:.2f} s")


def propose(
    criterion: Criterion, judge: RulesJudge, pages: dict[str, Page], lists: Sequence[DatedList], as_of: date
) -> Proposal:
    if criterion.settled_by is not SettledBy.MEASURED:
        return judge.judge(criterion, pages, ())
    if criterion.probe == "update_frequency":
        return probes.update_frequency(criterion, lists, as_of)
    return probes.not_measured(criterion)


def read(site: Path, as_of: date) -> tuple[dict[str, Page], list[DatedList]]:
    """Pages by sha256 and dated lists of a folder of files, without those that its robots.txt closes to a crawler."""
    pages: dict[str, Page] = {}
    lists: list[DatedList | None] = []
    rules = site / "robots.txt"
    robots = Protego.parse(rules.read_text(encoding="utf-8") if rules.is_file() else "")
    for path in sorted(one for one in site.rglob("*") if one.is_file()):
        if not robots.can_fetch(f"{HOME}/{path.relative_to(site).as_posix()}", "Akashi"):
            continue
        snapshot, body = answer(path, site), path.read_bytes()
        if path.suffix in (".xml", ".rdf"):
            lists.append(dated_list(snapshot, body))
        elif path.suffix in (".html", ".htm", ".pdf"):
            page = extract(snapshot, body)
            if isinstance(page, Page):
                pages[page.sha256] = page
                lists.append(from_page(page, as_of))
    return pages, [one for one in lists if one]


def answer(path: Path, site: Path) -> Snapshot:
    media = {".pdf": "application/pdf", ".xml": "application/xml", ".rdf": "application/rdf+xml"}
    url = f"{HOME}/{path.relative_to(site).as_posix()}"
    return Snapshot(
        url=url,
        final_url=url,
        fetched_at=datetime.now(UTC),
        status=200,
        headers=(("content-type", media.get(path.suffix, "text/html")),),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        warc="",
        offset=0,
    )


def figures(cases: Sequence[Case]) -> str:
    agreed = sum(case.agrees for case in cases)
    said_met = [case for case in cases if case.proposal.verdict is Verdict.MET]
    is_met = [case for case in cases if case.label["verdict"] == "met"]
    both = sum(case.agrees for case in said_met)
    return (
        f"agreement {agreed}/{len(cases)}, kappa {kappa(cases):.2f}, "
        f"met: precision {both}/{len(said_met)} recall {both}/{len(is_met)}"
    )


def kappa(cases: Sequence[Case]) -> float:
    """Cohen's kappa over the verdicts (Cohen 1960): (observed - chance) / (1 - chance)."""
    total = len(cases)
    if not total:
        return float("nan")
    labels = Counter(str(case.label["verdict"]) for case in cases)
    proposals = Counter(str(case.proposal.verdict) for case in cases)
    chance = sum(labels[one] * proposals[one] for one in labels) / total**2
    observed = sum(case.agrees for case in cases) / total
    return (observed - chance) / (1 - chance) if chance < 1 else 1.0


def matrix(cases: Sequence[Case]) -> str:
    """Rows: labels; columns: proposals."""
    counts = Counter((str(case.label["verdict"]), str(case.proposal.verdict)) for case in cases)
    lines = ["label \\ judge".ljust(14) + "".join(str(one).rjust(13) for one in VERDICTS)]
    for label in VERDICTS[:3]:
        lines.append(str(label).ljust(14) + "".join(str(counts[label, one]).rjust(13) for one in VERDICTS))
    return "\n".join(lines)


def print_case(case: Case) -> None:
    proposal = case.proposal
    mark = " " if case.agrees else "*"
    label = case.label["verdict"]
    print(f"{mark} {proposal.criterion:12} label {label:12} judge {proposal.verdict:12} {proposal.confidence}")
    for claim, url in zip(proposal.claims[:2], case.urls, strict=False):
        print(f"      judge: {claim.text[:110]} {claim.href}  [{url.removeprefix(HOME)}]")
    if not case.agrees:
        print(f"      why: {proposal.rationale} {[str(flag) for flag in proposal.flags]}")
        for evidence in case.label["evidence"][:2]:
            print(f"      label: {evidence['quote'][:110]} [{evidence['path']}]")


if __name__ == "__main__":
    main()
