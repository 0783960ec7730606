"""Many trials on processes of this machine: the bits of `train` alone, with any of them stopped or killed."""

import json
import os
import signal
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor, wait
from pathlib import Path

import many
import pytest
from commands import TINY, digits, refusal, result, rows, settle, train

import jitnet
from jitnet.cli import main
from jitnet.storage.checkpoint import content_hash, load

QUICK = (*TINY, "--epochs", "3", "--ui", "plain")
CONFIG = {
    "network": "cnn", "architecture": "conv2 pool dense4", "recipe": "documents", "init": "he", "lr": 0.1,
    "data": "digits", "epochs": 3,
}  # fmt: skip

VARIED = tuple(word for word in TINY if word not in ("--lr", "0.1"))  # where the learning rate varies


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    return tmp_path


def parameters(run: Path) -> str:
    tensors = load(run / "last.safetensors")[0]
    return content_hash({name: array for name, array in tensors.items() if "." in name})


def test_two_workers_give_the_bits_of_train(folder, capsys):
    assert main(["repeat", "cnn", *QUICK, "--seeds", "3", "--workers", "2", "--name", "r"]) == 0
    shown = capsys.readouterr().out
    assert "2 processes" in shown and "3 done" in shown and "95 % of the mean" in shown
    table = many.table(folder / "runs/r")
    for seed in range(3):
        alone = train(f"alone-{seed}", "--seed", str(seed), epochs=3)
        assert result(folder / f"runs/r/seed-{seed}") == result(alone)
        assert table[f"seed-{seed}"]["weights"] == parameters(alone)
        assert (alone / "config.toml").read_text() == (folder / f"runs/r/seed-{seed}/config.toml").read_text()
    statistics = (folder / "runs/r/statistics.csv").read_text().splitlines()
    assert statistics[0].startswith("configuration,epoch,figure,n,mean,sd") and len(statistics) == 1 + 3 * 3
    # The same command again trains nothing; a third seed more is one trial more.
    before = {path: path.stat().st_mtime_ns for path in (folder / "runs/r").glob("seed-*/last.safetensors")}
    assert main(["repeat", "cnn", *QUICK, "--seeds", "3", "--name", "r"]) == 0
    assert "seed-0" not in capsys.readouterr().out
    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert many.table(folder / "runs/r") == table
    assert "trained with other settings" in refusal(
        capsys, "repeat", "cnn", *QUICK, "--lr", "0.2", "--name", "r", "--ui", "quiet"
    )
    assert main(["ensemble", "r"]) == 0
    assert "ensemble of 3" in capsys.readouterr().out


def test_ctrl_c_ends_all_with_checkpoints_and_the_same_command_goes_on(folder):
    process = many.repeat(folder, "r", "--workers", "2")
    run = many.wait_for_epochs(process, folder / "runs/r")
    os.killpg(process.pid, signal.SIGINT)  # to the workers too, as a terminal would
    code, out, err = many.ended(process)
    assert code == 130 and "Traceback" not in out + err, err
    assert "stopped" in out and "continue with what is not done: jitnet repeat cnn" in out
    assert json.loads((run / "meta.json").read_text())["status"] == "stopped"
    assert 3 <= load(run / "last.safetensors")[0]["position"][0] < many.EPOCHS
    code, out, err = many.ended(many.repeat(folder, "r"))
    assert code == 0 and "2 done" in out, err
    for seed in range(2):
        alone = train(f"alone-{seed}", "--seed", str(seed), "--val", "40", epochs=many.EPOCHS)
        assert result(folder / f"runs/r/seed-{seed}") == result(alone)


def test_a_worker_is_started_with_the_interrupt_blocked(folder):
    """Once the first was not, and printed a traceback if Ctrl-C came while it started."""
    code = """
import signal
from jitnet.trials.worker_pool import LocalWorkers
if __name__ == "__main__":
    with LocalWorkers(1, 1) as workers:
        print(signal.SIGINT in workers.submit(signal.pthread_sigmask, signal.SIG_BLOCK, []).result())
"""
    assert many.ended(many.start(folder, "-c", code)) == (0, "True\n", "")


