"""The edges of the checkpoint format: the last size that is taken, the first that is refused, and the reasons given."""

import json

import numpy as np
import pytest
from test_checkpoint import META, entry, forge, refusal

from jitnet.storage.checkpoint import SaveError, load, load_foreign, save

MIB = 1 << 20


def header(path) -> bytes:
    data = path.read_bytes()
    return data[8 : 8 + int.from_bytes(data[:8], "little")]


def test_a_header_of_1048576_bytes_is_read_and_one_byte_more_is_not(tmp_path):
    text = json.dumps({"__metadata__": META, "w": entry()}, separators=(",", ":")).replace("DIGEST", "0" * 64).encode()
    (tmp_path / "x").write_bytes(forge(text.ljust(MIB), b"\0" * 8))
    assert load(tmp_path / "x")[0]["w"].tolist() == [0, 0]
    (tmp_path / "x").write_bytes(forge(text.ljust(MIB + 1), b"\0" * 8))
    assert "claims 1048577 bytes, more than the 1048576 allowed" in refusal(tmp_path / "x")


def test_a_header_of_1048576_bytes_is_saved_and_one_byte_more_is_not(tmp_path):
    save(tmp_path / "x", {"w": np.zeros(2)}, {"title": ""})
    room = MIB - len(header(tmp_path / "x").rstrip())
    save(tmp_path / "x", {"w": np.zeros(2)}, {"title": "x" * room})
    assert len(header(tmp_path / "x")) == MIB and load(tmp_path / "x")[1]["title"] == "x" * room
    with pytest.raises(SaveError, match="at most 1048576"):
        save(tmp_path / "x", {"w": np.zeros(2)}, {"title": "x" * (room + 1)})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (bytes(7), "it has 7 bytes, not even a header"),
        (bytes(8), "not JSON"),
        (b"\1" + bytes(7), "claims 1 bytes of 0"),
        (b"\5" + bytes(7) + b"{  }", "claims 5 bytes of 4"),
    ],
)
def test_a_file_that_ends_in_its_header(tmp_path, data, words):
    (tmp_path / "x").write_bytes(data)
    assert words in refusal(tmp_path / "x")


def test_eight_axes(tmp_path):
    save(tmp_path / "x", {"w": np.zeros((1,) * 7 + (3,))}, {})
    assert load(tmp_path / "x")[0]["w"].shape == (1,) * 7 + (3,)


def test_every_array_is_aligned_to_its_element(tmp_path):
    save(tmp_path / "x", {"a": np.zeros(3, np.uint8), "b": np.zeros(1, np.float32), "c": np.zeros(1)}, {})
    begins = {
        name: entry["data_offsets"][0] for name, entry in json.loads(header(tmp_path / "x")).items() if len(name) == 1
    }
    assert begins == {"c": 0, "b": 8, "a": 12}


def test_only_a_foreign_file_needs_no_hash(tmp_path):
    (tmp_path / "x").write_bytes(forge({"w": entry()}, b"\0" * 8))
    assert load_foreign(tmp_path / "x")[0]["w"].tolist() == [0, 0]
    assert "no metadata" in refusal(tmp_path / "x")
