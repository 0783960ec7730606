"""The cache of parsed arrays: nothing unverified is read, also while others write."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from data_files import arrays, csv_text, write_idx

from jitnet.data.content import Part, sha256
from jitnet.data.readers import npy
from jitnet.data.sources import layouts
from jitnet.data.sources.cache import Cache, default_folder

ARRAY = arrays()["x_train"]
PART = Part(ARRAY, sha256(ARRAY))


def test_save_and_load(tmp_path):
    cache = Cache(tmp_path / "a" / "b", pytest.fail)
    assert cache.load("k") is None
    assert cache.save("k", PART)
    for found in (cache.load("k"), cache.load(sha256=PART.sha256)):
        np.testing.assert_array_equal(found.array, ARRAY)
        assert found.array.flags.writeable and found.array.flags.c_contiguous and found.sha256 == PART.sha256
    assert cache.load("other") is None and cache.load(sha256="0" * 64) is None
    assert [file.name for file in cache.files()] == [f"k.{PART.sha256}.npy"]


def test_without_a_folder_or_without_permission_there_is_no_cache(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (None, tmp_path / "file", tmp_path / "file" / "below"):
        cache = Cache(folder, pytest.fail)
        assert not cache.save("k", PART) and cache.load("k") is None and cache.files() == []


@pytest.mark.parametrize("operation", ["mkdir", "fsync", "replace"])
def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch, operation):
    def fails(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, operation, fails)
    assert not Cache(tmp_path / "c", pytest.fail).save("k", PART)
    monkeypatch.undo()
    assert not list(tmp_path.rglob("*.*"))


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", b"garbage", "flip", "truncate"])
def test_a_damaged_entry_is_made_again_with_one_warning(tmp_path, damage):
    source = write_idx(tmp_path / "digits", arrays(), compress=True)
    warnings = []
    cache = Cache(tmp_path / "cache", warnings.append)
    whole = layouts.read(source, cache)
    entry = max(cache.files(), key=lambda file: file.stat().st_size)
    content = entry.read_bytes()
    flipped = content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
    entry.write_bytes({"flip": flipped, "truncate": content[:-1]}.get(damage, damage))
    again = layouts.read(source, cache)
    np.testing.assert_array_equal(again.x_train, whole.x_train)
    assert len(warnings) == 1 and "was damaged, so it is made again" in warnings[0] and str(entry) in warnings[0]
    assert entry.read_bytes() == content
    layouts.read(source, cache)
    assert len(warnings) == 1


def test_what_is_parsed_once_is_not_parsed_again_until_the_source_changes(tmp_path, monkeypatch):
    source = write_idx(tmp_path / "digits", arrays(), compress=True)
    cache = Cache(tmp_path / "cache", pytest.fail)
    first = layouts.read(source, cache)
    monkeypatch.setattr(layouts.idx, "decode", lambda *a: pytest.fail("parsed again"))
    second = layouts.read(source, cache)
    assert all(np.array_equal(getattr(first, part), getattr(second, part)) for part in arrays())
    monkeypatch.undo()
    write_idx(source, arrays(seed=1), compress=True)
    np.testing.assert_array_equal(layouts.read(source, cache).x_train, arrays(seed=1)["x_train"])


def test_a_csv_is_cached_beside_it_or_else_in_the_cache(tmp_path, monkeypatch):
    made = arrays()
    (tmp_path / "digits.csv").write_text(csv_text(made["x_train"], made["y_train"]))
    layouts.read(tmp_path / "digits.csv", Cache(None, str))
    assert [file.name for file in tmp_path.iterdir()] == ["digits.csv"]
    cache = Cache(tmp_path / "cache", str)
    layouts.read(tmp_path / "digits.csv", cache)
    assert len(list((tmp_path / ".jitnet").glob("*.npy"))) == 2 and cache.files() == []
    monkeypatch.setattr(layouts.tables, "decode", lambda *a: pytest.fail("parsed again"))
    layouts.read(tmp_path / "digits.csv", cache)
    monkeypatch.undo()
    for file in (tmp_path / ".jitnet").iterdir():
        file.unlink()
    (tmp_path / ".jitnet").rmdir()
    (tmp_path / ".jitnet").write_text("in the way")
    layouts.read(tmp_path / "digits.csv", cache)
    assert len(cache.files()) == 2


def test_the_place_of_the_cache(tmp_path, monkeypatch):
    for name in ("JITNET_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert default_folder() == tmp_path / ".cache" / "jitnet" / "data"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_folder() == tmp_path / ".cache" / "jitnet" / "data"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_folder() == tmp_path / "xdg" / "jitnet" / "data"
    monkeypatch.setenv("JITNET_CACHE_DIR", str(tmp_path / "own"))
    assert default_folder() == tmp_path / "own" / "data"
    for name in ("JITNET_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert default_folder() == tmp_path / "Library" / "Caches" / "jitnet" / "data"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert default_folder() == tmp_path / "local" / "jitnet" / "Cache" / "data"
    monkeypatch.setattr(sys, "platform", "linux")

    def homeless():
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", homeless)
    assert default_folder() is None


FILL = """
import sys
from pathlib import Path
from jitnet.data.content import sha256
from jitnet.data.sources import layouts
from jitnet.data.sources.cache import Cache
def damaged(message): sys.exit(message)
while not Path(sys.argv[3]).exists(): pass
for _ in range(3):
    parts = layouts.read(Path(sys.argv[1]), Cache(Path(sys.argv[2]), damaged))
print(sha256(parts.x_train))
"""


def test_several_processes_fill_an_empty_cache_and_no_one_sees_half_an_entry(tmp_path):
    rng = np.random.default_rng(0)
    made = arrays() | {
        "x_train": rng.integers(0, 256, (4000, 28, 28), np.uint8),
        "y_train": rng.integers(0, 10, 4000, np.uint8),
    }
    source, folder, go = (
        write_idx(tmp_path / "digits", made, compress=True),
        tmp_path / "cache",
        tmp_path / "go",
    )
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", FILL, str(source), str(folder), str(go)]
    processes = [
        subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(4)
    ]
    time.sleep(0.5)
    go.touch()
    looks = 0
    while any(process.poll() is None for process in processes):
        for entry in folder.glob("*.npy"):
            assert sha256(npy.read_path(entry)) == entry.name.split(".")[-2]
            looks += 1
    outputs = [process.communicate()[0].strip() for process in processes]
    assert outputs == [sha256(made["x_train"])] * 4
    assert looks and len(list(folder.iterdir())) == 4