@pytest.mark.parametrize("end, code", [("os.killpg(0, signal.SIGHUP)", 0), ("sys.stdout.flush(); os._exit(130)", 130)])
def test_the_end_of_a_terminal_or_of_the_driver_leaves_no_complaint(folder, end, code):
    """Once multiprocessing's tracker died of SIGHUP, and told of leaked semaphores after a second Ctrl-C."""
    script = f"""
import os, signal, sys
from jitnet.trials.worker_pool import LocalWorkers
if __name__ == "__main__":
    signal.signal(signal.SIGHUP, lambda *caught: print("hung up"))
    with LocalWorkers(1, 1) as workers:
        print(workers.submit(abs, -1).result())
        {end}
        print(workers.submit(abs, -2).result())
"""
    said = "1\nhung up\n2\n" if code == 0 else "1\n"
    assert many.ended(many.start(folder, "-W", "default", "-c", script)) == (code, said, "")


def test_a_killed_worker_costs_nothing(folder):
    process = many.repeat(folder, "r", "--workers", "2")
    sweep = folder / "runs/r"
    run = many.wait_for_epochs(process, sweep)
    killed = many.kill_trainer(run)
    code, out, err = many.ended(process)
    assert code == 0 and "2 done" in out, err
    assert f"{run.name}: done, {many.EPOCHS} epochs" in out and "its worker was killed, another continued" in out
    assert json.loads((run / "meta.json").read_text())["pid"] != killed
    table = many.table(sweep)
    seed = table[run.name]["seed"]
    assert table.pop(run.name)["attempts"] == "2"
    assert [(row["attempts"], row["message"]) for row in table.values()] == [("1", "")]  # it never noticed
    assert result(run) == result(train("alone", "--val", "40", "--seed", seed, epochs=many.EPOCHS))


def test_workers_do_not_outlive_their_driver(folder):
    process = many.repeat(folder, "r", "--workers", "2")
    many.wait_for_epochs(process, folder / "runs/r")
    pids = [json.loads(file.read_text())["pid"] for file in (folder / "runs/r").glob("seed-*/meta.json")]
    process.kill()
    process.wait()
    try:
        for pid in pids:
            for _ in range(1000):
                if not _runs(pid):
                    break
                many.time.sleep(0.01)
            assert not _runs(pid)
    finally:
        many.end(process)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


@pytest.fixture
def threads():
    """An executor of this process: what does not concern processes is tested without starting any."""
    with ThreadPoolExecutor(2) as executor:
        yield executor


def test_any_executor_from_python(folder, threads):
    configs = [CONFIG | {"seed": seed, "lr": lr} for seed in (0, 1) for lr in (0.1, 1e30)]
    found = {row.name: row for row in jitnet.sweep(configs, threads, folder="runs/s")}
    assert {name: row.status for name, row in found.items()} == {
        "lr-0.1_seed-0": "done", "lr-0.1_seed-1": "done", "lr-1e30_seed-0": "diverged", "lr-1e30_seed-1": "diverged",
    }  # fmt: skip
    row = found["lr-0.1_seed-1"]
    alone = train("alone", "--seed", "1", epochs=3)
    assert row.weights == parameters(alone) and row.test_accuracy == float(rows(alone)[-1]["test_accuracy"])
    assert "the loss is nan at step 1" in found["lr-1e30_seed-0"].message
    again = list(jitnet.sweep(configs, threads, folder="runs/s"))
    assert {row.name: row.weights for row in again} == {row.name: row.weights for row in found.values()}


