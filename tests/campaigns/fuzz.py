"""Damaged files by the thousand, the same ones in every run: each is read, or refused in one sentence."""

import gzip
import hashlib
import resource
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from jitnet.errors import InputError

ODD = (0, 1, 2, 7, 8, 27, 28, 127, 128, 255, 256, 784, 2**15, 2**16, 2**31 - 1, 2**31, 2**32 - 1)
WORDS = (b'"', b"{", b"}", b"[", b",", b":", b"-1", b"1e999", b"NaN", b"null", b"true", b'"w":', b"9" * 30, b"\\ud800")


def mutated(seed: bytes, rng: np.random.Generator) -> bytes:
    """Return a file with one to four changes: bits, numbers, words, pieces lost or doubled."""
    data = bytearray(seed)
    for _ in range(rng.integers(1, 5)):
        at = int(rng.integers(0, len(data) + 1))
        match rng.integers(0, 7):
            case 0 if data:
                data[at % len(data)] ^= 1 << int(rng.integers(0, 8))
            case 1:
                data[at : at + 4] = struct.pack(">I", ODD[rng.integers(0, len(ODD))])
            case 2:
                data[at : at + 8] = struct.pack("<Q", ODD[rng.integers(0, len(ODD))])
            case 3:
                data[at:at] = WORDS[rng.integers(0, len(WORDS))]
            case 4:
                del data[at : at + int(rng.integers(1, 20))]
            case 5:
                data[at:at] = data[at : at + int(rng.integers(1, 40))]
            case _:
                del data[at:]
    return bytes(data)


def headers(rng: np.random.Generator) -> Iterator[bytes]:
    """Yield IDX files whose headers say anything, some of them the truth."""
    while True:
        kinds, counts = rng.integers(0, 256, 1000), rng.integers(0, 7, 1000)
        for kind, ndim, own in zip(kinds, counts, rng.integers(0, 3, 1000)):
            extents = [int(ODD[i]) for i in rng.integers(0, len(ODD), ndim)]
            if own:
                kind = 8
            body = bytes(int(rng.integers(0, 64)))
            yield bytes((0, 0, kind, ndim)) + struct.pack(f">{ndim}I", *extents) + body


def mutations(corpus: list[bytes], seed: int) -> Iterator[bytes]:
    """Yield mutations of a corpus, its own files first."""
    rng = np.random.default_rng(seed)
    yield from corpus
    while True:
        yield mutated(corpus[rng.integers(0, len(corpus))], rng)


def gzipped(files: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the files compressed."""
    return (gzip.compress(file, 1) for file in files)


def signed(data: bytes) -> bytes:
    """Give a mutated checkpoint the right digest, as an attacker would: else the hash alone refuses it."""
    return data.replace(b"0" * 64, hashlib.sha256(data).hexdigest().encode(), 1)


def run(read: Callable[[bytes], object], files: Iterator[bytes], count: int) -> dict[str, int]:
    """Read many files; return how many were accepted and refused, and by how much memory's peak rose.

    Any other exception than `InputError`, or a message of several lines, ends it.
    """
    before = peak_memory()
    taken = 0
    for number, data in zip(range(count), files):
        try:
            read(data)
            taken += 1
        except InputError as error:
            assert str(error).isprintable() and len(str(error)) < 500, (number, str(error))
        except Exception as error:
            raise AssertionError(f"file {number}, {data[:200]!r}, raised {error!r}") from error
    return {"inputs": count, "taken": taken, "refused": count - taken, "peak_rise_KiB": peak_memory() - before}


def peak_memory() -> int:
    """Return the most KiB this process had; getrusage would give a child the peak of its parent."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(status.partition("VmHWM:")[2].split()[0])
