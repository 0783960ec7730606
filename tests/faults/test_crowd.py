"""Many processes at once on one run name, one cache of data, one cold cache of kernels: nobody harms another."""

import multiprocessing
import subprocess
import sys
import time
import traceback
from pathlib import Path

import figures
import numpy as np
import pytest
from data_files import arrays, write_idx
from processes import ROOT, environment_with
from test_runfolder import create

from jitnet.data.content import sha256
from jitnet.data.readers import npy
from jitnet.data.sources import layouts
from jitnet.data.sources.cache import Cache
from jitnet.data.sources.known import PARTS
from jitnet.errors import InputError

CROWD = 8
ROUNDS = [3, pytest.param(20, marks=pytest.mark.slow)]


def together(act, rounds, *arguments):
    """Let a crowd call `act(round, *arguments)` at the same moment, round by round; return all answers by round."""
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(CROWD), context.SimpleQueue()
    crowd = [context.Process(target=repeat, args=(barrier, answers, act, rounds, arguments)) for _ in range(CROWD)]
    for process in crowd:
        process.start()
    found = [answers.get() for _ in range(CROWD * rounds)]
    for process in crowd:
        process.join()
    return [[answer for number, answer in found if number == this] for this in range(rounds)]


def repeat(barrier, answers, act, rounds, arguments):
    for number in range(rounds):
        barrier.wait()
        try:
            answers.put((number, act(number, *arguments)))
        except Exception:
            answers.put((number, traceback.format_exc()))


def take_the_name(number, folder):
    try:
        with create(folder, name=f"same-{number}") as run:
            return f"got {run.path.name}"
    except InputError as error:
        return str(error)


@pytest.mark.parametrize("rounds", ROUNDS)
def test_one_run_name(tmp_path, rounds):
    for number, answers in enumerate(together(take_the_name, rounds, tmp_path)):
        assert sorted(answers)[-1] == f"there is a run 'same-{number}' in {tmp_path} already: choose another --name"
        assert answers.count(f"got same-{number}") == 1 and len(set(answers)) == 2, answers
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"same-{number}" for number in range(rounds))
    figures.note("crowd", **{"names": {"processes": CROWD, "rounds": rounds, "collisions": 0}})


def without_a_name(number, folder):
    with create(folder) as run:
        return run.path.name


def test_runs_without_a_name_never_share_a_folder(tmp_path):
    names = [name for answers in together(without_a_name, 3, tmp_path) for name in answers]
    assert len(set(names)) == 3 * CROWD == len(list(tmp_path.iterdir()))


def fill(number, source, folder):
    cache = Cache(Path(folder, str(number)), lambda message: pytest.fail(message))
    raw = layouts.read(source, cache)
    hashes = {part: sha256(getattr(raw, part)) for part in PARTS}
    for entry in cache.files():  # what the others are writing right now
        assert entry.suffix == ".tmp" or sha256(npy.read_path(entry)) == entry.name.split(".")[-2]
    return hashes


@pytest.mark.parametrize("rounds", ROUNDS)
def test_one_cache_of_data(tmp_path, rounds):
    made = arrays() | {"x_train": np.random.default_rng(0).integers(0, 256, (4000, 28, 28), np.uint8)}
    made["y_train"] = np.arange(4000, dtype=np.uint8) % 10
    source = write_idx(tmp_path / "digits", made, compress=True)
    expected = {part: sha256(array) for part, array in made.items()}
    for answers in together(fill, rounds, source, tmp_path / "caches"):
        assert answers == [expected] * CROWD, answers
    for folder in (tmp_path / "caches").iterdir():
        assert len(list(folder.iterdir())) == 4
    figures.note("crowd", **{"data": {"processes": CROWD, "rounds": rounds, "bad reads": 0}})


COLD = """
import sys, time
from pathlib import Path
import numpy as np
while not Path(sys.argv[1]).exists():
    time.sleep(0.001)
from jitnet.kernels.compiler import cache
from jitnet.kernels.layers.optimizer import optimizer_step
from jitnet.model.optimizer import Optimizer
param, optimizer = np.ones(10_000, np.float32), Optimizer()
optimizer.start(param)
optimizer_step(optimizer.rule, param, param.copy(), optimizer.first, optimizer.second, 0.5, 1)
assert (param == 0.5).all() and not cache.DAMAGED
print(sum(optimizer_step.stats.cache_hits.values()))
"""


@pytest.mark.parametrize(("crowd", "rounds"), [(3, 1), pytest.param(CROWD, 20, marks=pytest.mark.slow)])
def test_one_cold_cache_of_kernels(tmp_path, crowd, rounds):
    """All compile, or load what another has just written; then one more loads it without a word."""

    def start(place, go):
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", COLD, str(go)], cwd=ROOT, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=environment_with(JITNET_CACHE_DIR=str(place), NUMBA_CACHE_DIR=""),
        )  # fmt: skip

    for number in range(rounds):
        place, go = tmp_path / str(number), tmp_path / f"go-{number}"
        processes = [start(place, go) for _ in range(crowd)]
        time.sleep(0.1)
        go.touch()
        for process in processes:
            out, err = process.communicate(timeout=120)
            assert process.returncode == 0 and err == "", err
        out, err = start(place, go).communicate(timeout=120)
        assert (out, err) == ("1\n", ""), err
    figures.note("crowd", **{"kernels": {"processes": crowd, "rounds": rounds, "damaged": 0}})