def test_halving_resumes_the_survivors_exactly(folder, threads):
    from jitnet.config import Settings
    from jitnet.trials.driver import Driver, board_of
    from jitnet.trials.folder import SweepFolder
    from jitnet.trials.plan import plan

    base = Settings.preset("cnn", **{k: v for k, v in CONFIG.items() if k != "network"}).replace(
        epochs=9, until=9, val=40, schedule="constant"
    )
    made = plan(base, "sweep", {"lr": (0.001, 0.05, 0.1)}, seeds=2, halving=3)
    with SweepFolder(folder / "runs/h", made, []) as opened:
        board = board_of(made, opened)
        for _ in Driver(made, opened, board, threads).run():
            pass
    finished = [row for row in board.rows if row.status == "done"]
    assert len(finished) == 2 and {row.status for row in board.rows} == {"done", "cut"}
    assert {row.epoch for row in board.rows if row.status == "cut"} == {1}
    assert board.trained == made.epochs == 2 * (3 * 1 + 1 * 2 + 1 * 6)
    options = ("--val", "40", "--schedule", "constant")
    kept = finished[0].varied["lr"]
    first = {row.varied["lr"]: 0.0 for row in board.rows}
    for row in board.rows:
        first[row.varied["lr"]] += float(rows(Path(row.path))[0]["val_accuracy"])
    assert first[kept] == max(first.values())
    alone = train("alone", "--lr", str(kept), "--seed", "1", *options, epochs=9)
    survivor = folder / "runs/h" / f"lr-{kept}_seed-1"
    assert result(survivor) == result(alone)
    cut = next(row for row in board.rows if row.status == "cut")
    assert main(["resume", cut.path, "--ui", "quiet"]) == 0  # a run that was cut is a run that was stopped
    alone = train("other", "--lr", str(cut.varied["lr"]), "--seed", str(cut.varied["seed"]), *options, epochs=9)
    assert result(Path(cut.path)) == result(alone)


def test_a_rate_that_breaks_the_network_is_not_kept(folder, capsys):
    """At a hundredth of its rate 3 would be ahead after the first rung of a warm-up, and the winner in the end."""
    words = ("--grid", "lr=3,0.1", "batch-size=8", "--halving", "2", "--val", "40", "--workers", "1", "--threads", "1")
    sweep = ("sweep", "cnn", *VARIED, "--epochs", "2", "--name", "s", "--ui", "plain", *words)
    assert "--schedule" in refusal(capsys, *sweep, "--epochs", "4")
    assert main([*sweep, "--schedule", "constant"]) == 0
    shown = capsys.readouterr().out
    found = many.table(folder / "runs/s")
    assert (
        found["lr-3_batch-size-8_seed-0"]["status"] == "cut" and found["lr-0.1_batch-size-8_seed-0"]["status"] == "done"
    )
    last = shown[shown.index("configurations, mean") :]
    assert last.index("lr=0.1 ") < last.index("lr=3 ")  # the best accuracy first


def test_what_varies_may_be_given_in_one_option_or_several(folder):
    """As the help shows it; NETWORK may come first or last."""
    rest = (*VARIED, "--epochs", "1", "--ui", "quiet", "--workers", "1", "--threads", "1")
    assert main(["sweep", "cnn", *rest, "--name", "one", "--grid", "lr=0.1,0.2", "batch-size=1,8"]) == 0
    several = ("--grid", "lr=0.1,0.2", "--grid", "batch-size=1,8", "cnn")
    assert main(["sweep", *rest, "--name", "several", *several]) == 0
    names = [sorted(many.table(folder / "runs" / name)) for name in ("one", "several")]
    assert names[0] == names[1] and len(names[0]) == 4


