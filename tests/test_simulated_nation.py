"""The simulated nation keeps what a trial rests on: the same bytes each time, names that resolve, a log that proves."""

from __future__ import annotations

import os
import random
import re
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import crawling
import pypdfium2
import pytest
from nations import ROOT, get, run, served

from benchmarks.nation import Nation, checks, command, measure, registry
from benchmarks.nation.checks import Request, by_address, by_host
from benchmarks.nation.command import Wanted
from benchmarks.nation.names import MOST, name
from benchmarks.nation.plan import TROUBLES
from benchmarks.nation.server import Serving, environment
from benchmarks.nation.site import Site, settled, site
from benchmarks.nation.trial import trial
from pipeline.municipality import Kinds, Registry

ORIGIN = "http://www.example:80"
JAPAN = 1741
DIGEST = """
import hashlib, random
from benchmarks.nation import Nation
from benchmarks.nation.site import site
nation, bodies = Nation(seed=5), {}
asked = [(number, path) for number in range(1, 20) for path in site(nation, number).by_path]
random.shuffle(asked)
for number, path in asked:
    bodies[number, path] = hashlib.sha256(site(nation, number).answer(path, "http://a:1").body).hexdigest()
print(hashlib.sha256(repr(sorted(bodies.items())).encode()).hexdigest())
"""
RESOLVE = """
import asyncio, socket, sys
async def main():
    for host in sys.stdin.read().split():
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, 80, type=socket.SOCK_STREAM)
            print(host, *sorted({entry[4][0] for entry in found}))
        except socket.gaierror:
            print(host, "-")
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with served(tmp_path_factory.mktemp("nation"), Nation(cities=60)) as found:
        yield found


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with served(tmp_path_factory.mktemp("troubled"), Nation(cities=80, trouble=1.0)) as found:
        yield found


# --- places -----------------------------------------------------------------------------------------------------------


def test_the_registry_is_read_and_is_made_up_as_japan_is(tmp_path: Path) -> None:
    registry.write(Nation(), tmp_path / "registry.csv", 8000)
    found = Registry.read(tmp_path / "registry.csv").municipalities
    assert len(found) == JAPAN == len({one.name for one in found}) == len({one.kana for one in found})
    assert Counter(one.prefecture for one in found) == registry.COUNTS
    assert len({one.home_url for one in found}) == JAPAN
    kinds = Kinds()
    assert {kinds.of(one).id for one in found} <= {"city", "town"}  # none has the code of a designated or core city


def test_no_municipality_has_a_real_name(shared: Path) -> None:
    real = Registry.read(shared / "data" / "localgovjp" / "localgovjp-utf8.csv").municipalities
    numbers = range(1, MOST + 1)
    assert not {one.name for one in real} & {name(number, town).text for number in numbers for town in (True, False)}
    assert Counter(one.prefecture for one in real) == registry.COUNTS


def test_a_municipality_is_found_by_name_kana_and_code(tmp_path: Path) -> None:
    registry.write(Nation(), tmp_path / "registry.csv", 8000, 50)
    known = Registry.read(tmp_path / "registry.csv")
    for one in registry.rows(Nation(), 50):
        assert known.find(one.name).code == known.find(one.kana).code == known.find(one.code).code == one.code


def test_the_first_municipalities_are_the_same_however_many_there_are() -> None:
    few, many = Nation(cities=30), Nation(cities=8000)
    assert list(registry.rows(few)) == list(registry.rows(many, 30))
    assert [few.address(number) for number in range(1, 31)] == [many.address(number) for number in range(1, 31)]
    assert len({one.code for one in registry.rows(many)}) == 8000 == len({one.name for one in registry.rows(many)})


def test_too_many_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="none for municipality 14401"):
        registry.row(Nation(), MOST + 1)


def test_some_share_an_address_and_the_others_have_one_of_their_own() -> None:
    nation = Nation(cities=1741, shared=0.3, vendors=12)
    hosts = Counter(nation.address(number) for number in range(1, 1742))
    together = [count for count in hosts.values() if count > 1]
    assert len(together) == 12
    assert 0.25 < sum(together) / JAPAN < 0.35
    assert all(re.fullmatch(r"127(\.[0-9]{1,3}){3}", address) for address in hosts)
    assert len({Nation(shared=0).address(number) for number in range(1, 1742)}) == JAPAN


def test_troubles_come_in_the_share_asked_for() -> None:
    nation = Nation(trouble=0.2)
    kinds = Counter(nation.trouble_of(number) for number in range(1, JAPAN + 1))
    assert 0.16 < 1 - kinds[""] / JAPAN < 0.24
    assert set(kinds) == {"", *TROUBLES}
    assert not any(Nation().trouble_of(number) for number in range(1, JAPAN + 1))


def test_a_nation_is_told_in_one_line() -> None:
    nation = Nation(seed=9, cities=12, shared=0.25, trouble=0.125)
    assert Nation.of(nation.spec) == nation
    with pytest.raises(ValueError, match="does not describe a nation"):
        Nation.of("seed=1")


# --- sites ------------------------------------------------------------------------------------------------------------


def test_sizes_are_within_bounds_and_most_are_small() -> None:
    sizes = sorted(Nation(smallest=8, largest=40).pages(number) for number in range(1, JAPAN + 1))
    assert (sizes[0], sizes[-1]) == (8, 40)
    assert sizes[JAPAN // 2] < 16 < sum(sizes) / JAPAN
    for number in range(1, 40):
        assert abs(len(site(Nation(), number).by_path) - Nation().pages(number)) <= 2


def test_the_same_seed_gives_the_same_bytes_in_any_order_and_process() -> None:
    digests = {run(DIGEST, {**os.environ, "PYTHONHASHSEED": seed}) for seed in ("1", "2")}
    assert len(digests) == 1


def test_seeds_and_municipalities_differ() -> None:
    bodies = [Site(Nation(seed), number).answer("/", ORIGIN).body for seed in (1, 2) for number in range(1, 11)]
    assert len(set(bodies)) == 20
    truths = [Site(Nation(), number).settled for number in range(1, 101)]
    assert len(set(truths)) > 80
    assert min(map(len, truths)) <= 2 < 12 <= max(map(len, truths))


@pytest.mark.parametrize("number", range(1, 9))
def test_every_page_is_reached_by_links_and_carries_the_name(number: int) -> None:
    one = Site(Nation(), number)
    seen = ["/"]
    for path in seen:
        body = one.answer(path, ORIGIN).body
        found = re.findall(r'<a href="(/[^"#]*)', body.decode("utf-8", "replace")) if path.endswith(("/", "l")) else []
        seen += [there for there in dict.fromkeys(found) if there not in seen and there in one.by_path]
        assert path.endswith(".pdf") or f"{one.row.prefecture}{one.row.name}" in body.decode()
    assert set(seen) == set(one.by_path)


def test_what_settles_a_criterion_stands_on_its_page_or_in_its_file() -> None:
    told = {"html": 0, "pdf": 0}
    for number in range(1, 31):
        one = Site(Nation(), number)
        for node in one.content.nodes:
            body = one.answer(node.path, ORIGIN).body
            text = _text(body) if node.kind == "pdf" else body.decode()
            assert all(fact in text for fact in node.facts)
            told["pdf" if node.kind == "pdf" else "html"] += len(node.facts)
        assert one.settled >= {criterion for node in one.content.nodes for criterion in node.proves}
        assert ("policy-05" in one.settled) == bool(one.content.town.digital)
    assert min(told.values()) > 10


def test_no_page_leads_to_another_server() -> None:
    for number in range(1, 31):
        one = Site(Nation(), number)
        for path in one.by_path:
            assert not re.search(rb'(?:href|src)="(?:https?:)?//', one.answer(path, ORIGIN).body)


def test_what_a_survey_could_find_leaves_out_servers_in_trouble() -> None:
    nation = Nation(cities=40, trouble=0.5)
    troubled = {registry.row(nation, number).code for number in range(1, 41) if nation.trouble_of(number)}
    assert troubled
    assert set(settled(nation)) == {one.code for one in registry.rows(nation)} - troubled


# --- names that resolve -----------------------------------------------------------------------------------------------


def test_a_process_finds_the_hosts_and_no_others_change(tmp_path: Path) -> None:
    nation = Nation(cities=40, trouble=0.5)
    lost = next(number for number in range(1, 41) if nation.trouble_of(number) == "dns")
    sound = next(number for number in range(1, 41) if not nation.trouble_of(number))
    asked = {
        nation.host(sound): nation.address(sound),
        nation.host(sound).removeprefix("www."): nation.address(sound),
        nation.host(lost): "-",
        nation.host(41): "-",
        "shop.nation.test": "-",
        "127.0.0.1": "127.0.0.1",
    }
    said = _resolved(asked, {**os.environ, **environment(nation)}, tmp_path)
    assert said == asked


def test_without_the_variable_nothing_is_changed(tmp_path: Path) -> None:
    nation = Nation()
    bare = {**os.environ, **environment(nation)}
    del bare["AKASHI_NATION"]
    program = "import socket; print(socket.getaddrinfo.__module__)"
    assert run(program, bare).strip() == "socket"
    assert run(program, {**os.environ, **environment(nation)}).strip() != "socket"


# --- the server -------------------------------------------------------------------------------------------------------


def test_each_host_answers_at_its_address_only(serving: Serving) -> None:
    nation = serving.nation
    for number in (1, 2, 60):
        expected = Site(nation, number).answer("/", f"http://{nation.host(number)}:{serving.port}")
        assert get(serving, number).body == expected.body
    assert get(serving, 1, at="127.0.0.1").status == 421
    assert get(serving, 61, at=nation.address(1)).status == 421
    assert get(serving, 1, "/no/such/page.html").status == 404


def test_robots_and_sitemap_name_whole_addresses(serving: Serving) -> None:
    number = next(one for one in range(1, 61) if get(serving, one, "/sitemap.xml").status == 200)
    origin = f"http://{serving.nation.host(number)}:{serving.port}"
    listed = get(serving, number, "/sitemap.xml").body.decode()
    paths = set(re.findall(rf"<loc>{re.escape(origin)}(.*?)</loc>", listed))
    assert paths == set(Site(serving.nation, number).by_path)


def test_an_unchanged_page_is_not_sent_again(serving: Serving) -> None:
    tag = get(serving, 1).headers["etag"]
    again = get(serving, 1, If_None_Match=tag)
    assert (again.status, again.body) == (304, b"")
    assert get(serving, 1, If_None_Match='"other"').status == 200


def test_the_log_tells_when_where_and_what(serving: Serving) -> None:
    before = time.monotonic()
    get(serving, 7, "/?this-very-request")
    after = time.monotonic()
    serving.flush()
    (found,) = (one for one in checks.read(serving.log) if one.path == "/?this-very-request")
    assert before < found.at_s < after
    assert (found.address, found.host, found.status) == (serving.nation.address(7), serving.nation.host(7), 404)


def test_a_request_counts_from_its_first_line_and_a_connection_is_kept(serving: Serving) -> None:
    nation = serving.nation
    with socket.create_connection((nation.address(5), serving.port), timeout=10) as client:
        for path, pause_s in (("/?slow", 0.3), ("/?next", 0.0)):
            client.sendall(f"GET {path} HTTP/1.1\r\nHo".encode())
            sent = time.monotonic()
            time.sleep(pause_s)
            client.sendall(f"st: {nation.host(5)}\r\n\r\n".encode())
            assert _status(client) == 404
            serving.flush()
            (found,) = (one for one in checks.read(serving.log) if one.path == path)
            assert found.at_s < sent + 0.2


def test_servers_in_trouble_refuse_each_in_its_way(troubled: Serving) -> None:
    nation = troubled.nation
    number = {nation.trouble_of(one): one for one in range(1, 81)}
    assert set(number) == set(TROUBLES)
    with pytest.raises(ConnectionError):
        get(troubled, number["reset"])
    for silent in (number["silent"], number["stalling"]):
        with pytest.raises(TimeoutError):
            get(troubled, silent, deadline_s=0.2)
    unavailable = get(troubled, number["unavailable"])
    assert (unavailable.status, unavailable.headers["retry-after"]) == (503, "1")
    assert get(troubled, number["forbidden"], "/robots.txt").status == 403
    assert b"Disallow: /\n" in get(troubled, number["robots"], "/robots.txt").body
    for kind_of in ("failing", "stalling"):
        assert get(troubled, number[kind_of], "/robots.txt").status == 404
    assert get(troubled, number["failing"]).status == 500
    troubled.flush()
    silent_ones = {one.host for one in checks.read(troubled.log) if one.status == 0}
    assert silent_ones == {nation.host(number[kind_of]) for kind_of in ("reset", "silent", "stalling")}


def test_a_server_can_be_started_by_hand_and_stopped(tmp_path: Path) -> None:
    with served(tmp_path, Nation(cities=3)) as one, served(tmp_path / "..", Nation(cities=3)) as other:
        assert one.port != other.port
        get(one, 1)
    assert len(checks.read(one.log)) == 1  # written out at the end, without being asked


# --- what the log proves ----------------------------------------------------------------------------------------------


def test_hurry_is_that_of_all_pairs() -> None:
    chance = random.Random(3)
    for _ in range(50):
        times = [chance.uniform(0, 20) for _ in range(chance.randrange(2, 40))]
        assert checks.hurry_s(times, 0.5) == pytest.approx(crawling.hurry_s(times, 0.5))
    assert checks.hurry_s([4.0], 1.0) < 0
    assert checks.hurry_s([], 1.0) < 0


def requests(*rows: tuple[float, str, str]) -> list[Request]:
    return [Request(at_s, address, host, 200, f"/{number}") for number, (at_s, address, host) in enumerate(rows)]


def test_a_pace_is_violated_where_hosts_of_one_address_are_asked_too_soon() -> None:
    kept = [(second, "127.9.1.1", f"host-{second % 2}") for second in range(10)]
    assert not checks.violations(requests(*kept), 1.0)
    hasty = requests(*((second / 2, *rest) for second, *rest in kept))
    assert set(checks.violations(hasty, 1.0)) == {"127.9.1.1"}
    assert checks.hurries(hasty, 1.0, by_host)["host-0"] <= 0 < checks.hurries(hasty, 1.0, by_address)["127.9.1.1"]


@pytest.mark.parametrize(("pace_s", "count", "violated"), [(1.0, 2, False), (0.97, 3, False), (0.97, 10, True)])
def test_a_pace_a_little_too_fast_adds_up(pace_s: float, count: int, violated: bool) -> None:
    asked = requests(*((number * pace_s, "127.10.1.1", "host") for number in range(count)))
    assert bool(checks.violations(asked, 1.0)) is violated


def test_what_was_answered_is_not_to_be_asked_again() -> None:
    rows = [("a", "/", 200), ("a", "/", 200), ("b", "/", 200), ("a", "/x", 503), ("a", "/x", 429), ("a", "/x", 0)]
    rows += [("a", "/x", 404), ("a", "/x", 200), ("a", "/x", 304)]
    asked = [Request(number, "127.10.1.1", host, status, path) for number, (host, path, status) in enumerate(rows)]
    assert checks.refetches(asked) == {("a", "/"): 1, ("a", "/x"): 2}
    assert checks.per_host(asked) == {"a": 8, "b": 1}
    assert checks.last_asked(asked) == {"a": 8, "b": 2}


def test_a_line_that_is_still_being_written_is_left_out(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("2000000000\t127.10.1.1\thost\t200\t/b\n1500000000\t127.10.1.1\thost\t0\t/a\n3000000000\t127.1")
    assert [(one.at_s, one.path, one.status) for one in checks.read(log)] == [(1.5, "/a", 0), (2.0, "/b", 200)]


# --- measuring --------------------------------------------------------------------------------------------------------


def test_growth_is_told_by_cities_and_of_the_second_half_only() -> None:
    crawled = [float(second) for second in range(100)]  # a city a second
    steady = [measure.Sample(at, 300 if at < 40 else 200, 300, 50 + at / 2, {}) for at in map(float, range(100))]
    assert measure.growth(steady, crawled, tree=False) == pytest.approx(0)
    assert measure.growth(steady, crawled, tree=True) == pytest.approx(50)
    assert measure.growth(steady[:4], crawled, tree=True) is None
    assert measure.growth(steady, [], tree=True) is None


def test_a_command_is_measured_with_what_it_starts(tmp_path: Path) -> None:
    below = "b = bytearray(60 << 20); n = sum(range(20_000_000)); import time; time.sleep(1.5)"
    above = f"import subprocess, sys; print('said'); subprocess.run([sys.executable, '-c', {below!r}]); sys.exit(3)"
    found = measure.run([sys.executable, "-c", above], os.environ, tmp_path / "output")
    assert (found.code, (tmp_path / "output").read_text()) == (3, "said\n")
    assert found.peak_tree_mib > 60 > found.peak_rss_mib > 1
    assert 0.1 < found.cpu_s < found.wall_s


def test_over_postgresql_a_survey_is_queued_and_a_worker_does_it() -> None:
    csv, wanted = Path("a b.csv"), Wanted(side_by_side=7)
    assert command.nation(csv, wanted)[-2:] == ["--side-by-side", "7"]
    shell, _, line = command.nation(csv, wanted, "postgresql+psycopg:///akashi")
    assert shell == "sh"
    assert "--registry 'a b.csv'" in line
    assert line.endswith("worker --until-idle --crawls 7")


def test_a_trial_counts_what_a_survey_did(tmp_path: Path) -> None:
    wanted = Wanted(max_pages=12)
    with served(tmp_path, Nation(cities=1)) as serving:
        registry.write(serving.nation, tmp_path / "registry.csv", serving.port)
        line = command.nation(tmp_path / "registry.csv", wanted)
        found = trial(line, serving, tmp_path, wanted.delay_s, {})
    assert (found.code, found.outcome.states) == (0, {"done": 1}), found.last_words
    assert found.outcome.judgements == 31
    assert 0 < found.outcome.found <= found.outcome.settled
    assert found.outcome.pages == 12
    assert found.outcome.archived_bytes > 10_000
    assert (found.violations, found.refetched) == ({}, 0)
    assert found.peak_tree_mib > 50


def _text(body: bytes) -> str:
    document = pypdfium2.PdfDocument(body)
    text = "".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return text.replace("\r", "").replace("\n", "")


def _status(client: socket.socket) -> int:
    """The status of one answer, read whole."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += client.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(re.search(rb"Content-Length: ([0-9]+)", head)[1])  # type: ignore[index]
    while len(body) < length:
        body += client.recv(65536)
    return int(head.split()[1])


def _resolved(hosts: dict[str, str], environment: dict[str, str], folder: Path) -> dict[str, str]:
    (folder / "hosts").write_text(" ".join(hosts))
    program = RESOLVE.replace("sys.stdin.read()", f"open({str(folder / 'hosts')!r}).read()")
    return dict(line.split(" ", 1) for line in run(program, environment).splitlines())


def test_the_folder_of_the_resolver_is_the_one_processes_are_given() -> None:
    folder = environment(Nation())["PYTHONPATH"].split(os.pathsep)[0]
    assert (Path(folder) / "sitecustomize.py").is_file()
    assert Path(folder).is_relative_to(ROOT)
    assert environment(Nation(seed=4))["AKASHI_NATION"] == Nation(seed=4).spec
