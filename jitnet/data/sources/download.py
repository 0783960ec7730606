"""Getting a known file over the network: any failure of one host is a reason to ask the next."""

import gzip
import hashlib
import io
import math
import queue
import threading
import time
from collections.abc import Callable, Sequence
from http.client import HTTPException, HTTPResponse
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from jitnet import __version__
from jitnet.data.content import Part, Report, read_some, sha256
from jitnet.data.readers import idx
from jitnet.data.sources.known import FILES, Known
from jitnet.errors import InputError

TIMEOUT = 10.0  # seconds for an answer, and for each read after it
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
    report : is told of each attempt, and how much of its announced length has come
    until : the `time.monotonic()` at which to give up

    Returns
    -------
    part : the uint8 array, whose content has the known hash
    mirror : the URL of the folder it came from

    Raises
    ------
    DownloadError : every mirror failed, in whatever way
    """
    reasons: list[str] = []
    for mirror in mirrors:
        url = f"{mirror}{FILES[part]}.gz"
        for _ in range(TRIES):
            if time.monotonic() > until:
                raise DownloadError([*reasons, f"{url}: not tried, the time for downloading was over"])
            report(f"downloading {url}", 0.0)
            try:
                return _attempt(url, known, part, report, until), mirror
            except HTTPError as error:
                error.close()
                reasons.append(f"{url}: HTTP {error.code} {' '.join(str(error.reason).split())}")
                if error.code < 500:
                    break  # it would only say the same again
            except URLError as error:
                reasons.append(f"{url}: {error.reason}")
                break
            except (OSError, HTTPException, InputError, ValueError) as error:
                reasons.append(str(error) if isinstance(error, InputError) else f"{url}: {error or repr(error)}")
    raise DownloadError(reasons)


def _attempt(url: str, known: Known, part: str, report: Report, until: float) -> Part:
    shape = known.shapes[part]
    with _open(url, TIMEOUT) as response:
        total = response.length  # None if the host does not say

        def came(size: int) -> None:
            if total:
                report(f"downloading {url}", min(1.0, size / total))

        body: IO[bytes] = io.BufferedReader(_Body(response, came, until))
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


def _open(url: str, timeout: float) -> HTTPResponse:
    """Call urlopen with one limit on everything up to the answer.

    Its own timeout does not cover the name look-up and starts anew for each of a host's addresses, which adds
    up to minutes behind a firewall that drops packets.
    """
    request = Request(url, headers={"User-Agent": f"jitnet/{__version__}"})
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(urlopen(request, timeout=timeout))
        except Exception as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=timeout)
    except queue.Empty:
        answer = TimeoutError()
    if isinstance(answer, TimeoutError):
        raise URLError(f"no answer within {timeout:g} s")
    if isinstance(answer, Exception):
        raise answer
    return answer


class _Body(io.RawIOBase):
    """A response as a raw file: one receive per read, and none after the deadline. `came` is told the bytes so far."""

    def __init__(self, response: HTTPResponse, came: Callable[[int], None], until: float):
        self.response = response
        self.came = came
        self.until = until
        self.size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if time.monotonic() > self.until:
            raise TimeoutError("the time for downloading was over")
        received = self.response.read1(len(buffer))
        buffer[: len(received)] = received
        self.size += len(received)
        self.came(self.size)
        return len(received)