class Broken(Executor):
    """Does the first calls, then is gone, as a pool or a cluster may be."""

    def __init__(self, inner: Executor, calls: int, error: BaseException):
        self.inner, self.calls, self.error = inner, calls, error
        self.begun: list[Future] = []

    def submit(self, fn, /, *args, **kwargs):
        self.calls -= 1
        if self.calls >= 0:
            self.begun.append(self.inner.submit(fn, *args, **kwargs))
            return self.begun[-1]
        future: Future = Future()
        future.set_exception(self.error)
        return future


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (BrokenExecutor("gone"), "lost", "its worker was killed"),
        (CancelledError(), "lost", "the scheduler is gone"),
        (OSError("odd"), "failed", "OSError: odd"),
        (type("KilledWorker", (Exception,), {})("seed-1"), "lost", "its worker was killed, again and again"),
    ],
)
def test_an_executor_that_breaks_loses_nothing(folder, threads, error, status, message):
    configs = [CONFIG | {"seed": seed} for seed in range(3)]
    broken = Broken(threads, 2, error)
    found = {row.name: row for row in jitnet.sweep(configs, broken, folder="runs/s")}
    assert found["seed-0"].status in ("done", "stopped", "waiting")  # after the preparation, one call was let through
    assert {found[f"seed-{seed}"].status for seed in (1, 2)} == {status}
    assert message in found["seed-1"].message
    assert many.table(folder / "runs/s")["seed-2"]["status"] == status
    wait(broken.begun)  # else the next sweep finds the trial that is still being stopped
    after = {row.name: row.status for row in jitnet.sweep(configs, threads, folder="runs/s")}
    assert set(after.values()) == {"done"}


def test_what_an_earlier_call_stopped_comes_when_it_is_over(folder, threads, monkeypatch):
    """Not as it was left, while data and kernels are prepared."""
    configs = [CONFIG | {"seed": seed} for seed in range(2)]
    with monkeypatch.context() as patch:
        patch.setattr(
            "jitnet.trials.trial._is_stopped", lambda task: (folder / "runs/s/seed-0/last.safetensors").exists()
        )
        first = {row.name: row.status for row in jitnet.sweep(configs, threads, folder="runs/s")}
    assert first["seed-0"] == "stopped"
    later = [(row.name, row.status) for row in jitnet.sweep(configs, threads, folder="runs/s")]
    assert sorted(later) == [("seed-0", "done"), ("seed-1", "done")]


def test_other_data_are_refused_by_the_worker(folder, threads, monkeypatch):
    from jitnet.trials import trial

    def changed(tasks):
        found = trial.prepare(tasks)
        return found | {"data_sha256": "0" * 64}

    monkeypatch.setattr("jitnet.trials.driver.prepare", changed)
    (row,) = jitnet.sweep([CONFIG], threads, folder="runs/s")
    assert row.status == "failed" and "are not those of the other trials" in row.message
    assert not (folder / "runs/s/seed-0").exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"val": 10_000}, "--val"),
        ({"data": "nowhere"}, "differ in data: trials on other data are another sweep"),
        ({"architecture": "pool pool pool pool dense4"}, "pool"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is(folder, threads, change, sentence):
    with pytest.raises(jitnet.errors.InputError, match=sentence):
        list(jitnet.sweep([CONFIG, CONFIG | {"seed": 1} | change], threads, folder="runs/s"))
    assert not list((folder / "runs/s").glob("seed-*"))


def test_a_folder_in_use_is_refused(folder, threads):
    first = jitnet.sweep([CONFIG, CONFIG | {"seed": 1}], threads, folder="runs/s")
    next(first)
    with pytest.raises(jitnet.errors.InputError, match="being trained by process"):
        jitnet.sweep([CONFIG], threads, folder="runs/s")
    first.close()
    assert len(list(jitnet.sweep([CONFIG], threads, folder="runs/s"))) == 1


def test_a_worker_that_does_not_see_the_folder_says_so(folder, threads):
    from jitnet.trials.trial import run_trial

    task = {"folder": str(folder), "token": "x", "threads": 1, "name": "a"}
    with pytest.raises(jitnet.errors.InputError, match="on a disk that all machines share"):
        run_trial(task)
