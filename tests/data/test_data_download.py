"""Downloads from a server that misbehaves in every way seen in the wild."""

import contextlib
import gzip
import itertools
import os
import random
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import figures
import numpy as np
import pytest
from data_files import arrays, idx_bytes, tiny_fashion, tiny_mnist
from processes import HELPERS

from jitnet import __version__
from jitnet.data.content import sha256, silent
from jitnet.data.readers import npy
from jitnet.data.sources import download, known, search
from jitnet.data.sources.cache import Cache
from jitnet.errors import InputError

FILES = {f"{known.FILES[part]}.gz": gzip.compress(idx_bytes(array)) for part, array in arrays().items()}
BOMB = gzip.compress(idx_bytes(np.zeros((5000, 28, 28), np.uint8)))


class Handler(BaseHTTPRequestHandler):
    """The first part of the path says how to behave."""

    ways: ClassVar = {}  # more of them, by name

    def do_GET(self):
        way, name = (
            self.path.partition("://")[2].partition("/")[2].split("/")[:2]
            if "://" in self.path
            else (self.path.strip("/").split("/")[:2])
        )
        self.server.asked.append((way, name, self.headers["User-Agent"]))
        body = FILES[name]
        if way in self.ways:
            self.ways[way](self, body)
        elif way == "redirect":
            self.answer(302, b"", ("Location", self.path))
        elif way in ("404", "503"):
            self.answer(int(way), b"no such thing")
        elif way == "html":
            self.answer(200, b"<html>please log in</html>", ("Content-Type", "text/html"))
        elif way == "wrong":
            self.answer(200, gzip.compress(idx_bytes(np.zeros_like(arrays()["x_train"]))))
        elif way == "bomb":
            self.answer(200, BOMB)
        elif way == "short" or (way == "recovers" and len(self.server.asked) == 1):
            self.answer(200, body[: len(body) // 2], length=len(body))
        elif way == "stalled":
            self.answer(200, body[: len(body) // 2], length=len(body))
            self.server.over.wait(5)
        elif way == "silent":
            self.server.over.wait(5)
        elif way == "slow":
            self.answer(200, b"", length=len(body))
            for at in range(0, len(body), max(1, len(body) // 8)):
                self.wfile.write(body[at : at + max(1, len(body) // 8)])
                self.wfile.flush()
                if self.server.over.wait(0.01):
                    break
        elif way == "drip":
            self.answer(200, b"", length=len(body))
            for at in range(len(body)):
                self.wfile.write(body[at : at + 1])
                if self.server.over.wait(0.05):
                    break
        else:
            self.answer(200, body)

    def answer(self, code, body, *headers, length=None):
        self.send_response(code)
        for header in (*headers, ("Content-Length", str(len(body) if length is None else length))):
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass  # a client that gave up


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(download, "TIMEOUT", 0.3)
    running = Server(("127.0.0.1", 0), Handler)
    running.asked, running.over = [], threading.Event()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.over.set()
    running.shutdown()
    running.server_close()
    thread.join()


def fetch(server, *ways, part="x_train", seconds=5.0):
    mirrors = [f"http://127.0.0.1:{server.server_port}/{way}/" for way in ways]
    said: list[tuple[str, float]] = []
    tell = lambda what, share: said.append((what, share))  # noqa: E731
    found = download.fetch(tiny_mnist(), part, mirrors, tell, time.monotonic() + seconds)
    assert all(what.startswith("downloading http://127.0.0.1") for what, _ in said)
    last = [share for what, share in said if what == said[-1][0]]
    assert last[0] == 0 and last[-1] == 1 and len(last) > 1  # of the attempt that succeeded, all has come
    return found


@pytest.mark.parametrize("part", known.PARTS)
def test_a_good_mirror(server, part):
    found, mirror = fetch(server, "good", part=part)
    np.testing.assert_array_equal(found.array, arrays()[part])
    assert found.array.flags.writeable and mirror.endswith("/good/")
    assert server.asked == [("good", f"{known.FILES[part]}.gz", f"jitnet/{__version__}")]


@pytest.mark.parametrize(
    ("way", "tries", "words"),
    [
        ("404", 1, "HTTP 404 Not Found"),
        ("503", 2, "HTTP 503"),
        ("html", 2, "Not a gzipped file"),
        ("short", 2, "damaged or cut short"),
        ("wrong", 2, "has other content: expected SHA-256"),
        ("bomb", 2, "announces 3,920,000 bytes: expected at most 31,360"),
        (
            "redirect",
            5,
            "HTTP 302 The HTTP server returned a redirect error",
        ),
        ("stalled", 2, "timed out"),
        ("silent", 1, "no answer within 0.3 s"),
    ],
)
def test_a_bad_mirror_is_followed_by_the_next(server, way, tries, words):
    found, mirror = fetch(server, way, "good")
    np.testing.assert_array_equal(found.array, arrays()["x_train"])
    assert mirror.endswith("/good/")
    assert [asked[0] for asked in server.asked].count(way) == tries
    with pytest.raises(download.DownloadError) as caught:
        fetch(server, way, way)
    assert words in str(caught.value)
    assert all(reason.startswith("http://127.0.0.1") for reason in caught.value.reasons)


def test_a_second_try_of_the_same_mirror(server):
    _, mirror = fetch(server, "recovers", "404")
    assert mirror.endswith("/recovers/") and len(server.asked) == 2


def test_a_drip_ends_at_the_deadline(server):
    start = time.monotonic()
    with pytest.raises(download.DownloadError, match="the time for downloading was over"):
        fetch(server, "drip", seconds=0.4)
    assert time.monotonic() - start < 2


def test_a_drip_leaves_time_for_the_next_mirror(server):
    _, mirror = fetch(server, "drip", "good", seconds=2.0)
    assert mirror.endswith("/good/")


def drip(self, pieces, every=0.02):
    """Send pieces until the client is gone, or the test is over."""
    for piece in pieces:
        self.wfile.write(piece)
        self.wfile.flush()
        if self.server.over.wait(every):
            return


def endless(self, way, body):
    """Never end, in ways that a limit on each receive does not see."""
    status = b"HTTP/1.1 200 OK\r\n"
    chunked = status + b"Transfer-Encoding: chunked\r\n\r\n"
    whole = f"{len(body):x}\r\n".encode() + body + b"\r\n"
    with contextlib.suppress(OSError):
        match way:
            case "status line":
                drip(self, itertools.chain([b"HTTP/1.1 200 "], itertools.repeat(b"O")))
            case "headers":
                drip(self, itertools.chain([status], (b"X: y\r\n"[i % 6 : i % 6 + 1] for i in itertools.count())))
            case "continue":
                drip(self, itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n"))
            case "fast continue":
                drip(self, itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 100), 0)
            case "chunk size":
                drip(self, itertools.chain([chunked], itertools.repeat(b"0")))
            case "chunk extension":
                drip(self, itertools.chain([chunked, b"5;"], itertools.repeat(b"x")))
            case "trailer":
                drip(self, itertools.chain([chunked, whole, b"0\r\n"], itertools.repeat(b"X: y\r\n")))
            case "fast trailer":
                drip(self, itertools.chain([chunked, whole, b"0\r\n"], itertools.repeat(b"X: y\r\n" * 100)), 0)
            case "trailer byte by byte":
                drip(self, itertools.chain([chunked, whole, b"0\r\nX"], itertools.repeat(b"x")))
            case "redirects":
                for _ in range(3):
                    self.server.over.wait(0.02)
                at = f"/{len(self.server.asked)}x" if self.path.count("/") > 2 else "/x"
                drip(self, [f"HTTP/1.1 302 Found\r\nLocation: {self.path}{at}\r\n\r\n".encode()], 0.12)


ENDLESS = ("status line", "headers", "continue", "fast continue", "chunk size", "chunk extension", "trailer",
           "fast trailer", "trailer byte by byte", "redirects")  # fmt: skip


@pytest.mark.parametrize("by", ["a mirror", "a proxy"])
@pytest.mark.parametrize("way", ENDLESS)
def test_an_endless_answer_is_given_up_and_its_thread_ends(server, monkeypatch, way, by):
    before, start = threading.active_count(), time.monotonic()
    monkeypatch.setitem(Handler.ways, "endless", lambda self, body: endless(self, way, body))
    bad = f"http://127.0.0.1:{server.server_port}/endless/"
    if by == "a proxy":
        monkeypatch.delenv("no_proxy")
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
        bad = "http://mirror.invalid/endless/"
    with pytest.raises(download.DownloadError):
        download.fetch(tiny_mnist(), "x_train", [bad], silent, time.monotonic() + 1.0)
    assert time.monotonic() - start < 2.0
    while threading.active_count() > before and time.monotonic() - start < 4.0:
        time.sleep(0.01)
    assert threading.active_count() <= before


FLOODS = {  # that gzip takes in without a byte of content, or after all of it
    "a file name": (b"\x1f\x8b\x08\x08" + bytes(6), b"x" * 65536),
    "empty members": (b"", gzip.compress(b"") * 3000),
    "zeros after the end": (FILES["train-images-idx3-ubyte.gz"], bytes(65536)),
}


@pytest.mark.parametrize("way", FLOODS)
def test_an_endless_answer_that_comes_fast_ends_at_the_deadline(server, monkeypatch, way):
    def flood(self, body):
        first, again = FLOODS[way]
        with contextlib.suppress(OSError):
            drip(self, itertools.chain([b"HTTP/1.1 200 OK\r\n\r\n", first], itertools.repeat(again, 20_000)), 0)

    monkeypatch.setitem(Handler.ways, "flood", flood)
    start = time.monotonic()
    with pytest.raises(download.DownloadError, match="the time for downloading was over"):
        fetch(server, "flood", seconds=1.0)
    assert time.monotonic() - start < 2.0


def test_a_redirect_to_another_protocol_is_not_followed(server, monkeypatch):
    for url in ("ftp://127.0.0.1:1/x", "file:///etc/hostname", "data:,x"):
        redirect = lambda self, body, url=url: self.answer(302, b"", ("Location", url))  # noqa: E731
        monkeypatch.setitem(Handler.ways, "elsewhere", redirect)
        with pytest.raises(download.DownloadError, match=r"not allowed|unknown url type"):
            fetch(server, "elsewhere")


@pytest.mark.parametrize("line", [b"HTTP/1.1 404 \x1b[2J\x9b2J", b"\x1b[2J", b"HTTP/1.1 503 " + b"\x07" * 9000])
def test_what_a_host_says_is_shown_in_one_printable_line(server, monkeypatch, line):
    monkeypatch.setitem(Handler.ways, "rude", lambda self, body: self.wfile.write(line + b"\r\n\r\n"))
    with pytest.raises(download.DownloadError) as caught:
        fetch(server, "rude")
    assert all(reason.isprintable() and len(reason) < 1000 for reason in caught.value.reasons)


@pytest.mark.parametrize("way", ENDLESS)
def test_the_next_mirror_is_asked_after_an_endless_answer(server, monkeypatch, way):
    monkeypatch.setitem(Handler.ways, "endless", lambda self, body: endless(self, way, body))
    _, mirror = fetch(server, "endless", "good", seconds=4.0)
    assert mirror.endswith("/good/")


def test_nobody_listens():
    with pytest.raises(download.DownloadError, match="refused"):
        download.fetch(tiny_mnist(), "y_test", [closed_port()], silent, time.monotonic() + 5)


def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/"


def test_a_download_fills_the_cache_and_goes_on_where_it_stopped(server, tmp_path, monkeypatch):
    monkeypatch.setattr(search, "copies", lambda known: [])
    good, bad = (f"http://127.0.0.1:{server.server_port}/{way}/" for way in ("good", "404"))
    cache = Cache(tmp_path / "cache", pytest.fail)
    monkeypatch.setitem(FILES, "t10k-labels-idx1-ubyte.gz", b"")
    found = search.find(tiny_mnist((bad, good)), cache, False)
    assert not found.parts and "t10k-labels-idx1-ubyte.gz" in found.tried[-1]
    monkeypatch.undo()
    monkeypatch.setattr(search, "copies", lambda known: [])
    monkeypatch.setenv("no_proxy", "*")
    server.asked.clear()
    found = search.find(tiny_mnist((good,)), cache, False)
    assert found.source == good and sorted(found.parts) == sorted(known.PARTS)
    assert [name for _, name, _ in server.asked] == ["t10k-labels-idx1-ubyte.gz"]
    found = search.find(tiny_mnist((good,)), cache, False)
    assert found.source == str(tmp_path / "cache") and len(server.asked) == 1
    assert not list((tmp_path / "cache").glob("*.tmp"))


FETCH = """
import sys
from pathlib import Path
from data_files import tiny_mnist
from jitnet.data.sources import search
from jitnet.data.sources.cache import Cache
search.copies = lambda known: []
found = search.find(tiny_mnist((sys.argv[1],)), Cache(Path(sys.argv[2]), sys.exit), False)
sys.exit(not found.parts)
"""


def kill_downloads(server, tmp_path, monkeypatch, kills):
    """Kill a process at random moments of a download; the next one finds only whole files, and continues."""
    monkeypatch.setattr(search, "copies", lambda known: [])
    monkeypatch.setattr(download, "TIMEOUT", 5.0)
    draw, midway = random.Random(0), 0
    for number in range(kills):
        folder = tmp_path / str(number)
        server.asked.clear()
        mirror = f"http://127.0.0.1:{server.server_port}/slow/"
        paths = os.pathsep.join(map(str, HELPERS))
        child = subprocess.Popen(
            [sys.executable, "-c", FETCH, mirror, str(folder)], env=os.environ | {"PYTHONPATH": paths}
        )
        while not server.asked and child.poll() is None:
            time.sleep(0.001)
        time.sleep(draw.uniform(0, 0.45))
        child.kill()
        child.wait()
        found = list(folder.glob("*.npy"))
        midway += 0 < len(found) < 4 or bool(list(folder.glob("*.tmp")))
        for entry in found:
            assert sha256(npy.read_path(entry)) == entry.name.split(".")[-2]
        parts = search.find(tiny_mnist((mirror,)), Cache(folder, pytest.fail), False).parts
        assert sorted(parts) == sorted(known.PARTS)
        for part, array in arrays().items():
            np.testing.assert_array_equal(parts[part].array, array)
    assert midway >= kills // 3, midway
    figures.note("downloads", kills=kills, recovered=kills)


def test_kills_in_mid_download(server, tmp_path, monkeypatch):
    kill_downloads(server, tmp_path, monkeypatch, 6)


@pytest.mark.slow
def test_30_kills_in_mid_download(server, tmp_path, monkeypatch):
    kill_downloads(server, tmp_path, monkeypatch, 30)


def test_a_host_that_does_not_speak_tls(server, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 5.0)
    mirror = f"https://127.0.0.1:{server.server_port}/good/"
    with pytest.raises(download.DownloadError, match=r"(?i)ssl"):
        download.fetch(tiny_mnist(), "y_test", [mirror], silent, time.monotonic() + 5)


def test_the_mirror_that_worked_is_asked_first_from_then_on(server, tmp_path, monkeypatch):
    monkeypatch.setattr(search, "copies", lambda known: [])
    mirrors = tuple(f"http://127.0.0.1:{server.server_port}/{way}/" for way in ("404", "good"))
    assert search.find(tiny_mnist(mirrors), Cache(None, pytest.fail), False).parts
    assert [way for way, _, _ in server.asked] == ["404", "good", "good", "good", "good"]


def test_offline_opens_no_socket(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("JITNET_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(socket, "socket", lambda *a, **k: pytest.fail("a socket was opened"))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: pytest.fail("a name was looked up"))
    with pytest.raises(InputError, match="not asked, offline"):
        search.load("mnist", Cache(None, pytest.fail), True)


@pytest.mark.parametrize("way", ["404", "503", "html", "wrong", "bomb", "short", "stalled", "silent", "redirect"])
def test_a_set_known_by_md5_is_taken_from_the_mirror_that_has_it(server, tmp_path, way):
    bad, good = (f"http://127.0.0.1:{server.server_port}/{each}/" for each in (way, "good"))
    cache = Cache(tmp_path / "cache", pytest.fail)
    alone = search.find(tiny_fashion((bad,), FILES), cache, False)
    assert not alone.parts and not (tmp_path / "cache").exists()
    fashion = tiny_fashion((bad, good), FILES)
    data = search.load_known(fashion, cache, False)
    assert data.name == "fashion" and data.source == good
    assert all(np.array_equal(getattr(data, part), array) for part, array in arrays().items())
    again = search.load_known(fashion, cache, True)
    assert again.source == str(tmp_path / "cache") and again.sha256 == data.sha256


def test_files_of_another_md5_are_not_taken(server, tmp_path):
    other = tiny_fashion((f"http://127.0.0.1:{server.server_port}/good/",), dict.fromkeys(FILES, b""))
    found = search.find(other, Cache(tmp_path, pytest.fail), False)
    assert not found.parts and "expected MD5" in found.tried[-1] and not list(tmp_path.iterdir())
    with pytest.raises(InputError, match=r"train-images-idx3-ubyte\.gz  MD5 [0-9a-f]{32}"):
        search.load_known(other, Cache(tmp_path, pytest.fail), True)
