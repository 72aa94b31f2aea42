"""Addresses that must never be connected to, in every disguise known, and the very address that is connected to."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from crawling import plan, run
from hostile import page, serve

from pipeline.crawl.guard import Guard, UnfetchedError, is_public
from pipeline.models import Cause
from pipeline.urls import canonical

PRIVATE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254", "127.0.0.1",
    "127.255.255.254", "169.254.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255",
    "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1",
    "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "64:ff9b:1::7f00:1", "100::1",
    "2001::1", "2001:0:7f00:1::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
    "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1",
    "not an address", "",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "203.0.112.1", "2606:4700::1111", "2400:4050::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
URLS = [
    "http://127.0.0.1/", "http://127.0.0.1:80/", "http://127.0.0.1:22/", "http://127.1/", "http://127.0.1/",
    "http://0/", "http://0.0.0.0/", "http://2130706433/", "http://017700000001/", "http://0x7f000001/",
    "http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://0x7f.1/", "http://127.0.0.01/", "http://127.000.000.001/",
    "http://3232235521/", "http://425.510.425.510/", "http://127.0.0.1./", "http://127。0。0。1/", "http://１２７.０.０.１/",
    "http://①②⑦.⓪.⓪.①/", "http://[::1]/", "http://[::]/", "http://[0:0:0:0:0:0:0:1]/", "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/", "http://[::127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/",
    "http://[fe80::1]/", "http://[fd00::1]/", "http://[fe80::1%25lo]/", "http://localhost/", "http://LOCALHOST./",
    "http://ｌｏｃａｌｈｏｓｔ/", "http://169.254.169.254/latest/", "http://2852039166/", "http://0xa9fea9fe/",
    "http://[::ffff:a9fe:a9fe]/", "http://10.0.0.1/", "http://192.168.1.1/", "http://100.100.100.200/",
    "http://user@127.0.0.1/", "http://8.8.8.8@127.0.0.1/", "http://127.0.0.1@8.8.8.8/",
    "http://8.8.8.8#@127.0.0.1:22/", "http://8.8.8.8:22/", "http://8.8.8.8:6379/", "http://8.8.8.8:8080/",
    "https://8.8.8.8:25/", "http://8.8.8.8\\@127.0.0.1/", "http:\\\\127.0.0.1\\", "http:127.0.0.1/",
    "http:///127.0.0.1/", "http://127.0.0.1\t/", "http://127.0.0.1%2f@8.8.8.8/", "http://127%2e0%2e0%2e1/",
    "http://%31%32%37.0.0.1/", "gopher://127.0.0.1:70/_x", "file:///etc/passwd", "dict://127.0.0.1:11211/",
    "ftp://127.0.0.1/", "jar:http://127.0.0.1!/", "ldap://127.0.0.1/", "http://255.255.255.255/",
    "http://224.0.0.1/", "http://[ff02::1]/", "http://0x/", "http://1.2.3.4.5/", "http://1.2.3/",
    "http://127.0.0.1:65536/", "http://127.0.0.1:-80/", "http://[127.0.0.1]/", "http://[::1/", "http:// 127.0.0.1/",
]  # fmt: skip
# Of the list above, what leads to a public address on a web port once its disguise is off: the fragment is no host.
HARMLESS = {"http://8.8.8.8#@127.0.0.1:22/", "http://8.8.8.8\\@127.0.0.1/"}


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("url", URLS)
def test_disguised_addresses_are_refused(url: str) -> None:
    """Each payload has no canonical form, or the guard refuses it, or it is a public address after all."""
    form = canonical(url)
    if form is None:
        return
    if url in HARMLESS:
        assert form.startswith("http://8.8.8.8/")
        return
    with pytest.raises(UnfetchedError) as refused:
        asyncio.run(Guard().check(form))
    assert refused.value.cause is Cause.ADDRESS


def test_there_are_enough_disguises() -> None:
    assert len(set(URLS)) >= 60


def test_one_private_address_among_public_ones_refuses_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolve_to(monkeypatch, [["8.8.8.8", "10.0.0.1"]])
    with pytest.raises(UnfetchedError, match=r"10\.0\.0\.1"):
        asyncio.run(Guard().check("https://www.city.example.lg.jp/"))


@pytest.mark.parametrize(
    ("entry", "opened", "closed"),
    [
        ("127.0.0.1:8801", "http://127.0.0.1:8801/", "http://127.0.0.1:8802/"),
        ("127.0.0.1:8801", "http://127.0.0.1:8801/a", "http://127.0.0.1/"),
        ("127.0.0.1", "http://127.0.0.1/", "http://127.0.0.1:8801/"),
        ("[::1]:8801", "http://[::1]:8801/", "http://[::1]:8802/"),
        ("*", "http://10.0.0.1:8801/", None),
        ("", None, "http://127.0.0.1/"),
    ],
)
def test_what_is_opened_is_opened_alone(entry: str, opened: str | None, closed: str | None) -> None:
    guard = Guard((entry,))
    if opened:
        assert asyncio.run(guard.check(opened)).addresses
    if closed:
        with pytest.raises(UnfetchedError):
            asyncio.run(guard.check(closed))


def test_the_connection_goes_to_the_address_that_was_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers differently the second time (DNS rebinding) is not asked a second time, and the server still
    sees the name in the Host header."""
    with serve({"/": page(("/a.html", "a"), title="one"), "/a.html": page(title="two")}) as server:
        port = server.place.partition(":")[2]
        asked = _resolve_to(monkeypatch, [["127.0.0.1"], ["192.0.2.1"]])
        home = f"http://rebound.test:{port}/"
        crawled = run(plan(home, allow_private=(f"rebound.test:{port}",)), tmp_path)
        assert {request.headers["Host"] for request in server.log} == {f"rebound.test:{port}"}
    assert crawled.coverage.read == 2
    assert asked == ["rebound.test"]


def _resolve_to(monkeypatch: pytest.MonkeyPatch, answers: list[list[str]]) -> list[str]:
    """Makes names resolve to these addresses, one list for each look-up, and returns the names asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(host, bytes):
            host = host.decode()
        if host[0].isdigit():
            return real(host, port, *args, **kwargs)
        asked.append(host)
        addresses = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked
