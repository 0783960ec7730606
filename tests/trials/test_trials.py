"""What many trials are made of: the plan, statistics, the table. No process is started here."""

import math

import numpy as np
import pytest
from commands import digits, refusal, settle
from run_folders import write_run

from jitnet.config import CHOICES, Settings
from jitnet.display.format import NONE
from jitnet.display.tables import cell_text
from jitnet.errors import InputError
from jitnet.history.board import DONE, LOST, RUNNING, Board, Row
from jitnet.history.statistics import describe, student_t, summarise
from jitnet.history.tables import statistics_tables
from jitnet.training.schedule import learning_rate
from jitnet.trials import worker_pool
from jitnet.trials.plan import name_of, parse_bounds, parse_values, plan, plan_of

BASE = Settings(network="cnn", val=10, schedule="constant")


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 30, 101])
def test_students_t_encloses_what_it_says(freedom):
    """Against the integral of the density, by the trapezoid rule on the angle of t = sqrt(freedom) tan(angle)."""
    end = math.atan(student_t(freedom) / math.sqrt(freedom))
    angles = np.linspace(-math.pi / 2 + 1e-9, math.pi / 2 - 1e-9, 400_001)
    density = np.cos(angles) ** (freedom - 1)
    inside = np.abs(angles) <= end
    assert density[inside].sum() / density.sum() == pytest.approx(0.95, abs=1e-4)


def test_students_t_is_the_tables():
    """NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, the column of 0.975."""
    assert [round(student_t(n), 3) for n in (1, 2, 5, 10, 29, 100)] == [12.706, 4.303, 2.571, 2.228, 2.045, 1.984]


def test_statistics_of_runs_of_unequal_length():
    runs = [[{"test_loss": 1.0}, {"test_loss": 3.0}], [{"test_loss": 2.0}], [{"test_loss": None}]]
    first, second = summarise(runs)
    assert first[:7] == (0, "test_loss", 2, 1.5, pytest.approx(0.5**0.5), 1.0, 2.0)
    half = 12.7062047 * 0.5**0.5 / 2**0.5
    assert first.low == 0.0 and first.high == pytest.approx(1.5 + half)  # a loss is not below 0
    assert second[:3] == (1, "test_loss", 1) and second.sd is None and second.low is None
    assert describe(0, "test_accuracy", [99.0, 100.0]).high == 100.0


def test_a_grid_is_every_combination_with_every_seed():
    made = plan(BASE, "sweep", {"lr": (0.01, 0.03), "batch_size": (1, 16)}, seeds=2)
    assert [trial.name for trial in made.trials][:3] == [
        "lr-0.01_batch-size-1_seed-0", "lr-0.01_batch-size-1_seed-1", "lr-0.01_batch-size-16_seed-0",
    ]  # fmt: skip
    assert len(made.trials) == 8 and len(made.groups) == 4 and made.epochs == 8 * 9
    last = made.trials[-1].settings
    assert (last.lr, last.batch_size, last.seed, last.val) == (0.03, 16, 1, 10)


def test_more_seeds_are_the_same_sweep():
    few, many = plan(BASE, "repeat", seeds=2), plan(BASE, "repeat", seeds=5)
    assert few.identity == many.identity and few.trials == many.trials[:2]
    assert few.identity != plan(BASE.replace(lr=0.5), "repeat", seeds=2).identity


def test_random_draws_are_the_same_each_time_and_distinct():
    bounds = {"lr": (1e-4, 1e-1), "epochs": (2, 9)}
    made = plan(BASE, "sweep", {"batch_size": (1, 16)}, bounds, draws=40)
    assert made == plan(BASE, "sweep", {"batch_size": (1, 16)}, bounds, draws=40)
    assert len({trial.name for trial in made.trials}) == 40
    rates = [trial.settings.lr for trial in made.trials]
    assert 8 <= sum(rate < 1e-3 for rate in rates) <= 20  # a third, by logarithm
    assert {trial.settings.epochs for trial in made.trials} <= set(range(2, 10))
    assert all(trial.settings.until == trial.settings.epochs for trial in made.trials)
    assert len(plan(BASE, "sweep", {"lr": (1.0, 2.0, 3.0)}, draws=2).trials) == 2
    assert {trial.settings.epochs for trial in plan(BASE, "sweep", {}, {"epochs": (2, 3)}, draws=9).trials} == {2, 3}
    with pytest.raises(InputError, match="without anything to draw from"):
        plan(BASE, "sweep", draws=3)


def test_halving_counts_its_epochs():
    made = plan(BASE, "sweep", {"lr": tuple(0.1 * k for k in range(1, 10))}, halving=3, seeds=2)
    assert made.rungs == (1, 3, 9)
    assert made.epochs == 2 * (9 * 1 + 3 * 2 + 1 * 6)


