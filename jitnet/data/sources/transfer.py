"""One answer over HTTP, received by a thread that is abandoned when it is late.

A limit on a socket holds for one receive. A host can still take for ever: with one byte at a time of a header, of a
chunk's size or of a trailer, with redirects, with "100 Continue"; and so can a name look-up or a proxy. A `Transfer`
takes pieces of the body from a queue instead, and waits for them no longer than the limits it was made with.
"""

import contextlib
import io
import queue
import socket
import threading
import time
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.error import URLError
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from jitnet import __version__

_PIECE = 1 << 16  # bytes
_PIECES = 16  # received and not read yet


class Late(TimeoutError):  # noqa: N818 (as TimeoutError)
    """The time for a transfer is over."""


class Transfer(io.RawIOBase):
    """The body of the answer to a request, as a raw file; `length` is what the host announces, None if it does not.

    It waits at most `patience` seconds for the answer and for each piece of the body, and until `until`, a
    `time.monotonic()`, in all. Raises `URLError` when no answer arrives in time, `Late` at `until`, `TimeoutError` for
    a body that stalls, and what urllib raises.
    """

    def __init__(self, url: str, patience: float, until: float) -> None:
        self._patience, self._until = patience, until
        self._received: queue.Queue[Any] = queue.Queue(_PIECES)
        self._abandoned = threading.Event()
        self._piece = memoryview(b"")
        self._ended = False
        request = Request(url, headers={"User-Agent": f"jitnet/{__version__}"})
        threading.Thread(target=self._receive, args=(request,), daemon=True).start()
        try:
            self.length: int | None = self._next()
        except Late:
            self.close()
            raise
        except TimeoutError:
            self.close()
            raise URLError(f"no answer within {patience:g} s") from None
        except BaseException:
            self.close()
            raise

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not len(self._piece) and not self._ended:
            self._piece = memoryview(self._next())
            self._ended = not len(self._piece)
        count = min(len(buffer), len(self._piece))
        buffer[:count] = self._piece[:count]
        self._piece = self._piece[count:]
        return count

    def close(self) -> None:
        """Let the thread end: at its next receive, which waits for `patience` at most."""
        self._abandoned.set()
        super().close()

    def _next(self) -> Any:
        """Return the next thing that the thread has handed over, in time, or raise it."""
        left = self._until - time.monotonic()
        try:
            if left <= 0:  # also for a host that never stops sending, so that a piece is always there
                raise queue.Empty
            item = self._received.get(timeout=min(self._patience, left))
        except queue.Empty:
            if left <= self._patience:
                raise Late("the time for downloading was over") from None
            raise TimeoutError(f"timed out: no data within {self._patience:g} s") from None
        if isinstance(item, Exception):
            raise item
        return item

    def _receive(self, request: Request) -> None:
        """Ask and receive: what the thread does."""
        try:
            opener = _opener(self._abandoned)
            with opener.open(request, timeout=self._patience) as answer:
                self._hand_over(answer.length)
                while not self._abandoned.is_set():
                    piece = answer.read1(_PIECE)
                    self._hand_over(piece)
                    if not piece:
                        return
        except Exception as error:
            self._hand_over(error)

    def _hand_over(self, item: Any) -> None:
        while not self._abandoned.is_set():
            with contextlib.suppress(queue.Full):
                return self._received.put(item, timeout=0.1)


class _Receiving(io.RawIOBase):
    """What a socket receives, until it is abandoned: looked at before every receive, that of a header too."""

    def __init__(self, raw: Any, abandoned: threading.Event) -> None:
        self._raw, self._abandoned = raw, abandoned

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._abandoned.is_set():
            raise Late("the transfer was abandoned")
        count: int = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def _opener(abandoned: threading.Event) -> OpenerDirector:
    """Return urllib's opener for HTTP alone, with answers that are no longer received once `abandoned` is set.

    Its usual one follows a redirect to FTP, whose connections have no such end.
    """

    class Response(HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
            super().__init__(sock, *args, **options)
            self.fp.close()  # of the same socket, nothing received yet
            self.fp = io.BufferedReader(_Receiving(sock.makefile("rb", buffering=0), abandoned))

    class Plain(HTTPConnection):
        response_class = Response

    class Secure(HTTPSConnection):  # with the default context, which verifies host and certificate
        response_class = Response

    class PlainHandler(HTTPHandler):
        def http_open(self, req: Request) -> Any:
            return self.do_open(Plain, req)

    class SecureHandler(HTTPSHandler):
        def https_open(self, req: Request) -> Any:
            return self.do_open(Secure, req)

    opener = OpenerDirector()
    of_urllib = ProxyHandler, UnknownHandler, HTTPDefaultErrorHandler, HTTPRedirectHandler, HTTPErrorProcessor
    for handler in (*of_urllib, PlainHandler, SecureHandler):
        opener.add_handler(handler())
    return opener
