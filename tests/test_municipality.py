"""The registry finds what is meant or says why not; it never guesses."""

from __future__ import annotations

import csv
import hashlib
import io
import threading
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.errors import AmbiguousCityError, InputError, RegistryError, UnknownCityError
from pipeline.models import Municipality
from pipeline.municipality import Registry, check_digit, fetching, unregistered

HEADER = "pid,pref,cid,city,citykana,lat,lng,url,phrase,lgcode\n"
SAGAMIHARA = "14,神奈川県,14150,相模原市,さがみはらし,35.5,139.3,https://www.city.sagamihara.kanagawa.jp/,,141500\n"
SAPPORO = "1,北海道,1100,札幌市,さっぽろし,43.0,141.3,https://www.city.sapporo.jp/,,011002\n"
CHUO = "1,北海道,1101,札幌市 中央区,さっぽろし ちゅうおうく,43.0,141.3,https://www.city.sapporo.jp/chuo/,,011011\n"


@pytest.fixture(scope="session")
def folder(shared: Path) -> Path:
    return shared / "data" / "localgovjp"


@pytest.fixture(scope="session")
def registry(folder: Path) -> Registry:
    return Registry.read(folder / "localgovjp-utf8.csv")


@pytest.fixture(scope="session")
def shared_names(registry: Registry) -> dict[str, int]:
    return {name: count for name, count in Counter(each.name for each in registry.municipalities).items() if count > 1}


def read(tmp_path: Path, text: str, encoding: str = "utf-8") -> Registry:
    path = tmp_path / "registry.csv"
    path.write_bytes(text.encode(encoding))
    return Registry.read(path)


# --- the whole registry -----------------------------------------------------------------------------------------------


def test_the_registry_holds_the_country(registry: Registry) -> None:
    assert len(registry.municipalities) == 1_741
    assert len(registry.prefectures) == 47
    assert len(registry.wards) == 175
    assert all(each.home_url and each.kana for each in (*registry.municipalities, *registry.prefectures))


def test_every_code_finds_its_own(registry: Registry) -> None:
    for each in (*registry.municipalities, *registry.prefectures):
        assert registry.find(each.code) == each


def test_every_code_without_check_digit_finds_its_own_or_lists_its_own(registry: Registry) -> None:
    """Five digits are a code without check digit, or one without its leading zero: where both exist, it is said."""
    refused = 0
    for each in (*registry.municipalities, *registry.prefectures):
        try:
            assert registry.find(each.code[:5]) == each
        except AmbiguousCityError as error:
            refused += 1
            assert any(line.startswith(each.code) for line in error.candidates)
    assert refused < 20


def test_every_name_that_is_unique_finds_its_own(registry: Registry, shared_names: dict[str, int]) -> None:
    for each in registry.municipalities:
        if each.name not in shared_names:
            assert registry.find(each.name) == each
    for each in registry.prefectures:
        assert registry.find(each.name) == each


def test_every_prefecture_with_name_finds_its_own(registry: Registry) -> None:
    for each in registry.municipalities:
        assert registry.find(each.prefecture + each.name) == each
        assert registry.find(f" {each.prefecture}　{each.name} ") == each


def test_every_shared_name_is_refused_with_all_candidates(registry: Registry, shared_names: dict[str, int]) -> None:
    assert len(shared_names) == 25
    for name, count in shared_names.items():
        with pytest.raises(AmbiguousCityError) as caught:
            registry.find(name)
        bearers = [each for each in registry.municipalities if each.name == name]
        assert list(caught.value.candidates) == [f"{each.code} {each.prefecture} {name}" for each in bearers]
        assert len(bearers) == count
        assert all(each.code in str(caught.value) for each in bearers)


def test_every_kana_that_is_unique_finds_its_own_in_any_script(registry: Registry) -> None:
    everything = (*registry.municipalities, *registry.prefectures)
    kana = Counter(each.kana for each in everything)
    for each in everything:
        for typed in (each.kana, katakana(each.kana), unicodedata.normalize("NFD", katakana(each.kana))):
            if kana[each.kana] == 1:
                assert registry.find(typed) == each
            else:
                with pytest.raises(AmbiguousCityError):
                    registry.find(typed)


def katakana(text: str) -> str:
    return "".join(chr(ord(character) + 0x60) if "ぁ" <= character <= "ゖ" else character for character in text)


def test_every_stem_finds_its_own_or_is_refused(registry: Registry) -> None:
    """相模原 is 相模原市; 大津 is 大津市 or 大津町; a stem never stands for something else than what it begins."""
    everything = (*registry.municipalities, *registry.prefectures)
    stems = Counter(each.name[:-1] for each in everything)
    found = 0
    for each in everything:
        try:
            answer = registry.find(each.name[:-1])
        except AmbiguousCityError as error:
            assert stems[each.name[:-1]] > 1
            assert any(line.startswith(each.code) for line in error.candidates)
        else:
            assert answer == each or answer.name == each.name[:-1]
            found += 1
    assert found > 1_400


