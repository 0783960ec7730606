"""How many threads: what is requested, else the environment, else the cores, else the container's share."""

import contextlib
import os
import sys

import pytest
from commands import TINY, digits, jitnet

from jitnet.errors import InputError
from jitnet.machine import threads


@pytest.fixture
def before_numba(monkeypatch):
    """The state of a process that has not imported numba yet."""
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "")
    return monkeypatch


def test_what_is_asked_for_beats_the_environment_beats_the_quota(before_numba):
    before_numba.setattr(threads, "_cgroup_quota", lambda root: 1.0)
    before_numba.setattr(threads, "_cores", lambda: 8)
    before_numba.setenv(threads._OURS, "")
    threads.configure()
    assert os.environ["NUMBA_NUM_THREADS"] == "1"
    before_numba.setenv("NUMBA_NUM_THREADS", "3")
    threads.configure()
    assert os.environ["NUMBA_NUM_THREADS"] == "3"
    threads.configure(5)
    assert os.environ["NUMBA_NUM_THREADS"] == "5"


def test_the_environment_is_left_alone_where_numba_counts_the_same(before_numba):
    """joblib gives each of its processes a share of the cores, unless the variable is set."""
    before_numba.setattr(threads, "_cgroup_quota", lambda root: None)
    threads.configure()
    assert os.environ["NUMBA_NUM_THREADS"] == ""


def test_what_a_parent_has_set_is_no_users_wish(before_numba):
    before_numba.setattr(threads, "_cgroup_quota", lambda root: 4.0)
    before_numba.setattr(threads, "_cores", lambda: 8)
    before_numba.setenv("NUMBA_NUM_THREADS", "4")
    before_numba.setenv(threads._OURS, str(os.getppid()))
    before_numba.setenv("OMP_NUM_THREADS", "2")  # what joblib gives each of two processes
    threads.configure()
    assert os.environ["NUMBA_NUM_THREADS"] == "2"


def test_a_child_counts_again_what_its_parent_has_counted(before_numba):
    before_numba.setenv(threads._OURS, "")
    before_numba.delenv(threads._OURS)
    before_numba.setattr(threads, "_cores", lambda: 8)
    for pid, quota in ((1, 4.0), (2, 3.0)):
        before_numba.setattr(os, "getpid", lambda pid=pid: pid)
        before_numba.setattr(threads, "_cgroup_quota", lambda root, quota=quota: quota)
        threads.configure()
        assert os.environ["NUMBA_NUM_THREADS"] == f"{quota:g}"


def test_once_numba_is_there_its_pool_is_the_bound(monkeypatch):
    import numba

    monkeypatch.setattr(threads, "_requested", False)
    before = numba.get_num_threads()
    try:
        for asked, given in ((1024, numba.config.NUMBA_NUM_THREADS), (1, 1)):
            threads.configure(asked)
            assert threads.count() == given
    finally:
        numba.set_num_threads(before)


@pytest.mark.parametrize("fails", [False, True])
def test_a_limit_ends_with_its_block(fails):
    before = threads.count()
    with contextlib.suppress(KeyError), threads.limited(1):
        assert threads.count() == 1
        if fails:
            raise KeyError
    assert threads.count() == before


@pytest.mark.parametrize(("batch_size", "useful"), [(1, 2), (2, 8), (64, 8), (0, 8)])  # 0: all images
def test_two_threads_at_most_share_one_image(monkeypatch, batch_size, useful):
    monkeypatch.setattr(threads, "count", lambda: 8)
    assert threads.useful(batch_size) == useful


@pytest.mark.parametrize("asked", [0, -1, 1025])
def test_numbers_out_of_range_are_refused(before_numba, asked):
    with pytest.raises(InputError, match=f"--threads is {asked}: expected"):
        threads.configure(asked)
    before_numba.setenv("NUMBA_NUM_THREADS", str(asked))
    with pytest.raises(InputError, match=f"NUMBA_NUM_THREADS is '{asked}': expected"):
        threads.configure()


@pytest.mark.parametrize(
    ("files", "cpus"),
    [
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "50000 100000\n"}, 0.5),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu.max": "100000 0\n"}, None),
        ({"cpu.max": "what is this\n"}, None),
        ({"cpu.max": ""}, None),
        ({}, None),
    ],
)
def test_a_containers_quota(tmp_path, files, cpus):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert threads._cgroup_quota(tmp_path) == cpus


@pytest.mark.parametrize(("quota", "cores"), [(None, 8), (0.2, 1), (1.4, 1), (1.6, 2), (100.0, 8)])
def test_usable_cores(monkeypatch, quota, cores):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    monkeypatch.setattr(threads, "_cgroup_quota", lambda root: quota)
    assert threads.usable_cores() == cores


def test_in_use():
    count, layer = threads.in_use()
    assert count >= 1 and layer in ("omp", "tbb", "workqueue")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NUMBA_THREADING_LAYER", "\x1b[2J"),
        ("NUMBA_THREADING_LAYER", "tbb"),
        ("NUMBA_THREADING_LAYER_PRIORITY", "omp omp omp"),
    ],
)
def test_a_threading_layer_that_is_not_there_is_one_sentence(tmp_path, name, value):
    digits(tmp_path)
    done = jitnet(tmp_path, "train", "cnn", *TINY, "--epochs", "1", "--ui", "quiet", **{name: value})
    if value == "tbb" and done.returncode == 0:
        pytest.skip("tbb is there")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "\x1b" not in done.stderr, done.stderr
    assert done.stderr.startswith(f"jitnet: {name} is ") and not list(tmp_path.glob("runs/*"))


def test_a_tile_that_does_not_exist_is_refused(monkeypatch):
    from jitnet.kernels.compiler import tile

    assert set(threads.TILES) == set(tile.TILES)
    monkeypatch.setenv("JITNET_TILE", "sse")
    with pytest.raises(InputError, match="JITNET_TILE is 'sse': expected avx512, avx2, neon or generic"):
        threads.configure()
