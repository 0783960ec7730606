"""What a plan draws, counts and is named after."""

import pytest

from jitnet.cli import main
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


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("", {}), ("--random 5", {"draws": 5}), ("--random-seed 7", {"draw_seed": 7}), ("--seeds 2", {"seeds": 2}),
        ("--halving 2", {"halving": 2}),
        ("--grid shuffle=yes,no", {"grid": {"shuffle": (True, False), **DRAWN["grid"]}}),
        ("--range momentum=0:0.5", {"bounds": {"momentum": (0.0, 0.5), **DRAWN["bounds"]}}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", ["--grid", "--range"])
def test_each_option_of_sweep_is_in_its_plan_and_the_network_may_be_the_last_word(monkeypatch, words, change, end):
    made = []
    monkeypatch.setattr("jitnet.commands.support.many.run", lambda args, planned: made.append(planned) or 0)
    given = {"--grid": "--grid batch_size=1,16", "--range": "--range lr=1e-3:1e-1"}
    last = given.pop(end)
    common = f"sweep --val 10 --schedule constant --random 4 --seed 3 {words} {given.popitem()[1]} {last} mlp"
    assert main(common.split()) == 0
    settings = Settings.preset("mlp", val=10, schedule="constant", seed=3)
    assert made == [plan(settings, "sweep", **DRAWN | {"halving": 0} | change)]


@pytest.mark.parametrize("seeds", [1, 4])
def test_repeat_has_as_many_trials_as_seeds(monkeypatch, seeds):
    made = []
    monkeypatch.setattr("jitnet.commands.support.many.run", lambda args, planned: made.append(planned) or 0)
    assert main(f"repeat mlp --seeds {seeds} --seed 3 --lr 0.5".split()) == 0
    assert made == [plan(Settings.preset("mlp", lr=0.5, seed=3), "repeat", seeds=seeds)]