@pytest.mark.parametrize("schedule", CHOICES["schedule"])
@pytest.mark.parametrize(("epochs", "halving"), [(2, 2), (4, 3), (9, 3), (10, 2), (30, 3)])
def test_halving_compares_at_the_learning_rate_it_is_to_judge(schedule, epochs, halving):
    """A rate that diverges at its peak is ahead at a hundredth of it: no rung may rank inside a warm-up."""
    base = BASE.replace(schedule=schedule, epochs=epochs, until=epochs)
    grid = {"lr": (0.1, 3.0)}
    first = plan(BASE.replace(epochs=epochs, until=epochs), "sweep", grid, halving=halving).rungs[0]
    peak = max(learning_rate(base, epoch) for epoch in range(first))
    if peak > 0.99 * base.lr:
        assert plan(base, "sweep", grid, halving=halving).rungs[0] == first
        return
    sentence = f"ranks after {first} of {epochs} epochs, before the schedule '{schedule}'"
    with pytest.raises(InputError, match=sentence) as caught:
        plan(base, "sweep", grid, halving=halving)
    advised = str(caught.value).partition("expected --schedule ")[2].replace(" or ", ", ").split(", ")
    assert "constant" in advised
    for name in advised:
        assert plan(base.replace(schedule=name), "sweep", grid, halving=halving).rungs


def test_a_warm_up_is_refused_among_the_values_of_a_grid_too():
    with pytest.raises(InputError, match="schedule 'one-cycle'"):
        plan(BASE, "sweep", {"schedule": ("constant", "one-cycle")}, halving=3)
    assert plan(BASE.replace(schedule="documents"), "sweep", {"lr": (0.1, 3.0)})  # nothing is ranked


def test_names_are_those_of_folders():
    assert name_of({"lr": 1e9, "seed": 1}) == "lr-1e09_seed-1"
    long = name_of({"architecture": "conv16 pool conv32 pool conv64 dense100 dense100", "seed": 12})
    other = name_of({"architecture": "conv16 pool conv32 pool conv64 dense100 dense101", "seed": 12})
    assert len(long) <= 64 and long != other and long.endswith("_seed-12") and " " not in long


def test_values_are_those_of_the_settings():
    assert parse_values("hidden=512x512,300") == ("architecture", ("dense512 dense512", "dense300"))
    assert parse_values("shuffle=yes,no") == ("shuffle", (True, False))
    assert parse_values("batch-size=1,16") == ("batch_size", (1, 16))
    assert parse_bounds("lr=1e-4:1e-1") == ("lr", (1e-4, 1e-1))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--grid", "lr"], "expected a setting and its values"),
        (["--grid", "rate=1"], "'rate', which is not a setting: expected one of hidden, arch"),
        (["--grid", "seed=1,2"], "use --seeds N"),
        (["--grid", "lr=fast"], "--grid lr has the value 'fast': expected a"),
        (["--grid", "lr=0.1,0.1"], "gives a value of lr twice"),
        (["--grid", "lr=0.1", "--grid", "lr=0.2"], "--grid names lr twice"),
        (["--range", "lr=1:2", "--range", "lr=3:4", "--random", "3"], "--range names lr twice"),
        (["--grid", "lr=-1"], "--grid lr has the value '-1': expected a finite number above 0"),
        (["--range", "lr=1:2"], "without --random N"),
        (["--random", "3", "--range", "lr=2:1"], "the lower bound first"),
        (["--grid", "lr=0.1,0.2", "--halving", "2"], "expected --val N too"),
        (["--grid", "lr=0.1,0.2", "--halving", "1", "--val", "9"], "--halving is 1"),
        (["--grid", "lr=0.1,3", "--halving", "3", "--val", "9"], "expected --schedule cosine, "),
        (["--grid", "lr=0.1", "hidden"], "--grid is 'hidden': expected a setting and its values"),
        (["--grid", "lr=0.1", "--seeds", "0"], "--seeds is 0"),
        (["--grid", "lr=0.1", "--workers", "0"], "--workers is 0"),
        (["--grid", "lr=0.1", "--name", "../x"], "cannot be called"),
        (["--grid", "lr=0.1", "--engine", "local", "--scheduler", "tcp://here:1"], "omit one of them"),
        (
            ["--grid", "lr=0.1,0.2", "--halving", "2", "--val", "9", "--grid", "epochs=1,2"],
            "expected epochs not to vary",
        ),
        (["--grid", "lr=0.1", "--range", "lr=1:2", "--random", "3"], "lr is given by --grid and by --range"),
        (["--grid", "hidden=0x5"], "expected units joined by x"),
        (["--grid", "shuffle=maybe"], "'maybe': expected true or false"),
        (["--range", "lr=1", "--random", "3"], "a number and two bounds"),
        (["--range", "shuffle=1:2", "--random", "3"], "a number and two bounds"),
        ([], "nothing varies"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path, monkeypatch, capsys, words, sentence):
    settle(monkeypatch, tmp_path)
    assert sentence in refusal(capsys, "sweep", "cnn", "--data", "synthetic", "--ui", "quiet", *words)


