"""The pace of training: how many images the next compiled call takes, and on how many threads.

No bit depends on either, so both follow the machine. Where other programs use its cores, threads wait for each other at
every barrier, and one thread can be ten times as fast as two. So now and then a short call is made on another number of
threads, and the faster number is kept: an idle machine loses at most 2 % by it, a busy one gains the wait.
"""

import contextlib
import time
from collections.abc import Callable, Iterator

from jitnet.machine import threads

CALL_S = 0.075  # aimed length of a compiled call: Ctrl-C, drawing and checkpoints wait for its end
FIRST_CALL_MACS = 5e7  # the first call is short for every network
_SHARE = 1 / 8  # of a whole call: the length of one on another number of threads
_FASTER = 1.05  # times as fast, or more: worth a change
_APART_S = 1.0  # between two such calls, or more
_COST = 50  # times what the last one lost: the time until the next one


class Pace:
    """Chooses the images and the threads of each call by the speed of those before.

    choices : the numbers of threads to choose from, in rising order; training begins with the last
    macs : multiply-accumulates of an image's training step
    limited : a context manager that sets the number of threads meanwhile
    """

    def __init__(
        self,
        choices: tuple[int, ...],
        macs: float,
        clock: Callable[[], float] = time.perf_counter,
        limited: Callable[[int], contextlib.AbstractContextManager[None]] = threads.limited,
    ) -> None:
        self.choices, self._clock, self._limited = choices, clock, limited
        self._whole = FIRST_CALL_MACS / macs  # images of a whole call
        self._speed = 0.0  # images a second of the last whole call
        self._now = len(choices) - 1  # index of the number in use
        self._other: int | None = None  # index of the number that the next call tries
        self._last = self._now  # index of the number tried last
        self._spent, self._next = 0.0, 2 * CALL_S  # seconds in calls, and from when on another number may be tried
        self.seconds = 0.0  # of the last call

    @property
    def count(self) -> int:
        """Return the number of threads in use."""
        return self.choices[self._now]

    @property
    def images(self) -> float:
        """Return how many images the next call should take."""
        return self._whole if self._other is None else self._whole * _SHARE

    def steps(self, batch_size: int, left: int) -> int:
        """Return how many steps of `batch_size` images the next call takes, of which `left` are left."""
        return min(max(1, round(self.images / batch_size)), left)

    @contextlib.contextmanager
    def call(self, images: int) -> Iterator[None]:
        """Run a call of that many images on the threads that are its turn, and measure it."""
        other, self._other = self._other, None
        with self._on(self._now if other is None else other):
            before = self._clock()
            yield
            self.seconds = max(self._clock() - before, 1e-9)
        self._spent += self.seconds
        if other is None:
            self._after_whole(images)
        else:
            self._after_other(images, other)

    def threads(self) -> contextlib.AbstractContextManager[None]:
        """Use the chosen number of threads meanwhile, for what is not measured."""
        return self._on(self._now)

    def _on(self, index: int) -> contextlib.AbstractContextManager[None]:
        return self._limited(self.choices[index]) if len(self.choices) > 1 else contextlib.nullcontext()

    def _after_whole(self, images: int) -> None:
        self._speed = images / self.seconds
        # Towards calls of CALL_S, at most doubling: one slow moment of the machine must not shrink them to nothing.
        self._whole = images * min(2.0, max(0.5, CALL_S / self.seconds))
        if len(self.choices) > 1 and self._spent >= self._next:
            # One after the other, down and around: none between two that are equally slow may hide a faster one.
            others = [n for n in range(len(self.choices) - 1, -1, -1) if n != self._now]
            self._other = self._last = next((n for n in others if n < self._last), others[0])

    def _after_other(self, images: int, other: int) -> None:
        self._next = self._spent
        if images / self.seconds > _FASTER * self._speed:
            self._now = other  # another may be faster still: it is tried at once
        else:
            lost = self.seconds - images / self._speed
            self._next += max(_APART_S, _COST * lost)
