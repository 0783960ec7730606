"""Tensors and texts in one file: either format returns what was saved, and others' files are checked as ours."""

import os

import numpy as np
import pytest
from test_checkpoint import META, entry, forge

from jitnet.errors import InputError
from jitnet.storage.checkpoint import SaveError
from jitnet.storage.model_file import load, load_foreign, save

FORMATS = (".npz", ".safetensors")
TENSORS = {"a.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "position": np.array([3, 0, 9])}
TEXTS = {"title": "ü", "metadata": "", "classes": '["a\\u007f", "b"]'}
DEEP = "[" * 100_000


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_is_saved_is_loaded_and_nothing_more(tmp_path, suffix):
    path = tmp_path / f"m{suffix}"
    save(path, TENSORS, TEXTS)
    for read in (load, load_foreign):
        tensors, texts = read(path)
        assert list(tensors) == list(TENSORS) or suffix != ".npz"
        assert tensors.keys() == TENSORS.keys() and TEXTS.items() <= texts.items()
        assert texts.keys() - TEXTS.keys() <= {"format", "sha256"}
        for name, array in tensors.items():
            np.testing.assert_array_equal(array, TENSORS[name], strict=True)
            assert array.flags.writeable


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_save_that_fails_leaves_the_old_file_and_names_the_new_one(tmp_path, monkeypatch, suffix):
    path = tmp_path / f"m{suffix}"
    save(path, TENSORS, {"title": "old"})

    def full(*names):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(SaveError) as caught:
        save(path, {"a": np.zeros(2)}, {"title": "new"})
    assert str(caught.value) == f"cannot save {path}: No space left on device"
    assert load(path)[1]["title"] == "old" and os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_neither_saved_nor_loaded(tmp_path, suffix, bad):
    path, spoilt = tmp_path / f"m{suffix}", {"a": np.array([1.0, bad], np.float32), "n": np.arange(3)}
    save(path, TENSORS, TEXTS)
    with pytest.raises(SaveError, match=r"cannot save .*: 'a' has a value that is not finite"):
        save(path, spoilt, TEXTS)
    assert load(path)[0].keys() == TENSORS.keys()
    if suffix == ".npz":
        np.savez(path, **spoilt)
    else:
        path.write_bytes(forge({"__metadata__": META, "a": entry()}, spoilt["a"].tobytes()))
    with pytest.raises(InputError, match=r"m.* is not a usable .*: 'a' has a value that is not finite"):
        load(path)


@pytest.mark.parametrize("own", [np.zeros(3), np.arange(3), np.zeros((2, 2), np.float32)])
def test_another_program_may_call_an_array_metadata(tmp_path, own):
    np.savez(tmp_path / "w.npz", metadata=own, w=np.ones(2))
    tensors, texts = load_foreign(tmp_path / "w.npz")
    assert set(tensors) == {"metadata", "w"} and np.array_equal(tensors["metadata"], own) and texts == {}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", "null", '["a"]', '{"a": 1}', '{"a": "b", "c": null}', "\xff", DEEP]
)
def test_texts_of_an_npz_file_that_are_damaged_are_refused(tmp_path, text):
    np.savez(tmp_path / "w.npz", metadata=np.frombuffer(text.encode("latin-1"), np.uint8), w=np.ones(2))
    for read in (load, load_foreign):
        with pytest.raises(InputError, match=r"w\.npz has damaged metadata"):
            read(tmp_path / "w.npz")


@pytest.mark.parametrize("given", [5, [], "a", None, ["a", "b"]])
def test_texts_of_another_program_that_are_none_are_left_out(tmp_path, given):
    (tmp_path / "w.safetensors").write_bytes(forge({"__metadata__": given, "w": entry()}, b"\0" * 8))
    tensors, texts = load_foreign(tmp_path / "w.safetensors")
    assert tensors["w"].tolist() == [0, 0] and texts == {}


def test_texts_of_another_program_are_those_that_a_terminal_may_show(tmp_path):
    given = {"format": "pt", "number": 5, "list": ["a"], "escape": "\x1b[2J", "turned": "\u202e", "name": "ü"}
    (tmp_path / "w.safetensors").write_bytes(forge({"__metadata__": given, "w": entry()}, b"\0" * 8))
    assert load_foreign(tmp_path / "w.safetensors")[1] == {"format": "pt", "name": "ü"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (forge({"w": entry()}, b"\0" * 9), "followed by foreign bytes"),
        (forge({"w": entry()}, b"\0" * 7), "truncated"),
        (forge({"w": entry()}, b"\xff" * 8), "not finite"),
        (forge({"w": entry(offsets=(8, 16))}, b"\0" * 16), "begin at 8 where 0 was expected"),
        (forge(b'{"v":1,"w":1,"w":2}'), "two entries called 'w'"),
    ],
    ids=("more", "less", "NaN", "a gap", "a name twice"),
)
def test_a_file_of_another_program_is_checked_as_one_of_ours(tmp_path, content, words):
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=f"w.safetensors is not a usable safetensors file: .*{words}"):
        load_foreign(tmp_path / "w.safetensors")
