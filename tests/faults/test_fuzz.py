"""For any bytes, a reader takes them or refuses them in one sentence: it never crashes, and memory stays flat."""

import io
import json
import os
import tempfile
from pathlib import Path

import figures
import fuzz
import numpy as np
import pytest
from data_files import arrays, csv_text, idx_bytes
from image_files import read_images
from processes import run_json
from test_checkpoint import HOSTILE, META, entry
from test_data_images import PGM

from jitnet.config import Settings
from jitnet.data.readers import idx, npy, tables
from jitnet.errors import InputError
from jitnet.run.names import read_meta
from jitnet.storage import checkpoint

SMALL = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def npy_bytes(array, save=np.save):
    stream = io.BytesIO()
    save(stream, array)
    return stream.getvalue()


def save_npz(stream, arrays):
    np.savez(stream, **arrays)


def save_compressed_npz(stream, arrays):
    np.savez_compressed(stream, **arrays)


def checkpoint_seeds():
    text = json.dumps({"__metadata__": META, "v": entry(), "w": entry("I64", (2,), (8, 24))}, separators=(",", ":"))
    whole = text.replace("DIGEST", "0" * 64).encode()
    own = len(whole).to_bytes(8, "little") + whole + bytes(24)
    return [own] * 50 + [data for data, _ in HOSTILE.values() if len(data) < 5000]


def through_a_file(read, path):
    def written(data):
        path.write_bytes(data)
        return read(path)

    return written


def reader(kind, path):
    """Return what reads bytes of a kind, and an endless supply of files."""
    match kind:
        case "IDX headers":
            return (lambda data: idx.decode(data, "f")), fuzz.headers(np.random.default_rng(0))
        case "IDX files":
            seeds = [idx_bytes(SMALL), idx_bytes(SMALL[0, 0]), idx_bytes(SMALL[..., None])]
            return (lambda data: idx.decode(data, "f")), fuzz.mutations(seeds, 1)
        case "gzipped IDX files":
            seeds = [idx_bytes(SMALL), idx_bytes(SMALL[0, 0])]
            seeds += list(fuzz.gzipped(iter(seeds)))
            return (lambda data: idx.decode(data, "f")), fuzz.mutations(seeds, 2)
        case "npy files":
            seeds = [npy_bytes(SMALL), npy_bytes(SMALL.astype(float)), npy_bytes(np.asfortranarray(SMALL))]
            return (lambda data: npy.decode(data, "f")), fuzz.mutations(seeds, 3)
        case "npz files":
            seeds = [npy_bytes({"a": SMALL}, save) for save in (save_npz, save_compressed_npz)]
            return (lambda data: npy.decode_npz(data, ("a",), "f")), fuzz.mutations(seeds, 4)
        case "CSV files":
            seeds = [csv_text(SMALL, SMALL[:, 0, 0]).encode(), b"label,a,b\n1,2,3\n"]
            return (lambda data: tables.decode(data, "f")), fuzz.mutations(seeds, 5)
        case "images":
            seeds = [*PGM.values(), npy_bytes(SMALL[0]), idx_bytes(SMALL), *pictures()]
            return through_a_file(read_images, path), fuzz.mutations(seeds, 6)
        case "checkpoints":
            return through_a_file(checkpoint.load, path), map(fuzz.signed, fuzz.mutations(checkpoint_seeds(), 7))
        case "settings":
            return through_a_file(Settings.from_toml, path), fuzz.mutations([Settings().to_toml().encode()], 8)
        case "meta.json":
            meta = {"schema": 1, "status": "done", "title": "t", "data": "d", "created": "c", "image": [28, 28, 1]}
            path = path.with_name("meta.json")
            return through_a_file(lambda file: read_meta(file.parent), path), fuzz.mutations(
                [json.dumps(meta).encode()], 9
            )
    raise ValueError(kind)


def pictures():
    """Return small files of Pillow's formats, if it is there."""
    try:
        from PIL import Image
    except ImportError:
        return []
    files = []
    for kind in ("PNG", "BMP", "TIFF", "GIF", "JPEG", "WEBP"):
        stream = io.BytesIO()
        Image.fromarray(arrays()["x_test"][0]).save(stream, kind)
        files.append(stream.getvalue())
    return files


KINDS = {  # how many in every run, and in the campaign
    "IDX headers": (100_000, 1_000_000),
    "IDX files": (15_000, 200_000),
    "gzipped IDX files": (10_000, 100_000),
    "npy files": (5_000, 100_000),
    "npz files": (1_000, 50_000),
    "CSV files": (1_000, 50_000),
    "images": (1_000, 20_000),
    "checkpoints": (20_000, 300_000),
    "settings": (1_000, 50_000),
    "meta.json": (1_000, 50_000),
}


@pytest.fixture
def place():
    """A file that is written again and again: in memory, where there is such a folder."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder, "f")


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_read_or_refused(kind, place):
    found = fuzz.run(*reader(kind, place), KINDS[kind][0])
    assert found["refused"] > 100
    assert found["taken"] or kind == "images"  # a seed of each kind is whole


CAMPAIGN = """
import json, sys, warnings
from pathlib import Path
import fuzz, test_fuzz
kind, count, place = sys.argv[1:]
print(json.dumps(fuzz.run(*test_fuzz.reader(kind, Path(place)), int(count))))
"""


def test_the_campaign_runs_in_a_process_of_its_own(place):
    assert run_json(CAMPAIGN, "settings", "20", str(place))["inputs"] == 20


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_campaign(kind, place):
    found = run_json(CAMPAIGN, kind, str(KINDS[kind][1]), str(place))
    assert found["peak_rise_KiB"] < 64 << 10, found
    figures.note("fuzz", **{kind: found})


def test_the_mutations_are_the_same_in_every_run():
    first, again = (list(zip(range(50), fuzz.mutations([b"seed"], 1))) for _ in range(2))
    assert first == again


def test_a_planted_crash_is_found():
    def careless(data):
        if len(data) < 4:
            raise InputError("f is cut short: expected four bytes")
        return data[data[3]]

    with pytest.raises(AssertionError, match="IndexError"):
        fuzz.run(careless, fuzz.mutations([idx_bytes(SMALL)], 1), 1000)