def test_every_ward_is_told_from_its_city(registry: Registry) -> None:
    for each in registry.wards:
        city = each.name[: each.name.index("市") + 1]
        for typed in (each.code, each.name, each.prefecture + each.name, f"{city} {each.name.removeprefix(city)}"):
            with pytest.raises(UnknownCityError, match=f"is a ward of {city}.*--city {city}"):
                registry.find(typed)


def test_the_check_digits_of_the_registry_are_as_computed(registry: Registry) -> None:
    assert all(check_digit(each.code[:5]) == each.code[5] for each in (*registry.municipalities, *registry.prefectures))


# --- forms ------------------------------------------------------------------------------------------------------------

FORMS = [
    ("相模原市", "141500"),
    ("相模原", "141500"),
    ("神奈川県相模原市", "141500"),
    ("神奈川県 相模原市", "141500"),
    ("神奈川県相模原", "141500"),
    ("さがみはらし", "141500"),
    ("サガミハラシ", "141500"),
    ("ｻｶﾞﾐﾊﾗｼ", "141500"),
    ("かながわけん さがみはらし", "141500"),
    ("141500", "141500"),
    ("１４１５００", "141500"),
    ("14150", "141500"),
    (" 14150 0 ", "141500"),
    ("相\ufe00模原市", "141500"),
    ("011002", "011002"),
    ("11002", "011002"),
    ("01100", "011002"),
    ("北海道", "010006"),
    ("神奈川県", "140007"),
    ("140007", "140007"),
    ("東京", "130001"),
    ("神奈川県愛甲郡愛川町", "144011"),
    ("神奈川県 愛甲郡 愛川町", "144011"),
    ("愛甲郡愛川町", "144011"),
    ("兵庫県赤穂郡上郡町", "284815"),
    ("上郡町", "284815"),
    ("大和郡山市", "292036"),
    ("郡山市", "072036"),
    ("東京都府中市", "132063"),
    ("岐阜県揖斐郡池田町", "214043"),
    ("中央区", "131024"),
    ("津", "242012"),
    ("つがる市", "022098"),
    ("龍ケ崎市", "082082"),
]


@pytest.mark.parametrize(("typed", "code"), FORMS)
def test_forms_in_which_people_type(registry: Registry, typed: str, code: str) -> None:
    assert registry.find(typed).code == code


UNKNOWN = [
    ("", "no municipality was named"),
    ("　 ", "no municipality was named"),
    ("141501", "check digit of code 141501 is wrong; did you mean 141500 神奈川県 相模原市"),
    ("999999", "check digit"),
    ("479993", "no municipality has the code 479993"),
    ("1415", "has 4 digits"),
    ("1415000", "has 7 digits"),
    ("相模原町", "神奈川県相模原市"),
    ("愛川郡相模原市", "no municipality"),
    ("竜ヶ崎市", "did you mean 茨城県龍ケ崎市"),
    ("龍ヶ崎市", "did you mean 茨城県龍ケ崎市"),
    ("袖ヶ浦市", "did you mean 千葉県袖ケ浦市"),
    ("緑区", "is a ward of さいたま市、千葉市、横浜市、相模原市、名古屋市"),
    ("大阪府相模原市", "no municipality"),
    ("市", "no municipality"),
    ("ABC", "no municipality"),
    ("x" * 10_000, "no municipality"),
    ("郡" * 3_000, "no municipality"),
    ("相模原市; rm -rf", "no municipality"),
]


@pytest.mark.parametrize(("typed", "said"), UNKNOWN)
def test_what_is_not_there_is_said_with_what_is_near(registry: Registry, typed: str, said: str) -> None:
    began = time.process_time()
    with pytest.raises(UnknownCityError) as caught:
        registry.find(typed)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 600
    assert time.process_time() - began < 2
    for near in caught.value.near:
        assert isinstance(registry.find(near), Municipality), "what is suggested can be typed"


@pytest.mark.parametrize("typed", ["府中市", "伊達", "池田町", "中川郡池田町", "京都", "大津", "だてし", "14362"])
def test_what_fits_several_is_refused(registry: Registry, typed: str) -> None:
    with pytest.raises(AmbiguousCityError) as caught:
        registry.find(typed)
    assert len(caught.value.candidates) > 1
    for candidate in caught.value.candidates:
        assert registry.find(candidate.split()[0]).name == candidate.split()[-1]


