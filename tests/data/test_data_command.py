"""`jitnet data status|fetch|clear`."""

import argparse
import re
from pathlib import Path

import numpy as np
import pytest
from data_files import arrays, tiny_mnist, write_idx

from jitnet.commands import data
from jitnet.commands.parsers import data as data_parser
from jitnet.data.sources import known, search
from jitnet.display.format import data_size
from jitnet.errors import InputError


@pytest.fixture
def places(tmp_path, monkeypatch):
    for name in ("JITNET_DATA", "KERAS_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JITNET_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "400")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(known, "MNIST", tiny_mnist(("https://mirror.invalid/",)))
    monkeypatch.setitem(known.KNOWN, "mnist", known.MNIST)
    return tmp_path


def jitnet(*words: str) -> int:
    parser = argparse.ArgumentParser()
    data_parser.add_parser(parser.add_subparsers())
    args = parser.parse_args(["data", *words])
    return data.run(args)


def test_an_action_is_needed(places, capsys):
    with pytest.raises(SystemExit):
        jitnet()
    assert "status|fetch|clear" in capsys.readouterr().err


def test_status_of_an_empty_machine(places, capsys):
    assert jitnet("status") == 0
    shown = capsys.readouterr().out
    for words in ("JITNET_DATA", "not set", "no complete MNIST", "nothing", "mnist.npz", "mirror.invalid"):
        assert words in shown
    assert not (places / "cache").exists()


def test_fetch_then_status_then_clear(places, capsys, monkeypatch):
    own = write_idx(places / "[red]mine", arrays())  # rich would take this for markup
    monkeypatch.setenv("JITNET_DATA", str(own))
    assert jitnet("fetch", "--offline") == 0
    cache = places / "cache" / "data"
    assert f"MNIST is in {cache}, content verified (from {own})" in capsys.readouterr().out
    assert jitnet("fetch") == 0 and len(list(cache.iterdir())) == 4
    monkeypatch.delenv("JITNET_DATA")
    assert search.load("mnist", search.Cache(cache, pytest.fail), True).source == str(cache)
    monkeypatch.setenv("JITNET_DATA", str(own))
    capsys.readouterr()
    assert jitnet("status") == 0
    shown = capsys.readouterr().out
    assert shown.count("MNIST, content verified") == 2 and "[red]mine" in shown and re.search(r"[0-9.]+ kB", shown)
    (cache / "mine.npy").write_text("not jitnet's")
    (cache / "jitnet-x.tmp").write_text("left over")
    assert jitnet("clear") == 0
    assert "removed 5 files" in capsys.readouterr().out
    assert [file.name for file in cache.iterdir()] == ["mine.npy"] and len(list(own.iterdir())) == 4


def test_status_of_bad_places(places, capsys, monkeypatch):
    write_idx(places / "work" / "data" / "MNIST" / "raw", arrays(seed=1))
    broken = write_idx(places / "broken", {"x_train": np.zeros((1, 2, 2), np.uint8)})
    monkeypatch.setenv("JITNET_DATA", str(broken))
    good = write_idx(places / "work" / "MNIST" / "raw", arrays())
    with monkeypatch.context() as patch:
        patch.setenv("JITNET_DATA", str(good))
        jitnet("fetch", "--offline")
    entry = next((places / "cache" / "data").iterdir())
    entry.write_bytes(b"damaged")
    assert jitnet("status") == 0
    shown = capsys.readouterr().out
    for words in ("but lacks", "other data: 40 + 20 images, 10 classes", "removed: 1 damaged"):
        assert words in shown
    assert not entry.exists()


def test_fetch_that_cannot_be_done(places, monkeypatch):
    with pytest.raises(InputError, match="MNIST was not found"):
        jitnet("fetch", "--offline")
    monkeypatch.setenv("JITNET_DATA", str(write_idx(places / "mine", arrays())))
    (places / "cache").write_text("in the way")
    with pytest.raises(InputError, match="data cannot be written: name one that can be by JITNET_CACHE_DIR"):
        jitnet("fetch", "--offline")


def test_fetch_takes_the_name_of_a_known_set(places, monkeypatch):
    with pytest.raises(InputError, match="no known data set 'cifar': expected one of mnist, fashion, kmnist"):
        jitnet("fetch", "cifar", "--offline")
    with pytest.raises(InputError, match="KMNIST was not found"):
        jitnet("fetch", "kmnist", "--offline")


def sizes(shown: str) -> dict[str, str]:
    """Return the column of sizes by place, as `data status` shows it."""
    lines = [[cell.strip() for cell in line.strip("│").split("│")] for line in shown.splitlines() if line[:1] == "│"]
    return {place: size for place, _, size in lines}


def test_each_place_has_the_size_of_all_its_files_and_clear_gives_back_that_of_the_cache(places, capsys, monkeypatch):
    own, copy = write_idx(places / "mine", arrays()), write_idx(places / "work" / "MNIST" / "raw", arrays(seed=1))
    monkeypatch.setenv("JITNET_DATA", str(own))
    jitnet("fetch", "--offline")
    (own / "notes").write_bytes(bytes(300_000))  # nothing of MNIST, but it takes its place
    (own / "deeper").mkdir()
    cache = places / "cache" / "data"
    capsys.readouterr()
    assert jitnet("status") == 0
    shown = capsys.readouterr().out
    assert shown.index("JITNET_DATA") < shown.index(str(cache)) < shown.index("MNIST/raw") < shown.index("mirror.inv")
    found = {place.removeprefix("JITNET_DATA="): size for place, size in sizes(shown).items()}
    for folder in (own, cache, copy):
        total = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
        (size,) = (size for place, size in found.items() if place == str(folder) or str(folder).endswith(f"/{place}"))
        assert size == data_size(total), folder
    assert found["https://mirror.invalid/"] == ""
    total = sum(file.stat().st_size for file in cache.iterdir())
    assert jitnet("clear") == 0
    assert capsys.readouterr().out == f"removed 4 files, {data_size(total)}, from {cache}\n"


def test_what_clear_cannot_remove_is_counted_apart(places, capsys, monkeypatch):
    monkeypatch.setenv("JITNET_DATA", str(write_idx(places / "mine", arrays())))
    jitnet("fetch", "--offline")
    cache, remove = places / "cache" / "data", Path.unlink
    held = max(cache.iterdir(), key=lambda file: file.stat().st_size)
    total = sum(file.stat().st_size for file in cache.iterdir() if file != held)

    def unlink(path, missing_ok=False):
        if path == held:
            raise PermissionError
        remove(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    capsys.readouterr()
    assert jitnet("clear") == 0
    shown = capsys.readouterr().out
    assert shown == f"removed 3 files, {data_size(total)}, from {cache}; 1 could not be removed\n"
    assert list(cache.iterdir()) == [held]
