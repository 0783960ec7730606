"""Many trials over Dask distributed: a cluster of our own, and one that runs already and loses its workers."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import many
import pytest
from commands import TINY, digits, environment, refusal, result, settle, train

from jitnet.cli import main

pytest.importorskip("distributed", reason="Dask distributed is not installed: pip install 'jitnet[dask]'")

QUICK = (*TINY, "--epochs", "3", "--ui", "plain")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    return tmp_path


def test_a_cluster_of_our_own_gives_the_bits_of_train(folder):
    words = ("repeat", "cnn", *QUICK, "--seeds", "3", "--engine", "dask", "--workers", "2", "--name", "r")
    code, out, err = many.ended(many.start(folder, "-m", "jitnet", *words))
    assert code == 0 and "Dask, 2 local workers, 1 thread each" in out and "3 done" in out, err
    assert err == ""
    for seed in range(3):
        assert result(folder / f"runs/r/seed-{seed}") == result(train(f"alone-{seed}", "--seed", str(seed), epochs=3))


def test_a_cluster_of_our_own_starts_next_to_another(folder):
    """Dask warned of its port, which the other one has."""
    with socket.socket() as other:
        with contextlib.suppress(OSError):  # then somebody has it already
            other.bind(("", 8787))
            other.listen()
        words = ("repeat", "cnn", *QUICK, "--seeds", "1", "--engine", "dask", "--workers", "1", "--name", "r")
        code, _, err = many.ended(many.start(folder, "-m", "jitnet", *words))
    assert (code, err) == (0, "")


def test_workers_of_our_own_cluster_hear_neither_ctrl_c_nor_the_end_of_a_terminal(folder):
    """Once they died of the latter, and the driver waited for them for ever."""
    code = """
import os, signal
from jitnet.trials.dask_engine import dask_workers
if __name__ == "__main__":
    signal.signal(signal.SIGHUP, lambda *caught: print("hung up"))
    with dask_workers(None, 1, 1) as (executor, *_):
        print(signal.SIGINT in executor.submit(signal.pthread_sigmask, signal.SIG_BLOCK, []).result())
        pid = executor.submit(os.getpid).result()
        os.killpg(0, signal.SIGHUP)
        print(pid == executor.submit(os.getpid).result())
"""
    assert many.ended(many.start(folder, "-c", code)) == (0, "True\nhung up\nTrue\n", "")


class Cluster:
    """A scheduler and two workers of one thread, on loopback, each a separate process."""

    def __init__(self, folder: Path):
        self.folder, self.processes = folder, []
        file = folder / "scheduler.json"
        self.scheduler = self._dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
        deadline = time.monotonic() + 120
        while not file.exists() or not file.read_text().endswith("}"):
            assert self.scheduler.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        self.address = json.loads(file.read_text())["address"]

    def worker(self, threads: int = 1) -> subprocess.Popen:
        return self._dask("worker", self.address, "--nthreads", str(threads), "--no-nanny", "--host", "127.0.0.1")

    def _dask(self, *words: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "dask", *words, "--no-dashboard"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, cwd=self.folder, env=environment(self.folder), **quiet)
        self.processes.append(process)
        return process

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def cluster(folder):
    made = Cluster(folder)
    yield made
    made.end()


def test_a_worker_killed_in_mid_run_then_the_scheduler(folder, cluster):
    workers = [cluster.worker(), cluster.worker()]
    process = many.repeat(folder, "r", "--scheduler", cluster.address)
    run = many.wait_for_epochs(process, folder / "runs/r")
    killed = many.kill_trainer(run)
    code, out, err = many.ended(process)
    assert code == 0 and f"Dask at {cluster.address}" in out and "2 done" in out, err
    assert [worker.poll() for worker in workers if worker.pid == killed] == [-signal.SIGKILL]
    table = many.table(folder / "runs/r")
    assert table[run.name]["message"] == "its worker was killed, another continued from its checkpoint"
    for name, row in table.items():
        alone = train(f"alone-{name}", "--val", "40", "--seed", row["seed"], epochs=many.EPOCHS)
        assert result(folder / "runs/r" / name) == result(alone)

    process = many.repeat(folder, "s", "--scheduler", cluster.address)
    many.wait_for_epochs(process, folder / "runs/s")
    cluster.scheduler.kill()
    code, out, err = many.ended(process)
    assert code == 1 and "the scheduler is gone" in out and "continue with what is not done" in out, out + err
    assert "Traceback" not in err
    assert {row["status"] for row in many.table(folder / "runs/s").values()} == {"lost"}
    code, out, err = many.ended(many.repeat(folder, "s"))  # without Dask, what was begun with it
    assert code == 0 and "2 done" in out, err
    assert result(folder / "runs/s/seed-0") == result(Path("runs/alone-seed-0"))


def test_what_is_no_cluster_for_us_is_refused(folder, cluster, capsys, monkeypatch):
    monkeypatch.setattr("jitnet.trials.dask_engine.PATIENCE_S", 1)
    words = ("repeat", "cnn", *TINY, "--epochs", "1", "--seeds", "2", "--ui", "quiet", "--scheduler")
    shown = refusal(capsys, *words, cluster.address)
    assert f"has no workers: start some by `dask worker {cluster.address} --nthreads 1" in shown
    cluster.worker(threads=2)
    monkeypatch.setattr("jitnet.trials.dask_engine.PATIENCE_S", 60)
    shown = refusal(capsys, *words, cluster.address)
    assert "has 2 threads" in shown and f"`dask worker {cluster.address} --nthreads 1" in shown
    monkeypatch.setattr("jitnet.trials.dask_engine.PATIENCE_S", 1)
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in refusal(capsys, *words, "tcp://127.0.0.1:9")


def test_without_dask_there_is_a_sentence(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    words = ("repeat", "cnn", *TINY, "--engine", "dask", "--ui", "quiet")
    assert "pip install 'jitnet[dask]'" in refusal(capsys, *words)
    assert os.listdir(folder / "runs")[0].startswith("repeat-cnn-")
    assert main(["runs", "list"]) == 0  # a sweep's folder is not a run
