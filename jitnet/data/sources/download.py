"""Getting a known file over the network: any failure of one host is a reason to ask the next."""

import contextlib
import gzip
import hashlib
import io
import math
import time
from collections.abc import Callable, Sequence
from http.client import HTTPException
from typing import IO, Any
from urllib.error import HTTPError, URLError

from jitnet.data.content import Part, Report, read_some, sha256
from jitnet.data.readers import idx
from jitnet.data.sources.known import FILES, Known
from jitnet.data.sources.transfer import Late, Transfer
from jitnet.errors import InputError
from jitnet.printing import printable

TIMEOUT = 10.0  # seconds for an answer, and for each piece of data after it
DEADLINE = 300.0  # seconds for a whole data set
TRIES = 2  # per mirror, when it did answer


class DownloadError(Exception):
    """No mirror served a file; `reasons` holds what each attempt came to."""

    def __init__(self, reasons: list[str]):
        super().__init__("; ".join(reasons))
        self.reasons = reasons


def fetch(known: Known, part: str, mirrors: Sequence[str], report: Report, until: float) -> tuple[Part, str]:
    """Download one part of a known data set.

    Parameters
    ----------
    known, part : the data set, and which of its four files
    mirrors : URLs of folders, in the order to try them
    report : takes a description of each attempt, and the share of its announced length that has arrived
    until : the `time.monotonic()` at which to give up

    Returns
    -------
    part : the uint8 array, whose content has the known hash
    mirror : the URL of the folder it came from

    Raises
    ------
    DownloadError : every mirror failed
    """
    reasons: list[str] = []
    for place, mirror in enumerate(mirrors, 1):
        url = f"{mirror}{FILES[part]}.gz"
        for _ in range(TRIES):
            now = time.monotonic()
            if now > until:
                raise DownloadError([*reasons, f"{url}: not tried, the time for downloading was over"])
            report(f"downloading {url}", 0.0)
            limit = until if place == len(mirrors) else now + (until - now) / 2  # a slow one leaves time for the next
            try:
                return _attempt(url, known, part, report, limit), mirror
            except HTTPError as error:
                error.close()
                reasons.append(f"{url}: HTTP {error.code} {_said(error.reason)}")
                if error.code < 500:
                    break  # it would only say the same again
            except URLError as error:
                reasons.append(f"{url}: {_said(error.reason)}")
                break
            except Late as error:
                reasons.append(f"{url}: {error}")
                break
            except (OSError, HTTPException, InputError, ValueError) as error:
                reasons.append(str(error) if isinstance(error, InputError) else f"{url}: {_said(error)}")
    raise DownloadError(reasons)


def _said(reason: object) -> str:
    """Return why an attempt failed in one line: hosts and proxies put any text into it."""
    return printable(" ".join((str(reason) or repr(reason)).split())[:200])


def _attempt(url: str, known: Known, part: str, report: Report, until: float) -> Part:
    shape = known.shapes[part]
    with contextlib.closing(Transfer(url, TIMEOUT, until)) as transfer:
        total = transfer.length

        def came(size: int) -> None:
            if total:
                report(f"downloading {url}", min(1.0, size / total))

        body: IO[bytes] = io.BufferedReader(_Told(transfer, came))
        if known.md5:
            body = _with_md5(body, url, math.prod(shape), known.md5[part])
        array = idx.read(gzip.GzipFile(fileobj=body), url, largest=math.prod(shape))
    if known.md5:
        if array.shape != shape:
            raise InputError(f"{url} has the shape {array.shape}: expected {shape}")
        return Part(array, sha256(array))
    if (found := sha256(array)) != known.sha256[part]:
        raise InputError(f"{url} has other content: expected SHA-256 {known.sha256[part]}, got {found}")
    return Part(array, found)


def _with_md5(body: IO[bytes], url: str, size: int, md5: str) -> IO[bytes]:
    """Return a .gz of at most `size` bytes that has this MD5, which keeps damage out, though not malice."""
    content = read_some(body, size + size // 100 + 1024, url)  # noise does not shrink, and gzip adds a little
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise InputError(f"{url} has other content: expected MD5 {md5}, got {found}")
    return io.BytesIO(content)


class _Told(io.RawIOBase):
    """A transfer that tells `came` how many bytes it has given so far."""

    def __init__(self, transfer: Transfer, came: Callable[[int], None]):
        self.transfer = transfer
        self.came = came
        self.size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self.transfer.readinto(buffer)
        self.size += count
        self.came(self.size)
        return count
