"""The whole walk once more over a city that has hardly changed: what is not new costs neither bytes nor model calls."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import classify
from hostile import Server, page, serve
from living import Doc, Site
from model_scene import CRITERIA
from scripted_server import Asked, Reply, Scripted, said
from scripted_server import serve as serve_model

from pipeline.archive import Archive
from pipeline.desk.pages import Pages
from pipeline.models import Record, Run
from pipeline.review.queue import digest
from pipeline.store.store import Store

REGISTRY = "pid,pref,cid,city,citykana,lat,lng,url,phrase,lgcode\n1,北海道,1100,札幌市,さっぽろし,43,141,https://sapporo.example/,,011002\n"


def city() -> Site:
    """A home page, a page of every viewpoint, robots.txt, a sitemap and a feed."""
    docs = {}
    for viewpoint in CRITERIA.viewpoints:
        mine = [one for one in CRITERIA.criteria if one.viewpoint == viewpoint.id]
        says = "".join(f"<p>本市では{term}を実施しています。</p>" for one in mine for term in one.search_terms[:2])
        docs[f"/{viewpoint.id}.html"] = Doc(page(title=viewpoint.name_ja, text=says), etag=True)
    links = [(path, f"{path}の取り組み") for path in docs]
    docs["/"] = Doc(page(*links, title="汐凪市"), etag=True)
    docs["/robots.txt"] = Doc("User-agent: *\nDisallow: /x/\n", etag=True, media="text/plain")
    docs["/sitemap.xml"] = Doc("<urlset><url><loc>/</loc></url></urlset>", etag=True, media="application/xml")
    return Site(docs)


def quoting(asked: Asked) -> Reply:
    """Quotes the first line of the first document."""
    return said("met", ("D1", next(iter(asked.docs.values())).splitlines()[0]))


def survey(home: Path, server: Server, model: Scripted | None = None, *more: str) -> str:
    home.mkdir(exist_ok=True)
    (home / "registry.csv").write_text(REGISTRY, "utf-8")
    judged = ("--model", "scripted", "--base-url", model.base_url) if model else ()
    options = ("--url", server.url, "--allow-private", "--delay", "0", "--speed", "never")
    options += ("--registry", str(home / "registry.csv"))
    return classify(home, "--city", "汐凪市", *options, "--as-of", "2026-11-20", *judged, *more)


def runs(home: Path) -> list[Run]:
    with Store(f"sqlite:///{home / 'akashi.db'}") as store:
        return store.runs()


def digests(home: Path, run: Run) -> set[str]:
    with Store(f"sqlite:///{home / 'akashi.db'}") as store:
        return {digest(run.municipality.code, item.judgement) for item in store.items(run.id)}


@pytest.mark.timeout(60)
def test_a_second_survey_of_an_unchanged_city_makes_no_call_and_downloads_no_body(tmp_path: Path) -> None:
    """By the servers' own logs. Every quote of the second stands in a body that the first archived."""
    site = city()
    with serve(site) as server, serve_model(quoting) as model:
        survey(tmp_path, server, model)
        sent, calls = len(site.bodies), len(model.asked)
        assert sent == len(site.docs) and calls > 20
        told = survey(tmp_path, server, model)
        assert (len(site.bodies), len(model.asked)) == (sent, calls)
    assert f"0 requests sent, {calls} answers from the cache" in told
    first, second = runs(tmp_path)
    assert digests(tmp_path, first) == digests(tmp_path, second)
    assert first.coverage is not None and second.coverage is not None
    moments = {"started", "finished"}
    assert second.coverage.model_dump(exclude=moments) == first.coverage.model_dump(exclude=moments)
    with Store(f"sqlite:///{tmp_path / 'akashi.db'}") as store, Archive(tmp_path / "archive") as archive:
        quotes = [quote for item in store.items(second.id) for quote in item.judgement.quotes]
        assert quotes
        assert all(archive.body(quote.page_sha256) for quote in quotes)
        assert {one.record for one in archive.snapshots(second.id) if one.is_page} == {Record.REVISIT}
        shown = [Pages(archive).at(second.id, quote.url) for quote in quotes]  # where a reviewer reads it
        assert all(page and quote.text in page.text for page, quote in zip(shown, quotes, strict=True))


@pytest.mark.timeout(60)
def test_one_changed_page_costs_itself_and_fresh_costs_everything(tmp_path: Path) -> None:
    site = city()
    with serve(site) as server:
        survey(tmp_path, server)
        (tmp_path / "cache").rename(tmp_path / "old cache")  # it holds nothing that is needed
        site.bodies.clear()
        changed = f"/{CRITERIA.viewpoints[0].id}.html"
        site.docs[changed] = Doc(site.docs[changed].body.replace("実施", "開始"), etag=True)
        survey(tmp_path, server)
        assert site.bodies == [changed]
        site.bodies.clear()
        survey(tmp_path, server, None, "--fresh")
        assert sorted(site.bodies) == sorted(site.docs)
    assert digests(tmp_path, runs(tmp_path)[1]) == digests(tmp_path, runs(tmp_path)[2])


def test_what_a_warc_says_is_never_taken_for_what_the_site_says(tmp_path: Path) -> None:
    """A file of somebody's is judged as what it is; the next crawl asks the site itself, for all of it."""
    site = city()
    with serve(site) as server:
        survey(tmp_path / "theirs", server)
        warc = next((tmp_path / "theirs" / "archive").rglob("*.warc.gz"))
        (tmp_path / "ours").mkdir()
        (tmp_path / "ours" / "registry.csv").write_text(REGISTRY, "utf-8")
        classify(
            tmp_path / "ours", "--city", "汐凪市", "--url", server.url, "--warc", str(warc),
            "--registry", str(tmp_path / "ours" / "registry.csv"), "--as-of", "2026-11-20",
        )  # fmt: skip
        site.bodies.clear()
        survey(tmp_path / "ours", server)
        assert sorted(site.bodies) == sorted(site.docs)
