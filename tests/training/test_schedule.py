"""The learning rate of each epoch against the documents and their formula."""

import math

import numpy as np
import pytest
from commands import digits, result, rows, settle, train

from jitnet.cli import main
from jitnet.config import CHOICES, Settings
from jitnet.training.schedule import PER_STEP, learning_rate, learning_rates

DOCUMENTS = (0.000010, 0.000340, 0.000670, 0.001000, 0.000952, 0.000811, 0.000592, 0.000316, 0.000010)


def test_the_nine_rates_of_the_documents():
    assert tuple(round(learning_rate(Settings(), epoch), 6) for epoch in range(9)) == DOCUMENTS


@pytest.mark.parametrize("E", range(1, 13))
def test_the_formula(E):
    most, W = 0.3, E // 3
    low = most / 100
    settings = Settings(epochs=E, lr=most, schedule="documents" if E >= 9 else "documents-old")
    for e in range(E):
        if e < W:
            wanted = low + (most - low) * e / W
        else:
            wanted = low + (most - low) * max(0, math.cos(math.pi / 2 * (e - W) / max(1, E - W - 1)))
        assert learning_rate(settings, e) == pytest.approx(wanted, rel=1e-14)


@pytest.mark.parametrize("schedule", CHOICES["schedule"])
@pytest.mark.parametrize("E", range(1, 13))
def test_every_rate_is_between_a_hundredth_and_the_peak(schedule, E):
    settings = Settings(epochs=E, lr=0.3, schedule=schedule)
    rates = [rate for epoch in range(E) for rate in learning_rates(settings, epoch, 0, 40, 40)]
    assert all(0.003 * (1 - 1e-12) <= rate <= 0.3 * (1 + 1e-12) for rate in rates)
    assert max(rates) == pytest.approx(0.3, rel=0.01)
    beyond = {rate for epoch in range(E, E + 5) for rate in learning_rates(settings, epoch, 0, 3, 40)}
    assert len(beyond) == 1 and beyond.pop() == pytest.approx(rates[-1], abs=0.001)


@pytest.mark.parametrize("E", range(1, 9))
def test_of_few_epochs_none_is_spent_at_a_hundredth(E):
    rates = [learning_rate(Settings(epochs=E, lr=1.0), epoch) for epoch in range(E)]
    assert min(rates) > 0.25 and max(rates) == 1.0


@pytest.mark.parametrize("schedule", CHOICES["schedule"])
def test_the_rates_of_steps_are_those_of_their_epoch(schedule):
    settings = Settings(epochs=5, lr=0.3, schedule=schedule)
    for epoch in range(5):
        rates = learning_rates(settings, epoch, 0, 101, 101)
        pieces = [learning_rates(settings, epoch, first, 1, 101)[0] for first in range(101)]
        assert rates.tolist() == pieces  # a resume inside the epoch takes the same
        assert rates[50] == pytest.approx(learning_rate(settings, epoch), rel=1e-12)
        assert (len(set(pieces)) > 1) == (schedule in PER_STEP)


def test_one_cycle_rises_to_its_peak_and_falls():
    rates = [learning_rate(Settings(epochs=21, lr=1.0, schedule="one-cycle"), epoch) for epoch in range(21)]
    assert rates[0] == 1 / 25 and rates[6] == 1.0 and rates[20] == pytest.approx(0.01)
    assert rates[3] == pytest.approx(0.52) and rates[13] == pytest.approx(0.505)  # half-way up, half-way down
    assert rates[:7] == sorted(rates[:7]) and rates[6:] == sorted(rates[6:], reverse=True)
    assert learning_rate(Settings(epochs=1, lr=1.0, schedule="one-cycle"), 0) == 1.0


def test_steps_fall_to_a_tenth_after_each_third():
    settings = Settings(epochs=7, lr=1.0, schedule="step")
    wanted = [1, 1, 1, 0.1, 0.1, 0.01, 0.01]
    assert [learning_rate(settings, epoch) for epoch in range(7)] == pytest.approx(wanted)


def test_half_a_cosine():
    settings = Settings(epochs=5, lr=1.0, schedule="cosine")
    wanted = [1.0, 0.01 + 0.99 * (1 + math.sqrt(0.5)) / 2, 0.505, 0.01 + 0.99 * (1 - math.sqrt(0.5)) / 2, 0.01]
    assert [learning_rate(settings, epoch) for epoch in range(5)] == pytest.approx(wanted)


def test_half_a_cosine_by_the_step():
    rates = learning_rates(Settings(epochs=1, lr=1.0, schedule="cosine-per-step"), 0, 0, 4, 4)
    assert rates == pytest.approx(
        [0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2 for share in (1 / 8, 3 / 8, 5 / 8, 7 / 8)]
    )
    assert np.all(np.diff(rates) < 0)


@pytest.mark.parametrize("schedule", CHOICES["schedule"])
@pytest.mark.parametrize("steps", [1, 7, 30, 1000])
def test_a_warm_up_rises_in_a_line_to_the_schedule(schedule, steps):
    plain = Settings(epochs=4, lr=0.3, schedule=schedule)
    warm = plain.replace(warm_up=steps)
    every, wanted = (np.concatenate([learning_rates(each, e, 0, 10, 10) for e in range(4)]) for each in (warm, plain))
    assert every == pytest.approx(wanted * np.minimum(1, np.arange(1, 41) / steps), rel=1e-14)
    assert [learning_rates(warm, e, k, 1, 10)[0] for e in range(4) for k in range(10)] == every.tolist()
    for e in range(4):
        share = min(1, (e + 0.5) * 10 / steps)
        assert learning_rate(warm, e, 10) == pytest.approx(learning_rate(plain, e) * share)
        assert learning_rate(warm, e) == learning_rate(plain, e)  # drawn ahead, before the steps are known


def test_a_warm_up_is_recorded_and_a_resume_inside_it_gives_the_same_bits(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    words = ("--schedule", "constant", "--warm-up", "250")  # of 200 steps an epoch
    whole, pieces = train("whole", *words, epochs=3), train("pieces", *words, epochs=1)
    assert main(["resume", str(pieces), "--epochs", "3", "--ui", "quiet"]) == 0
    assert result(pieces) == result(whole)
    assert Settings.from_toml(whole / "config.toml").warm_up == 250
    assert [float(row["lr"]) for row in rows(whole)] == pytest.approx([0.04, 0.1, 0.1])
