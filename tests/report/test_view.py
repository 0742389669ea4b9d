"""The viewer: three paths, this machine only, and a run is followed while it grows."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from acgym.cli.app import app
from acgym.record.run import Run
from acgym.report import page as report
from acgym.report.view import Viewer, serve
from acgym.report.view_progress import Progress
from tests.helpers.report_runs import DENSE, NEEDLE, OTHER, TOOLS, finish, write_run


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    """Leave the figures out: they take most of the time."""
    monkeypatch.setattr(report, "FIGURES", ())


@pytest.fixture
def run(tmp_path) -> Run:
    return write_run(tmp_path / "run")


@contextmanager
def serving(folder):
    server = serve(folder)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def ask(server, path, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=20)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, headers=given)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def test_pages_and_their_headers(run):
    finish(run)
    with serving(run.path) as server:
        assert server.server_address[0] == "127.0.0.1"
        for path, kind in (("/", "text/html"), ("/report.html", "text/html"), ("/progress.json", "application/json")):
            answer, content = ask(server, path)
            assert (answer.status, answer.headers["Content-Type"].split(";")[0]) == (200, kind)
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
            assert len(content) == int(answer.headers["Content-Length"])
            again, nothing = ask(server, path, If_None_Match=answer.headers["ETag"])
            assert (again.status, nothing) == (304, b"")
            head, nothing = ask(server, path, method="HEAD")
            assert (head.headers["Content-Length"], nothing) == (str(len(content)), b"")
        assert OTHER.encode() in ask(server, "/report.html?abc")[1]


@pytest.mark.parametrize(
    "path", ["/manifest.json", "/../manifest.json", "/%2e%2e/etc/passwd", "//etc/passwd", "/report.html/", "/x", "*"]
)
def test_there_is_no_other_path(path, run):
    with serving(run.path) as server:
        answer, content = ask(server, path)
        assert (answer.status, content) == (404, b"there is no such page\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_changed(method, run):
    before = sorted((path, path.stat().st_mtime_ns) for path in run.path.rglob("*"))
    with serving(run.path) as server:
        assert ask(server, "/", method=method)[0].status == 501
        ask(server, "/report.html")
    assert sorted((path, path.stat().st_mtime_ns) for path in run.path.rglob("*")) == before


@pytest.mark.parametrize("host", ["example.com", "127.0.0.1", "attacker.test:80", ""])
def test_another_name_for_this_machine_is_refused(host, run):
    """A page of somebody else must not read a run through a name that leads here."""
    with serving(run.path) as server:
        answer, content = ask(server, "/progress.json", Host=host)
        assert (answer.status, b"agents" in content) == (403, False)


def test_a_run_in_progress_is_followed(run):
    file = run.folder(OTHER) / "episodes.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:3]) + lines[3][:50])
    viewer = Viewer(run.path)
    first = viewer.answer("/progress.json")
    row = json.loads(first.content)
    assert (row["totals"], row["envs"], row["ends_itself"]) == ([6, 6], [TOOLS, NEEDLE], False)
    dense, other = row["agents"]
    assert (dense["done"], dense["solved"], dense["finished"]) == ([6, 6], [5, 6], True)
    assert (other["done"], other["finished"], other["damaged"]) == ([3, 0], False, 0)
    page = viewer.answer("/report.html").content.decode()
    assert f"The run is not finished. Left out until they have played everything: {OTHER}." in page
    assert "lost and won ones first" in page or "episodes are here word for word" in page
    assert viewer.answer("/progress.json") is first
    file.write_bytes(b"".join(lines))
    later = viewer.answer("/progress.json")
    assert later.etag != first.etag
    assert json.loads(later.content)["agents"][1]["done"] == [5, 6]
    assert json.loads(later.content)["agents"][1]["failed"] == [1, 0]
    assert "The run is not finished" not in viewer.answer("/report.html").content.decode()


def test_nothing_is_compared_before_the_dense_agent_is_done(run):
    file = run.folder(DENSE) / "episodes.jsonl"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:5]))
    page = Viewer(run.path).answer("/report.html").content.decode()
    assert "nothing can be compared yet" in page


def test_damaged_lines_are_counted_and_said(run):
    file = run.folder(OTHER) / "episodes.jsonl"
    file.write_bytes(b"[]\n" + file.read_bytes())
    viewer = Viewer(run.path)
    assert json.loads(viewer.answer("/progress.json").content)["agents"][1]["damaged"] == 1
    assert "line 1: this is not an episode" in viewer.answer("/report.html").content.decode()


def test_a_comparison_that_is_none_is_said(run):
    (run.path / "comparison.json").write_text('{"settings": {}}', "utf-8")
    assert "<p>- " in Viewer(run.path).answer("/report.html").content.decode()


def test_a_file_that_was_mended_is_read_anew(run):
    progress = Progress(run.path)
    assert progress.read()["agents"][0]["done"] == [6, 6]
    file = run.folder(DENSE) / "episodes.jsonl"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:2]))
    assert progress.read()["agents"][0]["done"] == [2, 0]


def test_no_run_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no run"):
        serve(tmp_path)


def test_command_refuses_a_port_that_is_taken_and_a_folder_without_a_run(run, tmp_path):
    with serving(run.path) as server:
        port = str(server.server_address[1])
        done = CliRunner().invoke(app, ["view", str(run.path), "--port", port])
    assert (done.exit_code, "--port 0" in done.output) == (2, True)
    done = CliRunner().invoke(app, ["view", str(tmp_path)])
    assert (done.exit_code, "holds no run" in done.output) == (2, True)


def test_a_browser_that_leaves_early_is_no_error(run, capfd):
    """Connections are cut before the request is whole and before the answer is read; our own faults are shown."""
    with serving(run.path) as server:
        whole = b"GET / HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % server.server_port
        for request in (whole[:20], whole):
            for _ in range(5):
                with socket.create_connection(server.server_address) as browser:
                    browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    browser.sendall(request)
        assert ask(server, "/")[0].status == 200
        for error, shown in ((BrokenPipeError(), False), (ConnectionResetError(), False), (KeyError("ours"), True)):
            try:
                raise error
            except (OSError, KeyError):
                server.handle_error(None, ("127.0.0.1", 1))
            assert ("Traceback" in capfd.readouterr().err) is shown
