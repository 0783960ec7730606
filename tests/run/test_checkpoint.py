"""The checkpoint format: what goes in comes out, and nothing else is ever accepted."""

import hashlib
import json
import pickle
import time
import tracemalloc

import figures
import numpy as np
import pytest

from jitnet.errors import InputError
from jitnet.storage import checkpoint
from jitnet.storage.checkpoint import DTYPES, HEADER_LIMIT, SaveError, content_hash, load, save, save_rotating


def state(n: int) -> dict[str, np.ndarray]:
    """A small state that differs for each `n`."""
    weight = np.random.default_rng(n).normal(size=(5, 7)).astype(np.float32)
    return {"dense1.weight": weight, "position": np.array([n, 0, 10 * n]), "loss_sum": np.array([n / 3])}


def forge(header, body=b"", digest=True) -> bytes:
    """A file with any header (bytes, or values for JSON) and the right sha256, as an attacker makes it."""
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    text = text.replace(b"DIGEST", b"0" * 64)
    data = len(text).to_bytes(8, "little") + text + body
    return data.replace(b"0" * 64, hashlib.sha256(data).hexdigest().encode(), 1) if digest else data


META = {"format": "jitnet-1", "sha256": "DIGEST"}


def entry(dtype="F32", shape=(2,), offsets=(0, 8)) -> dict:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def refusal(path) -> str:
    with pytest.raises(InputError) as caught:
        load(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message
    return message


@pytest.mark.parametrize("code", DTYPES)
def test_round_trip(tmp_path, code):
    values = np.arange(24).reshape(2, 3, 4).astype(DTYPES[code])
    tensors = {
        "a": values,
        "transposed": values.T,
        "scalar": values[1, 1, 1].reshape(()),
        "cut": values[:, ::2],
    }
    tensors["big.endian"] = values.astype(values.dtype.newbyteorder(">"))
    save(tmp_path / "x.safetensors", tensors, {"title": "cnn", "source": "ü/π"})
    loaded, metadata = load(tmp_path / "x.safetensors")
    assert set(loaded) == set(tensors)
    for name, array in loaded.items():
        np.testing.assert_array_equal(array, tensors[name], strict=name != "big.endian")
        assert array.flags.writeable and array.flags.aligned and array.flags.c_contiguous and array.dtype.isnative
    assert metadata.pop("sha256") and metadata == {"title": "cnn", "source": "ü/π", "format": "jitnet-1"}


def test_every_bit_of_a_float_survives(tmp_path):
    tiny = np.array([-0.0, np.finfo("f4").smallest_subnormal, np.finfo("f4").max, 1 / 3], np.float32)
    save(tmp_path / "x", {"w": tiny}, {})
    assert load(tmp_path / "x")[0]["w"].tobytes() == tiny.tobytes()


def test_same_state_same_file(tmp_path):
    save(tmp_path / "a", state(1), {"title": "x"})
    save(tmp_path / "b", dict(reversed(state(1).items())), {"title": "x"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_loaded_checkpoint_may_be_saved_again(tmp_path):
    save(tmp_path / "a", state(1), {"title": "x"})
    save(tmp_path / "b", *load(tmp_path / "a"))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_safetensors_library_opens_it(tmp_path):
    library = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "x.safetensors"
    tensors = {code: np.arange(3).astype(DTYPES[code]) for code in DTYPES}
    save(path, tensors, {"title": "cnn"})
    for name, array in library.load_file(path).items():
        np.testing.assert_array_equal(array, tensors[name], strict=True)
    safe_open = pytest.importorskip("safetensors").safe_open
    with safe_open(path, framework="numpy") as file:
        assert file.metadata() == load(path)[1]
    library.save_file(tensors, path)
    assert "no metadata" in refusal(path)
    library.save_file(tensors, path, metadata={"format": "jitnet-1"})
    assert "no sha256" in refusal(path)


@pytest.mark.slow
def test_every_bit_and_every_truncation_of_4096_bytes(tmp_path):
    """By a resume: `last` is refused with the reason, `previous` is what is used."""
    last, previous = tmp_path / "last", tmp_path / "previous"
    tensors = [state(n) | {"dense1.weight": np.full((5, 6), n, np.float32)} for n in (0, 1)]
    room = 4096 - len(checkpoint._encode(tensors[1], {"pad": ""}))
    for state_of in tensors:
        save_rotating(last, previous, state_of, {"pad": "x" * room})
    data = bytearray(last.read_bytes())
    assert len(data) == 4096
    refused = [0, 0]
    for bit in range(8 * len(data)):
        data[bit // 8] ^= 1 << bit % 8
        last.write_bytes(data)
        refused[0] += bool(refusal(last))
        data[bit // 8] ^= 1 << bit % 8
    for size in range(len(data)):
        last.write_bytes(data[:size])
        refused[1] += bool(refusal(last))
    load(previous)
    assert refused == [32_768, 4_096]
    figures.note("corruption", flips=refused[0], truncations=refused[1])


def test_every_flipped_bit_is_refused(tmp_path):
    path = tmp_path / "x"
    save(path, state(1), {"title": "cnn"})
    data = bytearray(path.read_bytes())
    assert 400 < len(data) < 2000
    for bit in range(8 * len(data)):
        data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
        refusal(path)
        data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)
    load(path)


def test_every_truncation_and_appended_bytes_are_refused(tmp_path):
    path = tmp_path / "x"
    save(path, state(1), {})
    data = path.read_bytes()
    for size in range(len(data)):
        path.write_bytes(data[:size])
        assert "empty" in refusal(path) if size == 0 else "truncated" in refusal(path)
    for extra in (b"\0", b" ", b"x" * 64, data):
        path.write_bytes(data + extra)
        assert "foreign bytes" in refusal(path)


GOOD = forge({"__metadata__": META, "w": entry()}, b"\0" * 8)
HOSTILE = {
    "pickle": (pickle.dumps([print, "owned"]), "header"),
    "zip": (b"PK\x03\x04" + b"\0" * 100, "header"),
    "header of 4 GB": ((1 << 32).to_bytes(8, "little") + b"{}", "more than"),
    "header of 2**64 - 1": (b"\xff" * 8 + b"{}", "more than"),
    "header over 1 MB": ((HEADER_LIMIT + 1).to_bytes(8, "little") + b" " * (HEADER_LIMIT + 1), "more than"),
    "not JSON": (forge(b"{'w': 1}"), "not JSON"),
    "not UTF-8": (forge(b'{"\xff": 1}'), "not JSON"),
    "not an object": (forge(b"[]"), "not a JSON object"),
    "deep nesting": (forge(b"[" * 500_000), "not JSON"),
    "long number": (forge(b'{"w":' + b"9" * 5000 + b"}"), "digits"),
    "duplicate tensor": (forge(b'{"w":1,"w":2}'), "two entries"),
    "duplicate key in an entry": (forge(b'{"w":{"dtype":"F32","dtype":"U8"}}'), "two entries"),
    "duplicate metadata": (forge(b'{"__metadata__":{"a":"","a":""}}'), "two entries"),
    "no metadata": (forge({"w": entry()}, b"\0" * 8), "no metadata"),
    "metadata not text": (forge({"__metadata__": {**META, "epoch": 3}}), "'epoch' is not printable"),
    "escape sequence": (forge({"__metadata__": {**META, "title": "\x1b[2J"}}), "not printable"),
    "lone surrogate": (forge({"__metadata__": {**META, "title": "\udc80"}}), "not printable"),
    "no format": (forge({"__metadata__": {"sha256": "DIGEST"}}), "format is None"),
    "foreign format": (forge({"__metadata__": {**META, "format": "pt"}}), "'pt'"),
    "no sha256": (forge({"__metadata__": {"format": "jitnet-1"}}), "no sha256"),
    "sha256 not hex": (forge({"__metadata__": {**META, "sha256": "x" * 64}}, digest=False), "no sha256"),
    "sha256 of another": (
        forge({"__metadata__": {**META, "sha256": "a" * 64}}, digest=False),
        "bit has changed",
    ),
    "sha256 moved": (forge(b'{"__metadata__":{"format":"jitnet-1","sha256": "DIGEST"}}'), "no sha256"),
    "tensor not an object": (forge({"__metadata__": META, "w": 1}), "not exactly"),
    "missing field": (forge({"__metadata__": META, "w": {"dtype": "F32", "shape": []}}), "not exactly"),
    "extra field": (forge({"__metadata__": META, "w": {**entry(), "x": 1}}, b"\0" * 8), "not exactly"),
    "unknown dtype": (forge({"__metadata__": META, "w": entry("F16", (4,))}, b"\0" * 8), "unknown dtype"),
    "object dtype": (forge({"__metadata__": META, "w": entry("O", (1,))}, b"\0" * 8), "unknown dtype"),
    "dtype a list": (forge({"__metadata__": META, "w": entry(["F32"])}, b"\0" * 8), "unknown dtype"),
    "unprintable name": (forge({"__metadata__": META, "w\n": entry()}, b"\0" * 8), "called"),
    "huge shape": (
        forge({"__metadata__": META, "w": entry(shape=(65536, 65536))}, b"\0" * 8),
        "does not fit",
    ),
    "huge shape and offsets": (
        forge({"__metadata__": META, "w": entry("U8", (1 << 60,), (0, 1 << 60))}),
        "truncated",
    ),
    "overflow to 8": (
        forge({"__metadata__": META, "w": entry(shape=(2, 2**63 + 1))}, b"\0" * 8),
        "does not fit",
    ),
    "negative extents": (
        forge({"__metadata__": META, "w": entry(shape=(-1, -2))}, b"\0" * 8),
        "whole numbers",
    ),
    "empty tensor": (forge({"__metadata__": META, "w": entry(shape=(0,), offsets=(0, 0))}), "whole numbers"),
    "fractional extent": (
        forge({"__metadata__": META, "w": entry(shape=(2.0,))}, b"\0" * 8),
        "whole numbers",
    ),
    "true for 1": (forge({"__metadata__": META, "w": entry(shape=(True, 2))}, b"\0" * 8), "whole numbers"),
    "shape a number": (
        forge({"__metadata__": META, "w": {**entry(), "shape": 2}}, b"\0" * 8),
        "whole numbers",
    ),
    "hundred axes": (forge({"__metadata__": META, "w": entry(shape=(1,) * 99 + (2,))}, b"\0" * 8), "axes"),
    "one offset": (forge({"__metadata__": META, "w": entry(offsets=(8,))}, b"\0" * 8), "offsets"),
    "negative offset": (
        forge({"__metadata__": META, "w": entry(offsets=(-8, 0))}, b"\0" * 8),
        "whole numbers",
    ),
    "offsets reversed": (
        forge({"__metadata__": META, "w": entry(offsets=(8, 0))}, b"\0" * 8),
        "does not fit",
    ),
    "gap at the start": (
        forge({"__metadata__": META, "w": entry(offsets=(8, 16))}, b"\0" * 16),
        "begin at 8",
    ),
    "gap between": (
        forge({"__metadata__": META, "v": entry(), "w": entry(offsets=(16, 24))}, b"\0" * 24),
        "begin at",
    ),
    "overlap": (
        forge({"__metadata__": META, "v": entry(), "w": entry(offsets=(4, 12))}, b"\0" * 12),
        "begin at 4",
    ),
    "same bytes twice": (forge({"__metadata__": META, "v": entry(), "w": entry()}, b"\0" * 8), "begin at 0"),
    "hidden tail": (forge({"__metadata__": META, "w": entry()}, b"\0" * 8 + b"PK"), "foreign bytes"),
    "NaN": (forge({"__metadata__": META, "w": entry()}, b"\xff" * 8), "not finite"),
    "infinity": (forge({"__metadata__": META, "w": entry()}, b"\0\0\x80\x7f" * 2), "not finite"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused(tmp_path, monkeypatch, kind):
    data, words = HOSTILE[kind]
    monkeypatch.setattr(pickle, "loads", None)
    monkeypatch.setattr(pickle, "load", None)
    path = tmp_path / "x"
    path.write_bytes(data)
    tracemalloc.start()
    message = refusal(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert words in message and message.isprintable() and len(message) < 400
    assert peak < 24 << 20
    seconds = []
    for _ in range(3):
        started = time.process_time()
        refusal(path)
        seconds.append(time.process_time() - started)
    assert min(seconds) < 0.1


def test_the_forger_can_make_a_good_file(tmp_path):
    """Otherwise the hostile ones would be refused for the wrong reason."""
    (tmp_path / "x").write_bytes(GOOD)
    assert load(tmp_path / "x")[0]["w"].tolist() == [0, 0]


def test_missing_file_folder_and_device(tmp_path):
    assert "no such file" in refusal(tmp_path / "none")
    assert "not a regular file" in refusal(tmp_path)
    assert "not a regular file" in refusal("/dev/zero")


def test_a_newer_version_is_refused_naming_both(tmp_path):
    (tmp_path / "x").write_bytes(forge({"__metadata__": {**META, "format": "jitnet-12", "jitnet": "7.5"}}))
    message = refusal(tmp_path / "x")
    assert all(word in message for word in ("jitnet-12", "7.5", "jitnet-1:", "update"))


@pytest.mark.parametrize(
    ("tensors", "metadata", "words"),
    [
        ({"w": np.array([1, np.nan])}, {}, "'w' has a value that is not finite"),
        ({"w": np.array([np.inf], "f4")}, {}, "not finite"),
        ({"w": np.zeros(2, bool)}, {}, "dtype bool"),
        ({"w": np.array(["x"], object)}, {}, "dtype object"),
        ({"w": np.zeros(0)}, {}, "at least 1"),
        ({"w": np.zeros((1,) * 9)}, {}, "9 axes"),
        ({"w\n": np.zeros(1)}, {}, "cannot be called"),
        ({"__metadata__": np.zeros(1)}, {}, "cannot be called"),
        ({"w": np.zeros(1)}, {"title": "\x1b"}, "not printable"),
        ({"w": np.zeros(1)}, {"x": "y" * HEADER_LIMIT}, "at most"),
    ],
)
def test_what_could_not_be_loaded_is_not_saved(tmp_path, tensors, metadata, words):
    save(tmp_path / "x", state(1), {})
    with pytest.raises(SaveError, match=words):
        save(tmp_path / "x", tensors, metadata)
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert content_hash(load(tmp_path / "x")[0]) == content_hash(state(1))


def test_rotation_keeps_the_two_newest(tmp_path):
    last, previous = tmp_path / "last", tmp_path / "previous"
    for n in range(4):
        save_rotating(last, previous, state(n), {})
        assert content_hash(load(last)[0]) == content_hash(state(n))
        if n:
            assert content_hash(load(previous)[0]) == content_hash(state(n - 1))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last", "previous"]


def test_a_damaged_last_never_replaces_previous(tmp_path):
    last, previous = tmp_path / "last", tmp_path / "previous"
    save_rotating(last, previous, state(0), {})
    save_rotating(last, previous, state(1), {})
    last.write_bytes(last.read_bytes()[:-1])
    save_rotating(last, previous, state(2), {})
    assert content_hash(load(previous)[0]) == content_hash(state(0))
    assert content_hash(load(last)[0]) == content_hash(state(2))


def test_content_hash_tells_states_apart():
    base = {"a": np.zeros(4, np.float32), "b": np.ones(2)}
    others = [
        {"a": np.zeros(4, np.float32)},
        {**base, "c": np.ones(2)},
        {"a": base["b"], "b": base["a"]},
        {**base, "a": np.zeros((2, 2), np.float32)},
        {**base, "a": np.zeros(4, np.int32)},
        {**base, "a": -base["a"]},
    ]
    hashes = {content_hash(tensors) for tensors in [base, *others]}
    assert len(hashes) == 7
    assert content_hash({**base, "b": base["b"].astype(">f8")}) == content_hash(base)
