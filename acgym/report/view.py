"""Serves one run on this machine alone: its report, and how far it is while it still plays."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from collections.abc import Callable
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from acgym.record.run import Run
from acgym.report.material import Missing
from acgym.report.page import TEMPLATES, policy, render
from acgym.report.view_live import live
from acgym.report.view_progress import Progress
from acgym.text import printable

HOST = "127.0.0.1"
"""The only address that is ever listened on."""


class Answer(NamedTuple):
    """What a request is answered with."""

    content: bytes
    kind: str
    policy: str
    etag: str


class Viewer:
    """A run's pages, made when they are asked for and only anew when a file has changed.

    Args:
        folder: of the run.

    Raises:
        FileNotFoundError, acgym.record.run.RecordDamaged: if there is no run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.progress = Progress(folder)
        self._lock = threading.Lock()
        self._made: dict[str, tuple[str, Answer]] = {}
        self.pages: dict[str, Callable[[], Answer]] = {
            "/": self._shell,
            "/progress.json": self._progress,
            "/report.html": self._report,
        }
        """Every path that there is; a path never names a file."""

    def answer(self, path: str) -> Answer | None:
        """Return a page, or None for a path that there is not."""
        make = self.pages.get(path)
        if make is None:
            return None
        with self._lock:
            stamp = self.progress.stamp()
            known = self._made.get(path)
            if known is None or known[0] != stamp:
                known = self._made[path] = (stamp, make())
            return known[1]

    def _shell(self) -> Answer:
        script, style = ((TEMPLATES / f"view.{kind}").read_text("utf-8") for kind in ("js", "css"))
        page = (TEMPLATES / "view.html").read_text("utf-8")
        page = page.replace("/*script*/", script).replace("/*style*/", style)
        more = "; connect-src 'self'; frame-src 'self'; frame-ancestors 'none'"
        return _answer(page, "text/html", policy(script, style, more))

    def _progress(self) -> Answer:
        row = self.progress.read()
        for agent in row["agents"]:
            agent["name"] = printable(agent["name"])
        digest = hashlib.sha256(self.progress.stamp().encode()).hexdigest()[:16]
        text = json.dumps({**row, "envs": [printable(env) for env in row["envs"]], "report": digest})
        return _answer(text, "application/json", "default-src 'none'")

    def _report(self) -> Answer:
        try:
            page = render(*live(self.folder, self.progress.read()))
        except (Missing, ValueError, OSError, KeyError, TypeError) as why:
            page = _nothing(printable(str(why)))
            return _answer(page, "text/html", f"{policy('', '')}; frame-ancestors 'self'")
        script, style = ((TEMPLATES / f"page.{kind}").read_text("utf-8") for kind in ("js", "css"))
        return _answer(page, "text/html", f"{policy(script, style)}; frame-ancestors 'self'")


def _nothing(why: str) -> str:
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        f"<title>no report yet</title></head><body><p>- {escape(why)}</p></body></html>"
    )


def _answer(text: str, kind: str, rule: str) -> Answer:
    content = text.encode("utf-8", "backslashreplace")
    return Answer(content, f"{kind}; charset=utf-8", rule, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD of the viewer's three paths; everything else is refused."""

    viewer: Viewer
    server_version = "acgym"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        """Answer with the page, or say that it is unchanged."""
        self._reply(body=True)

    def do_HEAD(self) -> None:
        """Answer with the headers alone."""
        self._reply(body=False)

    def _reply(self, *, body: bool) -> None:
        port = self.connection.getsockname()[1]
        if self.headers.get("Host") not in (f"{HOST}:{port}", f"localhost:{port}"):
            return self._refuse(403, b"this address is for this machine alone\n", body)
        found = self.viewer.answer(self.path.partition("?")[0])
        if found is None:
            return self._refuse(404, b"there is no such page\n", body)
        same = self.headers.get("If-None-Match") == found.etag
        self.send_response(304 if same else 200)
        self.send_header("ETag", found.etag)
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Content-Security-Policy", found.policy)
        self._safe_headers(found.kind, 0 if same else len(found.content))
        if body and not same:
            self.wfile.write(found.content)

    def _refuse(self, status: int, why: bytes, body: bool) -> None:
        self.send_response(status)
        self._safe_headers("text/plain; charset=utf-8", len(why))
        if body:
            self.wfile.write(why)

    def _safe_headers(self, kind: str, length: int) -> None:
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal shows the address alone."""


class _Server(ThreadingHTTPServer):
    """Goes on in silence when a browser leaves before it has heard the whole answer."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Show what went wrong here; that the other side hung up is nothing wrong."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


def serve(folder: str | Path, port: int = 0) -> ThreadingHTTPServer:
    """Make a server of one run; ``serve_forever`` runs it, ``shutdown`` and ``server_close`` end it.

    Args:
        folder: of the run.
        port: on 127.0.0.1; 0 for a free one, see ``server_address``.

    Raises:
        FileNotFoundError, acgym.record.run.RecordDamaged: if there is no run in the folder.
        OSError: if the port is taken.
    """
    Run.read(folder)
    handler = type("Handler", (_Handler,), {"viewer": Viewer(Path(folder))})
    return _Server((HOST, port), handler)
