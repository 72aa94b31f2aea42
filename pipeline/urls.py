"""Addresses: one canonical form for each, and whether it belongs to a municipality's site. No network."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from urllib.parse import quote, urljoin, urlsplit

import idna

MAX_CHARS = 2000
_DEFAULT_PORTS = {"http": 80, "https": 443}
_EDGES = "".join(map(chr, range(0x21))) + "\u3000\ufeff\u200b"
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
# A host whose last label looks like a number is an IPv4 address in some client's eyes (WHATWG URL, "ends in a number").
_NUMERIC_END = re.compile(r"(^|\.)(\d+|0x[0-9a-f]*)$")
# Not where only a suffix would be left: www.lg.jp is a host of its own.
_WWW = re.compile(r"^www\d?\.(?!(?:ac|ad|co|ed|go|gr|lg|ne|or)\.jp$)(?=[^.]+\.[^.]+)")
_ESCAPED = re.compile(r"%([0-9a-fA-F]{2})")
_STRAY_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")
_UNRESERVED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
_PATH_SAFE = "/%:@!$&'()*+,;=-._~"
_QUERY_SAFE = _PATH_SAFE + "?"
_INDEX = re.compile(r"/index\.(html?|shtml|php)$", re.I)
_PATH_SESSION = re.compile(r";(jsessionid|phpsessid|sid)=[^/;?]*", re.I)
_SESSION_KEY = re.compile(r"(phpsessid|jsessionid|aspsessionid\w*|cfid|cftoken|oscsid|zenid|session_?id|sessid)", re.I)
# Keys that are a session only where their value looks like one; `sid=12` may well name a section.
_SHORT_SESSION_KEY = re.compile(r"(s|sid|ses|sess|session)", re.I)
_SESSION_VALUE = re.compile(r"[0-9a-zA-Z,_-]{16,}")
_TRACKING_KEY = re.compile(r"(utm_\w+|gclid|dclid|fbclid|yclid|msclkid|_gl|_ga|mc_cid|mc_eid|ref_src|igshid)", re.I)
# Domain names that only a public body of Japan can hold: lg.jp, and city / town / vill / pref under geographic names.
_PUBLIC_BODY = re.compile(r"(^|\.)lg\.jp$|(^|\.)(city|town|vill|village|pref|metro)\.([a-z0-9-]+\.){1,2}jp$")


@lru_cache(maxsize=50_000)
def canonical(url: str, base: str = "") -> str | None:
    """The one form of an absolute http(s) address, or None for what no crawl may ask.

    Lower-case host in ASCII (IDNA), no default port, no fragment, no session or tracking parameters, `index.html` as
    its folder, query sorted by key, percent-encoding and dot segments normalised (RFC 3986, 6.2.2). None: other
    schemes, credentials, malformed or disguised hosts (decimal, octal or hexadecimal IPv4), over 2,000 characters.
    """
    text = re.sub(r"[\t\r\n]", "", url.strip(_EDGES))
    if len(text) > MAX_CHARS:
        return None
    try:
        parts = urlsplit(urljoin(base, _slashes(text)) if base else _slashes(text))
        port = parts.port
    except ValueError:
        return None
    host = _host(parts.hostname or "") if "@" not in parts.netloc else None
    if parts.scheme not in _DEFAULT_PORTS or not host or port == 0:
        return None
    netloc = host if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"
    query = _query(parts.query)
    found = f"{parts.scheme}://{netloc}{_path(parts.path, indexed=not query)}{'?' + query if query else ''}"
    return found if len(found) <= MAX_CHARS else None


def _slashes(text: str) -> str:
    """Backslashes before the query are slashes, as browsers read them; two readings of one address invite trickery."""
    head, mark, tail = text.partition("?")
    return head.replace("\\", "/") + mark + tail


def _host(host: str) -> str | None:
    if host.startswith("[") or ":" in host:
        return _ipv6(host)
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    host = host.lower().removesuffix(".")
    if len(host) > 253 or not _HOST.fullmatch(host) or any(len(label) > 63 for label in host.split(".")):
        return None
    return _ipv4(host) if _NUMERIC_END.search(host) else host


def _ipv6(host: str) -> str | None:
    try:
        return f"[{ipaddress.IPv6Address(host.strip('[]'))}]" if "%" not in host else None
    except ValueError:
        return None


def _ipv4(host: str) -> str | None:
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        return None


def _path(path: str, *, indexed: bool) -> str:
    normal = _resolve_dots(_escape(_PATH_SESSION.sub("", path), _PATH_SAFE) or "/")
    return _INDEX.sub("/", normal) if indexed else normal


def _resolve_dots(path: str) -> str:
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    folder = segments[-1] in (".", "..") and bool(kept)
    return "/" + "/".join(kept) + ("/" if folder else "")


def _query(query: str) -> str:
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    kept = [(key, mark, value) for key, mark, value in pairs if not _is_noise(key, value)]
    return _escape("&".join("".join(pair) for pair in sorted(kept, key=lambda pair: pair[0])), _QUERY_SAFE)


def _is_noise(key: str, value: str) -> bool:
    if _SESSION_KEY.fullmatch(key) or _TRACKING_KEY.fullmatch(key):
        return True
    return bool(_SHORT_SESSION_KEY.fullmatch(key) and _SESSION_VALUE.fullmatch(value))


def _escape(text: str, safe: str) -> str:
    """Escapes of unreserved characters undone, the others in capitals, everything else that needs one escaped."""
    if "%" in text:
        text = _ESCAPED.sub(_unreserved, _STRAY_PERCENT.sub("%25", text))
    return quote(text, safe=safe, errors="replace")


def _unreserved(match: re.Match[str]) -> str:
    char = chr(int(match[1], 16))
    return char if char in _UNRESERVED else match[0].upper()


def host_port(url: str) -> tuple[str, int]:
    """Host (IPv6 without brackets) and port of a canonical address."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)


def is_ip(host: str) -> bool:
    """Whether a canonical host is an address and not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=10_000)
def site(url: str) -> str:
    """What an address belongs to: its host without a leading `www.`, or `host:port` for an IP address and localhost.

    A municipality's home host is the root of its own domain under every Japanese suffix (city.x.lg.jp, town.x.y.jp,
    x.co.jp), so the host itself is a sound border where a list of public suffixes would be stale or too wide.
    """
    host, port = host_port(url)
    if is_ip(host) or host == "localhost":
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return _WWW.sub("", host)


def in_scope(url: str, home: str) -> bool:
    """Whether an address lies on the home page's site or a subdomain of it; for an IP address the port counts too."""
    own = site(home)
    return bool(own) and (site(url) == own or (host_port(url)[0].endswith("." + own) and ":" not in own))


@lru_cache(maxsize=50_000)
def mirrored(url: str, home: str) -> str:
    """The address on the home page's own scheme and host where only http / https or `www.` tell the two apart."""
    parts, own = urlsplit(url), urlsplit(home)
    if parts.netloc == own.netloc and parts.scheme == own.scheme:
        return url
    if site(url) != site(home) or parts.port or own.port:
        return url
    return parts._replace(scheme=own.scheme, netloc=own.netloc).geturl()


def of_public_body(url: str) -> bool:
    """Whether the host can only belong to a Japanese public body: lg.jp, or city / town / vill / pref.<place>.jp."""
    return bool(_PUBLIC_BODY.search(host_port(url)[0]))