@pytest.mark.parametrize(
    ("digits", "check"),
    # The sum below 11 (01000: 5), a remainder of 0 and of 1 (the last digit of 11 and of 10), and others.
    [("01000", "6"), ("14150", "0"), ("13101", "6"), ("47382", "1"), ("00000", "1")],
)
def test_check_digits(digits: str, check: str) -> None:
    assert check_digit(digits) == check


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_spreadsheets_copy_is_read(tmp_path: Path, folder: Path, registry: Registry) -> None:
    """Shift_JIS, CRLF, and codes that lost their leading zeros."""
    text = (folder / "localgovjp-utf8.csv").read_text("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    for row in rows[1:]:
        row[-1] = str(int(row[-1]))
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    (tmp_path / "copy.csv").write_bytes(out.getvalue().encode("cp932", "replace"))
    copy = Registry.read(tmp_path / "copy.csv", folder / "prefjp-utf8.csv")
    assert copy.municipalities == registry.municipalities
    assert copy.prefectures == registry.prefectures


def test_without_the_prefecture_file_prefectures_are_known_by_name_and_code(tmp_path: Path, registry: Registry) -> None:
    small = read(tmp_path, HEADER + SAGAMIHARA)
    assert small.find("神奈川県") == Municipality(code="140007", name="神奈川県")
    assert registry.find("神奈川県").home_url
    assert small.find("さがみはらし").code == "141500"


def test_a_small_file_with_columns_in_any_order_is_enough(tmp_path: Path) -> None:
    text = '\ufefflgcode,"city",pref,extra,url,citykana\n141500,相模原市,神奈川県,x,,さがみはらし\n\n'
    assert read(tmp_path, text).find("相模原市") == Municipality(
        code="141500", name="相模原市", kana="さがみはらし", prefecture="神奈川県"
    )


BAD = {
    "empty": ("", "lacks the column"),
    "no header": (SAGAMIHARA, "lacks the column"),
    "a web page": ("<!DOCTYPE html><html>", "lacks the column"),
    "only a header": (HEADER, "holds no municipality"),
    "only a ward": (HEADER + CHUO, "holds no municipality"),
    "a wrong check digit": (HEADER + SAGAMIHARA.replace("141500", "141501"), "line 2: code 141501 should end in 0"),
    "a short code": (HEADER + SAGAMIHARA.replace("141500", "1415"), "line 2: code '1415' is not six digits"),
    "no code": (HEADER + SAGAMIHARA.replace("141500", ""), "is not six digits"),
    "a twice used code": (HEADER + SAPPORO + SAGAMIHARA + SAPPORO, "line 4: code 011002 is on line 2 too"),
    "a bad address": (HEADER + SAGAMIHARA.replace("https://", "javascript:"), "line 2: 'javascript:"),
    "an address without host": (HEADER + SAGAMIHARA.replace("https://www.city", "https:///"), "is not an http"),
    "a space in an address": (HEADER + SAGAMIHARA.replace("https://www", "https://w w"), "is not an http"),
    "no name": (HEADER + SAGAMIHARA.replace("相模原市", ""), "line 2: a name is missing"),
    "a short line": (HEADER + "14,神奈川県\n", "line 2"),
    "an open quote": (HEADER + '14,"神奈川県', "line 2"),
    "a huge field": (HEADER + "x" * 200_000 + SAGAMIHARA, "line 2"),
    "a NUL": (HEADER + SAGAMIHARA.replace("相模原市", "相\0模原市"), "line 2"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_with_its_lines(tmp_path: Path, name: str) -> None:
    text, said = BAD[name]
    with pytest.raises(RegistryError) as caught:
        read(tmp_path, text)
    assert said in str(caught.value)


def test_ten_problems_are_shown_and_all_counted(tmp_path: Path) -> None:
    rows = "".join(SAGAMIHARA.replace("141500", f"{number:05}9") for number in range(0, 230, 10))
    with pytest.raises(RegistryError) as caught:
        read(tmp_path, HEADER + rows)
    wrong = sum(check_digit(f"{number:05}") != "9" for number in range(0, 230, 10))
    assert f"{wrong} problem(s)" in str(caught.value)
    assert str(caught.value).count("line ") == 10 < wrong


def test_bytes_that_are_no_text_and_files_that_are_not_there_are_said(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"\x81\xff\xfe\x00")
    with pytest.raises(RegistryError, match="neither UTF-8 nor Shift_JIS"):
        Registry.read(path)
    for missing in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(RegistryError, match="cannot be read"):
            Registry.read(missing)


def test_a_place_outside_the_registry_has_a_code_of_its_name() -> None:
    place = unregistered(" ｱｶｼ市 ", "https://akashi.example/")
    assert place.name == "アカシ市"
    assert place.code == "x" + hashlib.sha256("アカシ市".encode()).hexdigest()[:10]
    assert place == unregistered("アカシ市", "https://akashi.example/")
    assert place.code != unregistered("アカシ町", None).code
    with pytest.raises(InputError):
        unregistered(" ", None)


# --- the network ------------------------------------------------------------------------------------------------------

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(answers: dict[str, Answer]) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            answers[self.path](self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def file_of(path: Path) -> Answer:
    return content_of(path.read_bytes())


def content_of(content: bytes) -> Answer:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return send


def status_of(status: int, location: str = "") -> Answer:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", "0")
        if location:
            handler.send_header("Location", location)
        handler.end_headers()

    return send


def cut_short(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "400000")
    handler.end_headers()
    handler.wfile.write(HEADER.encode() + SAGAMIHARA.encode())


def dripping(handler: BaseHTTPRequestHandler) -> None:
    """Headers without end, a byte at a time: no timeout between bytes ever strikes."""
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        for _ in range(100):
            handler.wfile.write(b"a")
            handler.wfile.flush()
            time.sleep(0.03)
    except OSError:
        pass


def fetch(base: str, folder: Path, *, refresh: bool = False) -> Registry:
    return Registry.fetch(f"{base}/cities", f"{base}/prefectures", folder, refresh=refresh)


def whole(folder: Path) -> dict[str, Answer]:
    return {"/cities": file_of(folder / "localgovjp-utf8.csv"), "/prefectures": file_of(folder / "prefjp-utf8.csv")}


def test_the_registry_is_fetched_once_and_kept(tmp_path: Path, folder: Path, registry: Registry) -> None:
    home = tmp_path / "home" / "registry"
    with serving(whole(folder)) as (base, asked):
        first = fetch(base, home)
        assert asked == ["/cities", "/prefectures"]
        assert fetch(base, home).municipalities == first.municipalities == registry.municipalities
        assert len(asked) == 2
        fetch(base, home, refresh=True)
        assert len(asked) == 4
    assert fetch(base, home).prefectures == registry.prefectures  # the server is gone, the copy is not
    assert home.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in home.iterdir()] == [0o600, 0o600]


BAD_ANSWERS: dict[str, tuple[Answer, str]] = {
    "not found": (status_of(404), "answered 404"),
    "server error": (status_of(503), "answered 503"),
    "a web page": (content_of(b"<!DOCTYPE html><p>login"), "lacks the column"),
    "a few rows": (content_of((HEADER + SAGAMIHARA).encode()), "1 municipalities only"),
    "cut short": (cut_short, "could not be fetched"),
    "too large": (content_of(b"x" * (fetching.MAX_BYTES + 1)), "more than 5000000 bytes"),
    "dripping": (dripping, "within 1 s"),
    "a redirect loop": (status_of(302, "/cities"), "could not be fetched"),
    "a redirect off the machine": (status_of(302, "http://registry.example/"), "https only"),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_a_bad_answer_is_said_and_never_replaces_a_good_copy(
    tmp_path: Path, folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "DEADLINE_S", 1.0)
    bad, said = BAD_ANSWERS[name]
    answers = whole(folder)
    with serving(answers) as (base, _):
        fetch(base, tmp_path)
        before = {path: path.read_bytes() for path in tmp_path.iterdir()}
        answers["/cities"] = bad
        began = time.monotonic()
        with pytest.raises(RegistryError) as caught:
            fetch(base, tmp_path, refresh=True)
        assert time.monotonic() - began < 4
        assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
        assert fetch(base, tmp_path).find("相模原市").code == "141500"
    assert said in str(caught.value)
    assert base in str(caught.value) or name == "a redirect off the machine"


def test_without_network_and_copy_the_way_out_is_said(tmp_path: Path) -> None:
    with serving({}) as (base, _):
        pass
    with pytest.raises(RegistryError, match=r"could not be fetched.*code4fukui/localgovjp.*CC0.*--registry FILE"):
        fetch(base, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_copy_is_fetched_again(tmp_path: Path, folder: Path) -> None:
    with serving(whole(folder)) as (base, asked):
        fetch(base, tmp_path)
        for path in tmp_path.iterdir():
            path.write_bytes(path.read_bytes()[:1_000])
        assert len(fetch(base, tmp_path).municipalities) == 1_741
        assert len(asked) == 4


@pytest.mark.parametrize("url", ["http://registry.example/x.csv", "ftp://127.0.0.1/x", "file:///etc/passwd", ""])
def test_only_https_is_asked_beyond_this_machine(tmp_path: Path, url: str) -> None:
    with pytest.raises(RegistryError, match="https only"):
        Registry.fetch(url, url, tmp_path)