def test_configurations_from_python():
    made = plan_of({"lr": lr, "network": "mlp-512-512"} for lr in (0.1, 0.2))
    assert [trial.name for trial in made.trials] == ["lr-0.1_seed-0", "lr-0.2_seed-0"]
    assert made.trials[0].settings.batch_size == 16
    for wrong, sentence in (([], "no configurations"), ([{"rate": 1}], "unknown setting 'rate'"), ([{}, {}], "twice")):
        with pytest.raises(InputError, match=sentence):
            plan_of(wrong)


@pytest.mark.parametrize(
    ("cores", "trials", "workers", "threads", "expected"),
    [(8, 30, None, None, (8, 1)), (8, 3, None, None, (3, 2)), (8, 30, 2, None, (2, 4)), (8, 30, None, 4, (2, 4)),
     (1, 5, None, None, (1, 1)), (2, 5, 4, None, (4, 1)), (2, 1, None, None, (1, 2))],
)  # fmt: skip
def test_cores_are_shared_out(monkeypatch, cores, trials, workers, threads, expected):
    monkeypatch.setattr(worker_pool.threads, "usable_cores", lambda: cores)
    assert worker_pool.divide_cores(trials, workers, threads) == expected


def test_time_left_is_what_is_left_at_this_pace(monkeypatch, tmp_path):
    rows = [Row(name, "", {"seed": 0}, 10) for name in "abcd"]
    rows[0].epoch, rows[0].status = 10, DONE
    board = Board("repeat cnn", tmp_path, rows, 40.0)
    now = board.began
    monkeypatch.setattr("jitnet.history.board.time.monotonic", lambda: now)
    board.start_clock()
    assert board.left_s() is None
    rows[1].epoch, rows[1].status = 5, RUNNING
    now += 50.0
    assert board.left_s() == pytest.approx(250.0)  # 25 epochs at 10 s each
    rows[2].status = LOST
    assert board.left_s() == pytest.approx(150.0)


def test_a_sweep_read_back(tmp_path, monkeypatch, capsys):
    """compare, plot and report take a sweep's folder; its runs are those of the record that have begun."""
    import json

    from jitnet.cli import main

    digits(settle(monkeypatch, tmp_path))
    sweep = tmp_path / "runs" / "s"
    trials = [{"name": f"lr-{lr}_seed-{k}", "group": f"lr={lr}", "varied": {}} for lr in (1, 2) for k in (0, 1)]
    for place, trial in enumerate(trials[:3]):
        write_run(sweep, trial["name"], [90.0, 91.0 + place])
    record = {"schema": 1, "kind": "sweep", "title": "sweep cnn", "argv": ["jitnet", "sweep"], "trials": trials}
    (sweep / "sweep.json").write_text(json.dumps(record))
    (sweep / "table.csv").write_text("trial,status,lr,message\nlr-1_seed-0,done,1,\nlr-2_seed-0,diverged,2,nan\n")
    assert main(["runs", "compare", "s"]) == 0
    shown = capsys.readouterr().out
    assert "91.50 ± 0.71 %" in shown and "diverged" in shown and shown.index("lr=2 ") < shown.index("lr=1 ")
    assert main(["runs", "compare", "s", "--csv"]) == 0
    assert "lr=1,2,2," in capsys.readouterr().out
    assert main(["runs", "compare", "s", "runs/s/lr-1_seed-0", "--markdown"]) == 0
    assert capsys.readouterr().out.splitlines()[2].count("lr-1_seed-0") == 2
    assert main(["report", "s"]) == 0
    page = (sweep / "report.html").read_text()
    assert "91.50 ± 0.71 %" in page and "1 done, 1 diverged" in page and "<polyline" in page
    (sweep / "sweep.json").write_text(json.dumps(record | {"schema": 99}))
    assert "update jitnet" in refusal(capsys, "runs", "compare", "s")


def test_a_configuration_without_a_figure_has_a_place_all_the_same():
    """Of sweeps that have only begun: no epoch, or not the figures of the others."""
    rows = [describe(0, "test_loss", [1.0, 3.0])]
    (table,) = statistics_tables({"lr=1": [], "lr=2": rows, "lr=3": [describe(0, "train_loss", [0.5])]})
    rows = [tuple(map(cell_text, line)) for line in table.rows]
    assert [line[:3] for line in rows] == [("lr=2", "1", "2"), ("lr=1", "0", "0"), ("lr=3", "1", "1")]
    assert rows[0][table.head.index("test loss")] == "2.000000 ± 1.414214"
    assert {line[table.head.index("test loss")] for line in rows[1:]} == {NONE}
    assert statistics_tables({"": []}) == []
