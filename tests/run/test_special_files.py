"""A device, a pipe or a socket is never replaced by a file, as root could; what cannot be written is named."""

import os
import socket

import pytest
from test_atomic import Disk

from jitnet.cli import main
from jitnet.storage.atomic import replace_file


def pipe(path):
    os.mkfifo(path)


def listening(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


@pytest.mark.parametrize("make", [pipe, listening])
def test_what_is_no_file_stays(tmp_path, monkeypatch, make):
    monkeypatch.chdir(tmp_path)  # the name of a socket may have 107 bytes
    make("special")
    os.symlink("special", "link")
    before = os.stat("special")
    for name in ("special", "link"):
        with pytest.raises(OSError, match="it is not a regular file"):
            replace_file(tmp_path / name, b"data")
    assert os.path.samestat(before, os.stat("special")) and os.path.islink("link")
    assert sorted(os.listdir()) == ["link", "special"]


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="no folder of devices")
@pytest.mark.parametrize("name", ["null", "stdout"])
def test_a_device_is_not_replaced(tmp_path, monkeypatch, name):
    monkeypatch.setattr("os.replace", lambda *names: pytest.fail("a device would be lost"))
    with pytest.raises(OSError, match="it is not a regular file"):
        replace_file(type(tmp_path)("/dev", name), b"data")


def test_a_link_to_a_file_is_replaced_as_before(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to("file")
    replace_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").read_bytes() == b"new" and (tmp_path / "file").read_bytes() == b"old"


@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace"])
def test_an_error_names_the_file_that_was_to_be_written(tmp_path, monkeypatch, call):
    with monkeypatch.context() as patch:
        Disk(patch, refuse=call)
        with pytest.raises(OSError, match="no such operation here") as caught:
            replace_file(tmp_path / "x", b"new")
    assert caught.value.filename == str(tmp_path / "x") and os.listdir(tmp_path) == []


def test_a_command_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("page.html")
    assert main(["report", "reference-cnn", "--offline", "--out", "page.html"]) == 2
    err = capsys.readouterr().err
    assert "cannot write page.html: it is not a regular file; choose another --out" in err
