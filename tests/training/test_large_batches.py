"""Batches whose gradient takes several calls, and the time limit of a run, over a resume."""

import contextlib
import dataclasses

import numpy as np
import pytest
from test_training import data, new, settings

from jitnet.data.split import Split
from jitnet.events import RunFinished, StepsDone
from jitnet.model.network import Network
from jitnet.storage.checkpoint import content_hash
from jitnet.training import loop, pace
from jitnet.training.position import Position

LARGE = {"batch_size": 20, "shuffle": True, "epochs": 2}  # three calls of at most 8 images; the last batch has 10


def parameters(**changes) -> np.ndarray:
    trained = new(settings(**LARGE | changes), data(50))
    list(trained.run())
    return trained.network.params.copy()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_batch_in_parts_is_the_batch(monkeypatch, reduction):
    changes = {"reduction": reduction, "lr": 0.1 if reduction == "mean" else 0.005}
    whole = parameters(**changes)
    monkeypatch.setattr(loop, "PART", 8)
    np.testing.assert_allclose(parameters(**changes), whole, rtol=0, atol=1e-5 * np.abs(whole).max())


def test_a_batch_in_parts_continues_with_the_images_that_are_left(monkeypatch):
    monkeypatch.setattr(loop, "PART", 8)
    taken, parts = [], Split.parts
    monkeypatch.setattr(Split, "parts", lambda data, batch, most: taken.extend(batch) or parts(data, batch, most))
    chosen, given = settings(**LARGE), data(50)
    whole = new(chosen, given)
    snapshots = [(event.snapshot(), len(taken)) for event in whole.run() if isinstance(event, StepsDone)]
    assert [seen for _, seen in snapshots] == [20, 40, 50, 70, 90, 100]
    every = list(taken)
    assert sorted(every[:50]) == sorted(every[50:]) == list(range(50)) and every[:50] != every[50:]
    for tensors, seen in snapshots:
        rest = new(chosen, given, position=Position.from_tensors(tensors, "here"))
        rest.network.load_tensors(tensors, "here")
        taken.clear()
        list(rest.run())
        assert taken == every[seen:]
        assert content_hash(rest.tensors()) == content_hash(whole.tensors())


@pytest.mark.parametrize("weights", [None, np.arange(50) % 2 + 1.0])
def test_every_kernel_of_a_step_uses_the_threads_that_the_pace_has_chosen(monkeypatch, weights):
    """Where other programs use the cores, one call on all threads takes as long as the rest of the step."""
    monkeypatch.setattr(loop, "PART", 8)
    limited, inside = [], []

    class OneThread(pace.Pace):
        def _on(self, index):
            @contextlib.contextmanager
            def on():
                limited.append(index)
                yield
                limited.pop()

            return on()

    monkeypatch.setattr(pace, "Pace", OneThread)
    for name in ("accumulate", "descend", "train_steps"):
        real = getattr(Network, name)
        monkeypatch.setattr(
            Network, name, lambda *given, real=real, name=name: inside.append((name, len(limited))) or real(*given)
        )
    list(new(settings(**LARGE), dataclasses.replace(data(50), weights=weights)).run())
    assert set(inside) == {("accumulate", 1), ("descend", 1)}


def test_minutes_of_earlier_processes_count():
    trained = new(settings(max_minutes=1.0), data(), position=Position(elapsed_s=61.0))
    events = list(trained.run())
    assert not any(isinstance(event, StepsDone) for event in events)
    assert isinstance(events[-1], RunFinished) and "--max-minutes" in events[-1].stop_reason
    assert events[-1].elapsed_s >= 61.0
