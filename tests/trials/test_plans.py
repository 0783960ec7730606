"""What a plan draws, counts and is named after."""

import pytest

from jitnet.config import Settings
from jitnet.trials.plan import _between, plan

BASE = Settings(network="cnn", val=10, schedule="constant")
DRAWN = {"grid": {"batch_size": (1, 16)}, "bounds": {"lr": (1e-3, 1e-1)}, "draws": 4, "draw_seed": 0, "halving": 3}


def test_seeds_are_counted_from_the_given_one():
    made = plan(BASE.replace(seed=5), "repeat", seeds=3)
    assert (
        [trial.settings.seed for trial in made.trials] == [trial.varied["seed"] for trial in made.trials] == [5, 6, 7]
    )


@pytest.mark.parametrize(
    "change",
    [
        {"grid": {"batch_size": (1, 8)}},
        {"bounds": {"lr": (1e-3, 1.0)}},
        {"bounds": {"momentum": (1e-3, 1e-1)}},
        {"draws": 5},
        {"draw_seed": 1},
        {"halving": 2},
        {"halving": 0},
    ],
)
def test_whatever_changes_the_trials_or_their_epochs_makes_another_sweep(change):
    first = plan(BASE, "sweep", **DRAWN)
    assert plan(BASE, "sweep", **DRAWN).identity == first.identity
    assert plan(BASE, "sweep", **DRAWN | change).identity != first.identity


def test_a_range_is_drawn_by_logarithm_from_a_factor_of_ten_on():
    assert _between(0.5, "lr", 0.01, 0.1) == pytest.approx(0.001**0.5, rel=1e-3)
    assert _between(0.5, "lr", 0.01, 0.099) == pytest.approx(0.0545)
    assert _between(0.5, "momentum", 0.0, 0.9) == pytest.approx(0.45)


@pytest.mark.parametrize(("low", "high"), [(0.123456, 0.87654321), (0.9, 0.99999), (1.00005e-4, 9.9999e-1)])
def test_no_draw_is_rounded_out_of_its_bounds(low, high):
    for share in (0.0, 1e-9, 0.5, 1 - 1e-9):
        assert low <= _between(share, "momentum", low, high) <= high
