"""The C++ readers check everything: thousands of damaged checkpoints and data files, each refused in one sentence."""

import shutil
import struct
import subprocess

import fuzz
import numpy as np
import pytest
from test_checkpoint import HOSTILE
from test_fuzz import checkpoint_seeds

from jitnet.errors import InputError
from jitnet.storage import checkpoint


def verdicts(program, files):
    """Return what C++, under the sanitizers, answers for each file: "ok" or the reason."""
    stream = b"".join(struct.pack("<Q", len(data)) + data for data in files)
    done = subprocess.run([program.path, "read"], input=stream, capture_output=True)
    assert done.returncode == 0 and done.stderr == b"", done.stderr[:2000]
    lines = done.stdout.decode("ascii").splitlines()
    assert len(lines) == len(files)
    return lines


def python_takes(data, path):
    path.write_bytes(data)
    try:
        checkpoint.load(path)
    except InputError:
        return False
    return True


def compare(program, tmp_path, count, seed):
    """Read `count` mutated checkpoints in both languages; return how many were taken."""
    path, taken = tmp_path / "file", 0
    files = [fuzz.signed(data) for _, data in zip(range(count), fuzz.mutations(checkpoint_seeds(), seed))]
    for data, verdict in zip(files, verdicts(program, files)):
        if verdict == "ok":
            taken += 1
            assert python_takes(data, path), data
        assert len(verdict) < 500
    return taken


def test_mutated_checkpoints_are_refused_where_python_refuses_them(cases, tmp_path):
    assert 20 < compare(cases[0], tmp_path, 4000, 11) < 3900


@pytest.mark.slow
def test_a_million_mutated_checkpoints(cases, tmp_path):
    for seed in range(100, 150):
        compare(cases[0], tmp_path, 20000, seed)


def test_hostile_headers_are_refused(cases):
    names = [name for name, (data, _) in HOSTILE.items() if len(data) < 10_000_000]
    found = dict(zip(names, verdicts(cases[0], [HOSTILE[name][0] for name in names])))
    assert len(names) > 30
    assert [name for name, verdict in found.items() if verdict == "ok"] == []
    kinds = ("claims", "truncated", "overlap", "two entries", "dtype", "does not fit", "sha256", "format")
    assert all(any(kind in verdict for verdict in found.values()) for kind in kinds), found


def test_what_python_writes_is_read_whatever_its_metadata(cases, tmp_path):
    tensors = {"a": np.zeros((2, 1, 3), np.float32), "b": np.ones(1), "c": np.arange(5, dtype=np.uint8)}
    checkpoint.save(tmp_path / "file", tensors, {"title": 'ä "quoted" \\ path ☃ \U0001f600', "empty": ""})
    assert verdicts(cases[0], [(tmp_path / "file").read_bytes()]) == ["ok"]


def spoil(tmp_path, tiny_twin, change):
    """Copy the exported weights with a change to their bytes."""
    path = tmp_path / "w.safetensors"
    path.write_bytes(change((tiny_twin.folder / "model.safetensors").read_bytes()))
    return path


@pytest.mark.parametrize("flaw", ["truncated", "flipped", "empty", "missing", "folder", "huge", "other network"])
def test_weights_that_cannot_be_used_end_in_one_sentence(tiny_twin, tmp_path, flaw):
    path = tmp_path / "w.safetensors"
    if flaw == "truncated":
        spoil(tmp_path, tiny_twin, lambda data: data[:-1])
    elif flaw == "flipped":
        spoil(tmp_path, tiny_twin, lambda data: data[:-1] + bytes([data[-1] ^ 1]))
    elif flaw == "empty":
        path.write_bytes(b"")
    elif flaw == "folder":
        path.mkdir()
    elif flaw == "huge":  # a terabyte that does not exist: nothing of it may be read or allocated
        shutil.copy(tiny_twin.folder / "model.safetensors", path)
        with open(path, "r+b") as file:
            file.truncate(2**40)
    elif flaw == "other network":
        checkpoint.save(path, {"dense1.weight": np.zeros((3, 4), np.float32)}, {})
    said = tiny_twin("eval", "--data", tiny_twin.folder.parent / "digits", "--weights", path, code=2)
    assert said.startswith(f"jitnet_cpp: {path}") and said.count("\n") == 1


