"""The pace: calls of about CALL_S, on the number of threads that is faster. The machine is simulated."""

import contextlib
import itertools

import pytest

from jitnet.machine import threads
from jitnet.training.pace import CALL_S, FIRST_CALL_MACS, Pace

MACS = FIRST_CALL_MACS / 100  # the first call takes 100 images
ALONE = 10_000.0  # images a second of one thread


class Machine:
    """Runs calls in simulated time, on `threads` at a speed that a test gives."""

    def __init__(self, choices, speed):
        self.time, self.threads, self.speed = 0.0, choices[-1], speed
        self.used = []  # (threads, images, seconds) of each call
        self.pace = Pace(choices, MACS, lambda: self.time, self.limited)

    @contextlib.contextmanager
    def limited(self, count):
        before, self.threads = self.threads, count
        yield
        self.threads = before

    def train(self, seconds):
        until = self.time + seconds
        while self.time < until:
            images = max(1, round(self.pace.images))
            with self.pace.call(images):
                took = images / self.speed(self.threads, self.time)
                self.used.append((self.threads, images, took))
                self.time += took
        return self

    def share(self, count):
        """Return the share of the time that calls on `count` threads took."""
        return sum(took for threads, _, took in self.used if threads == count) / self.time


def idle(count, time):
    return ALONE * count**0.9


def busy(count, time):
    return ALONE if count == 1 else ALONE / 20


def test_an_idle_machine_keeps_all_threads_and_loses_little():
    for choices in ((1, 2), (1, 2, 4, 7, 8)):
        machine = Machine(choices, idle).train(60)
        done = sum(images for _, images, _ in machine.used)
        assert machine.pace.count == choices[-1]
        assert done > 0.98 * 60 * idle(choices[-1], 0)


def test_a_busy_machine_gets_one_thread_and_loses_little():
    for choices in ((1, 2), (1, 2, 4, 7, 8)):
        machine = Machine(choices, busy).train(60)
        assert machine.pace.count == 1
        assert machine.share(1) > 0.9  # of which most is lost at the beginning


def test_it_follows_the_machine():
    machine = Machine((1, 2), lambda count, time: (busy if 20 < time < 60 else idle)(count, time))
    counts = [machine.train(20).pace.count for _ in range(6)]
    assert counts == [2, 1, 1, 2, 2, 2]


def test_the_fastest_number_in_between_is_found():
    speeds = {1: 1.0, 2: 1.9, 4: 3.6, 8: 6.0, 15: 9.0, 16: 4.0}
    machine = Machine(tuple(speeds), lambda count, time: ALONE * speeds[count]).train(60)
    assert machine.pace.count == 15
    assert machine.share(15) > 0.9


def test_noise_does_not_cost_much():
    """Speeds that change by a third from call to call: the threads may change too, to what is not much slower."""
    factors = [1.0, 0.7, 1.0, 0.9, 0.67, 1.0, 0.8]
    machine = Machine((1, 2), lambda count, time: idle(count, time) * factors[int(time * 101) % len(factors)])
    assert machine.train(60).share(2) > 0.95


def test_calls_get_as_long_as_asked_and_a_slow_moment_shortens_none_to_nothing():
    machine = Machine((1,), lambda count, time: idle(count, time) / (100 if 1 < time < 1.3 else 1)).train(5)
    took = [seconds for _, _, seconds in machine.used]
    assert machine.used[0][1] == 100
    assert took[8:12] == pytest.approx([CALL_S] * 4, rel=0.01)
    images = [count for _, count, _ in machine.used]
    assert all(after >= before // 2 for before, after in itertools.pairwise(images))


def test_a_requested_number_is_kept(monkeypatch):
    monkeypatch.setattr(threads, "_requested", True)
    choices = threads.choices()
    assert len(choices) == 1
    assert {count for count, _, _ in Machine((2,), busy).train(5).used} == {2}


@pytest.mark.parametrize(
    ("count", "most", "choices"),
    [(1, None, (1,)), (2, None, (1, 2)), (3, None, (1, 2, 3)), (16, None, (1, 2, 4, 8, 15, 16)), (16, 2, (1, 2))],
)
def test_the_numbers_to_choose_from(monkeypatch, count, most, choices):
    monkeypatch.setattr("numba.get_num_threads", lambda: count)
    monkeypatch.setattr(threads, "_requested", False)
    assert threads.choices(most) == choices


@pytest.mark.parametrize(
    ("images", "size", "left", "steps"), [(100, 7, 99, 14), (100, 30, 99, 3), (100, 300, 9, 1), (100, 7, 5, 5)]
)
def test_a_call_takes_the_nearest_number_of_whole_batches_that_are_left(images, size, left, steps):
    assert Pace((1,), FIRST_CALL_MACS / images).steps(size, left) == steps


def test_what_is_not_measured_runs_on_the_threads_that_are_faster_too():
    machine = Machine((1, 2), busy).train(20)
    with machine.pace.threads():
        assert machine.threads == machine.pace.count == 1