def idx(extents, body=b""):
    return bytes((0, 0, 8, len(extents))) + struct.pack(f">{len(extents)}I", *extents) + body


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"", "not an IDX file"),
        (b"\0\0\x0d\3", "does not hold unsigned bytes"),
        (idx((2, 6))[:7], "damaged header"),
        (bytes((0, 0, 8, 9)) + bytes(40), "damaged header"),
        (idx((2**32 - 1,) * 4), "more or less data"),
        (idx((2**31, 2**31, 4, 2**31), bytes(5)), "more or less data"),
        (idx((1, 6, 6), bytes(37)), "more or less data"),
        (idx((60, 7, 6), bytes(60 * 42)), "images of another size"),
        (idx((3, 6, 6), bytes(108)), "not as many labels as images"),
        (idx((0, 6, 6)), "not as many labels as images"),
        (None, "there is no such file"),
        ("gz", "gunzip -k"),
    ],
)
def test_images_that_lie_are_refused(tiny_twin, tmp_path, content, reason):
    folder = shutil.copytree(tiny_twin.folder.parent / "digits", tmp_path / "digits")
    path = folder / "t10k-images-idx3-ubyte"
    path.unlink()
    if content == "gz":
        path.with_name(path.name + ".gz").write_bytes(b"\x1f\x8b")
    elif content is not None:
        path.write_bytes(content)
    said = tiny_twin("eval", "--data", folder, code=2)
    assert reason in said and said.count("\n") == 1


@pytest.mark.parametrize(
    "content", [b"", b"P5", b"P5 6 6 255\n" + bytes(35), b"P2 6 6 255\n" + bytes(36), b"P5 6 6 65535\n" + bytes(72)]
)
def test_pictures_that_do_not_fit_are_refused(tiny_twin, tmp_path, content):
    path = tmp_path / "digit.pgm"
    path.write_bytes(content)
    assert "expected: a binary PGM (P5) of 6x6 pixels" in tiny_twin("predict", path, code=2)


@pytest.mark.parametrize(
    "words, reason",
    [
        (["--epochs", "0"], "epochs is 0: expected a whole number from 1"),
        (["--epochs", "x"], "epochs is x"),
        (["--lr", "nan"], "lr is nan"),
        (["--optimizer", "best"], "expected one of sgd, momentum, nesterov, adam, adamw"),
        (["--epoch", "1"], "--epoch is not an option of train"),
        (["stray"], "stray is not an option of train"),
        (["--lr"], "--lr is given without a value"),
        (["--weights", "a", "--resume", "b"], "leave one out"),
        (["--val", "200"], "no image is left to train on"),
        (["--out", "nowhere/w.safetensors"], "cannot be written"),
        (["--losses", "nowhere/losses"], "cannot be written"),
    ],
)
def test_a_wrong_command_ends_in_one_sentence(tiny_twin, words, reason):
    said = tiny_twin("train", "--data", tiny_twin.folder.parent / "digits", *words, code=2)
    assert reason in said and said.count("\n") == 1


def test_divergence_is_told_and_the_last_good_weights_stay(tiny_twin, tmp_path):
    out = tmp_path / "w.safetensors"
    words = ("--data", tiny_twin.folder.parent / "digits", "--optimizer", "sgd", "--batch-size", 1, "--out", out)
    assert "try a smaller --lr" in tiny_twin("train", *words, "--lr", "1e20", code=3)
    assert np.isfinite(checkpoint.load(out)[0]["conv1.weight"]).all()


def test_without_a_command_the_usage_is_shown(tiny_twin):
    assert tiny_twin("--help").startswith("usage: jitnet_cpp train")
    assert tiny_twin(code=2).startswith("usage: jitnet_cpp train")
