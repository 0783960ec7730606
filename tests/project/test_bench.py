"""The benchmarks: small runs end to end; a wrong peer gets no ratio; absent peers are named."""

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench import busy, compare, kernels, measure, race, readme, records, report, rows, scaling, start
from bench.measure import Timing
from bench.peers import JITNET, PEERS, Entry
from bench.peers.process import PeerError, PeerProcess
from jitnet.errors import InputError
from jitnet.export import twin

ROOT = Path(__file__).resolve().parents[2]
POPEN = subprocess.Popen
MLP_ROW = rows.Row("tiny", "a small MLP", "dense12 dense10", 1, 0.05, 64, 16, 1e-4)
CNN_ROW = rows.Row("tiny", "a small CNN", "conv3 pool conv4 dense10", 4, 0.05, 64, 8, 1e-4)
INFER_ROW = rows.Row("tiny", "a small CNN", "conv3 pool conv4 dense10", 0, 0.0, 64, 32, 1e-4)

WRONG = """
from bench.peers.numpy_peer import Peer as Right

class Peer(Right):
    def train(self, steps, batch, lr):
        return super().train(steps, batch, 1.01 * lr)  # a step one percent too large
"""
CHOOSY = """
from bench.peers.numpy_peer import Peer as Right

class Peer(Right):
    @staticmethod
    def variants(network):
        return [{"compiled": True}, {}]

    def __init__(self, *arguments, compiled=False):
        super().__init__(*arguments)
        if compiled:
            raise RuntimeError("no compiler here\\nand a long story about it")
"""
CRASHING = """
import os
from bench.peers.numpy_peer import Peer as Right

class Peer(Right):
    @staticmethod
    def variants(network):
        return [{"good": True}, {"good": False}]

    def __init__(self, *arguments, good):
        if not good:
            os._exit(1)
        super().__init__(*arguments)
"""
SILENT = """
import os, time
from bench.peers.numpy_peer import Peer as Right

class Peer(Right):
    @staticmethod
    def variants(network):
        os.closerange(3, 64)  # the pipe of the answers among them
        time.sleep(600)
"""
FAILING = """
from bench.peers.numpy_peer import Peer as Right

class Peer(Right):
    def train(self, steps, batch, lr):
        print("noise on standard output")
        raise RuntimeError("out of order")
"""


@pytest.fixture
def peers(tmp_path, monkeypatch):
    """Peers from modules written here, in addition to those of the project."""
    (tmp_path / "wrong_peer.py").write_text(WRONG)
    (tmp_path / "choosy_peer.py").write_text(CHOOSY)
    (tmp_path / "crashing_peer.py").write_text(CRASHING)
    (tmp_path / "silent_peer.py").write_text(SILENT)
    (tmp_path / "failing_peer.py").write_text(FAILING)
    (tmp_path / "absent_peer.py").write_text("import a_package_that_is_not_here\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    own = [entry for entry in PEERS if entry.name in (JITNET, "loops", "numpy")]
    names = ("wrong", "choosy", "crashing", "failing", "absent")
    return own + [made_entry(name) for name in names]


def made_entry(name):
    """Return what the benchmark knows of a peer written here."""
    return Entry(name, name, f"{name}_peer", f"pip install {name}")


def run(row, peers, folder, busy=0):
    """Measure one row with tiny runs; return the results by peer."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (64, 12, 12, 1), dtype=np.uint8)
    rows.write_inputs(folder, images, rng.integers(0, 10, 64).astype(np.uint8), {row.network})
    options = race.Options(rounds=2, seconds=0.001, images=64, threads=(1,), busy=busy)
    shares = []
    with race.Pool({}) as pool:
        presence = pool.presence(peers)
        here = [peer for peer in peers if "absent" not in presence[peer.name] and race.takes_part(peer, row)]
        results = race.run_row(row, here, pool, folder, options, lambda text, share: shares.append(share))
    assert shares == sorted(shares) and shares[-1] == 1
    return {result.peer: result for result in results}, presence


def test_a_wrong_peer_gets_no_ratio_and_a_failing_one_says_why(peers, tmp_path):
    results, presence = run(MLP_ROW, peers, tmp_path)
    for name in ("loops", "numpy"):
        assert results[name].agrees and results[name].difference < 1e-5
        # On a busy machine a run may be far slower than its trial: then no ratio is given, and the reason is stated.
        ratio = results[name].ratio
        assert (ratio is None) == results[name].disturbed and (ratio is None or len(ratio.values) == 2)
    wrong = results["wrong"]
    assert wrong.seconds is not None and wrong.ratio is None and wrong.difference > MLP_ROW.tolerance
    assert report.faster(wrong).startswith("no ratio: losses differ by")
    assert results["failing"].seconds is None and "out of order" in report.faster(results["failing"])
    failed, taken = results["choosy"].trials
    assert failed["compiled"] and failed["problem"] == "RuntimeError: no compiler here"
    assert taken["seconds_per_image"] > 0 and results["choosy"].agrees
    _, crashed = results["crashing"].trials
    assert crashed["problem"] == "its process has ended", "one variant's crash costs the others nothing"
    assert results["crashing"].agrees and results["crashing"].seconds is not None
    assert "absent" not in results and "a_package_that_is_not_here" in presence["absent"]["absent"]


def test_runs_next_to_busy_processes_are_recorded(peers, tmp_path):
    results, _ = run(MLP_ROW, [peers[0], peers[2]], tmp_path, busy=1)
    for result in results.values():
        assert len(result.busy_seconds.values) == 2 and result.slowdown > 0
        assert result.slowdown == result.busy_seconds.median / result.seconds.median
    plain = [compare._plain(result) for result in results.values()]
    record = {"options": {"busy": 1}, "rows": [{"title": "a small MLP", "results": plain}]}
    (line,) = report._next_to_busy(record)
    assert line.startswith("a small MLP, times as long next to 1 busy process: ") and "jitnet" in line
    assert report._next_to_busy({"options": {"busy": 0}, "rows": []}) == []


def test_busy_processes_are_busy_and_end(monkeypatch):
    started = []
    monkeypatch.setattr(busy.subprocess, "Popen", lambda *a, **k: started.append(POPEN(*a, **k)) or started[-1])
    with pytest.raises(KeyError), busy.busy_processes(2):
        assert len(started) == 2 and all(process.poll() is None for process in started)
        raise KeyError("they end all the same")
    assert all(process.poll() is not None for process in started)


def test_a_variant_that_fails_is_named_below_the_table():
    record = records.read(readme.newest("compare"), "compare")
    record["options"]["compiled"] = True
    record["rows"][0]["results"][0]["trials"].append({"problem": "RuntimeError: no compiler here"})
    assert "jitnet: a variant was excluded: RuntimeError: no compiler here" in report.notes(record)


@pytest.mark.parametrize("row", [CNN_ROW, INFER_ROW], ids=["train", "infer"])
def test_peers_agree_on_convolutions(row, peers, tmp_path):
    results, _ = run(row, peers[:3], tmp_path)
    assert all(result.agrees and result.difference < 1e-5 for result in results.values())
    assert ("loops" in results) == row.infers


def test_the_cpp_twin_agrees_on_one_network_after_another(peers, tmp_path):
    """In one process: the second library gets its own network."""
    if twin.find_compiler() is None:
        pytest.skip("no C++ compiler was found: install g++ or clang")
    entry = next(entry for entry in PEERS if entry.name == "cpp")
    own = race.Pool.get
    with race.Pool({}) as pool:
        process = own(pool, entry, 1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(race.Pool, "get", lambda self, *key: process if key[0] is entry else own(self, *key))
            for row in (CNN_ROW, MLP_ROW, INFER_ROW):
                results, _ = run(row, [peers[0], entry], tmp_path)
                assert results["cpp"].agrees and results["cpp"].difference < 1e-5, row


def test_without_a_compiler_the_twin_is_absent_and_told_how_to_get_one(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    entry = next(entry for entry in PEERS if entry.name == "cpp")
    process = PeerProcess(entry, 1)
    process.close()
    assert "c++" in process.absent and "apt-get install g++" in entry.install


def test_the_loops_learn_as_jitnet_does_on_convolutions(peers, tmp_path):
    row = rows.Row("tiny", "a small CNN", CNN_ROW.network, 1, 0.05, 64, 8, 1e-4)
    results, _ = run(row, peers[:3], tmp_path)
    assert results["loops"].agrees and results["loops"].compared == 2 and results["numpy"].difference < 1e-5


def test_where_images_are_few_fewer_steps_are_checked(peers, tmp_path):
    row = rows.Row("tiny", "a small MLP", MLP_ROW.network, 24, 0.05, 64, 5, 1e-4)
    results, _ = run(row, peers[:1] + peers[2:3], tmp_path)
    assert results["numpy"].compared == 2 and results["numpy"].agrees


@pytest.mark.parametrize(("trial", "has_ratio"), [(1.0, True), (1e-9, False)])
def test_a_hindered_peer_gets_no_ratio(trial, has_ratio, peers, tmp_path, monkeypatch):
    """A ratio to a peer that other programs slowed down would be too good for jitnet."""
    tried = race._try
    monkeypatch.setattr(race, "_try", lambda *args: (trial, *tried(*args)[1:]))
    monkeypatch.setattr(race, "_images", lambda *args: 16)
    results, _ = run(MLP_ROW, peers[:1] + peers[2:3], tmp_path)
    assert (results["numpy"].ratio is not None) == has_ratio and results["numpy"].agrees
    assert has_ratio or report.faster(results["numpy"]) == "no ratio: far slower than its own trials"


def test_a_crash_is_seen_at_once_and_by_every_later_question(peers):
    """The pipe may end before the process is gone: a second question waited for ten minutes."""
    process = PeerProcess(made_entry("silent"), 1)
    for _ in range(2):
        with pytest.raises(PeerError, match="its process has ended"):
            process.ask("variants", network="dense10")
    assert process.ended()
    process.close()


def test_an_interpreter_that_is_not_there_is_no_accident():
    process = PeerProcess(PEERS[0], 1, str(ROOT / "no" / "python"))
    assert process.absent
    process.close()


def test_runs_are_taken_in_turn(monkeypatch):
    calls, pauses = [], []
    monkeypatch.setattr(measure.time, "sleep", lambda seconds: pauses.append((len(calls), seconds)))
    runs = {name: lambda name=name: calls.append(name) or float(len(calls)) for name in "ab"}
    found = measure.in_turn(runs, 3, pause_s=0.5)
    assert "".join(calls) == "ababab"
    assert pauses == [(before, 0.5) for before in range(6)], "a pause before each run: the pool of another may spin"
    assert found["b"].values == (2.0, 4.0, 6.0) and found["b"].median == 4 and found["b"].spread == 0.5
    assert measure.ratio(found["b"], found["a"]).values == (2.0, 4 / 3, 6 / 5)


def test_repeats_fill_the_time():
    assert measure.repeats_for(lambda repeats: repeats * 1e-4, 0.01) == 100
    assert measure.repeats_for(lambda repeats: 5.0, 0.01) == 1


def test_a_row_that_jitnet_loses_is_shown():
    result = race.Result("torch", "PyTorch", threads=2, images=64, agrees=True, compared=8)
    result.seconds, result.ratio = Timing((1e-5, 2e-5)), Timing((0.5, 0.75))
    console = report.console()
    with console.capture() as shown:
        console.print(report.table([(MLP_ROW, [result])]))
    assert "PyTorch" in shown.get() and "0.62  (0.50 to 0.75)" in shown.get()


def bench(name, *arguments, **variables):
    """Run a benchmark as a user does, from another folder."""
    command = [sys.executable, str(ROOT / "bench" / name), *arguments]
    environment = os.environ | variables
    return subprocess.run(command, env=environment, cwd=ROOT / "tests", capture_output=True, text=True, timeout=120)


def names_no_place(text):
    """Check that a record has no paths, host names or user names."""
    assert str(ROOT) not in text and str(Path.home()) + os.sep not in text
    assert not re.search(rf"\b{re.escape(platform.node())}\b", text)


def test_compare_end_to_end(tmp_path):
    out = tmp_path / "result.json"
    done = bench("compare.py", "--quick", "--only", "mlp-1,numpy,jax", "--rounds", "2", "--json", "--out", str(out))
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record == json.loads(out.read_text())
    assert (record["benchmark"], record["format"]) == ("compare", records.FORMAT)
    assert set(record["peers"]) == {"jitnet", "numpy", "jax"} and record["context"]["minutes"] > 3782
    (row,) = record["rows"]
    assert row["name"] == "mlp-1" and row["tolerance"] == 1e-4
    for result in row["results"]:
        assert result["seconds"]["n"] == 2 and result["agrees"] and result["threads"] >= 1
        assert (result["ratio"] is None) == (result["peer"] == "jitnet" or result["disturbed"])
    if "absent" in record["peers"]["jax"]:
        assert "pip install jax" in " ".join(done.stderr.split())
    assert "take long to compile" in " ".join(done.stderr.split())
    assert "3,782 minutes" in " ".join(done.stderr.split())
    names_no_place(out.read_text())


def test_threads_are_compared_by_work_and_goals_are_marked():
    def row(name, threads, low, share, pieces=1, shape="7x7"):
        return {"name": name, "shape": shape, "note": "", "threads": threads, "pieces": pieces} | {
            "seconds": {"low": low}, "share": {"median": share},
        }  # fmt: skip

    step, conv = "whole step, 128 images", "conv2 forward"
    found = [row(conv, 1, 1.0, 0.8), row(conv, 2, 1.25, 0.7, 2), row(step, 1, 4.0, 0.5), row(step, 2, 2.5, 0.59)]
    kernels.compare_threads(found)
    assert [one.get("over_one_thread") for one in found] == [None, 1.6, None, 1.6]
    other = row(conv, 2, 0.1, 0.7, 2, "5x5")
    kernels.compare_threads([*found, other])
    assert "over_one_thread" not in other and found[1]["over_one_thread"] == 1.6  # another shape is another kernel
    assert [kernels.is_short(one) for one in found] == [False, False, False, True]
    assert kernels.is_short(row(conv, 1, 1.0, 0.74)) and not kernels.is_short(row("pool1 forward", 1, 1.0, 0.1))


def test_kernels_end_to_end(tmp_path):
    out = tmp_path / "result.json"
    done = bench("kernels.py", "--quick", "--only", "conv3 forward,pool2 forward", "--rounds", "2", "--out", str(out))
    assert done.returncode == 0, done.stderr
    record = json.loads(out.read_text())
    assert {row["name"] for row in record["rows"]} == {"conv3 forward", "pool2 forward"}
    for row in record["rows"]:
        assert row["seconds"]["n"] == 2 and row["peak_gflops"] > 0
        assert ("share" in row) == (row["flop"] > 0)
        assert ("over_one_thread" in row) == (row["threads"] > 1)
    assert "FMA peak of this run" in done.stdout
    names_no_place(out.read_text())


@pytest.mark.parametrize(
    ("costs", "cliff", "at"),
    [
        ((1.0, 1.1, 0.9, 0.8), False, 2),
        ((9.0, 3.0, 2.9), False, 3),
        ((1.0, 1.0, 1.6, 1.7), True, 3),
        ((1.0,), False, 1),
    ],
)
def test_a_cliff_is_a_jump_from_one_point_to_the_next(costs, cliff, at):
    found = scaling.steepest([{"value": place + 1, "cost": cost} for place, cost in enumerate(costs)])
    assert (found["cliff"], found["at"]) == (cliff, at)
    said = scaling.verdict({"name": "batch", "per_work": False} | found)
    assert (f"cliff at {at}:" in said) == cliff and ("no cliff" in said) != cliff


def test_scaling_end_to_end(tmp_path):
    out = tmp_path / "result.json"
    done = bench("scaling.py", "--quick", "--only", "threads,mlp-width", "--rounds", "2", "--out", str(out))
    assert done.returncode == 0, done.stderr
    record = json.loads(out.read_text())
    assert [curve["name"] for curve in record["curves"]] == ["threads", "mlp-width"]
    for curve in record["curves"]:
        assert curve["factor"] > 0 and f"{curve['name']}: " in done.stdout and "█" in done.stdout
        assert all(point["cost"] > 0 and point["seconds"]["n"] == 2 for point in curve["points"])
    names_no_place(out.read_text())


def test_a_first_start_counts_every_phase_of_compilation():
    """The last phase, which compiles what measures the machine, was taken for the whole."""
    phases = ("network", 18, 8.0, False), ("machine", 1, 0.5, False), ("loaded", 2, 0.25, True)
    events = [{"event": "RunStarted", "data": "mnist"}]
    for _, total, seconds, cached in phases:
        for index in range(total + 1):
            took = seconds * index / total
            events.append({"event": "Compiling", "index": index, "total": total, "seconds": took, "cached": cached})
    assert start.compilation(events) == {"seconds": 8.75, "kernels": 21, "cached": False}


def test_start_end_to_end(tmp_path):
    out = tmp_path / "result.json"
    arguments = ("--quick", "--only", "help,train,torch", "--python", f"torch={sys.executable}", "--out", str(out))
    stand_in = tmp_path / "stand-in"
    stand_in.mkdir()
    (stand_in / "torch.py").write_text("import json")
    done = bench("start.py", *arguments, PYTHONPATH=str(stand_in))
    assert done.returncode == 0, done.stderr
    record = json.loads(out.read_text())
    assert [row["name"] for row in record["rows"]] == ["help", "train", "torch"]
    shown, train, _ = record["rows"]
    assert shown["goal_s"] == 0.2 and shown["met"] == (shown["seconds"]["median"] <= 0.2)
    assert train["torch_imports"] > 1 and train["data"] and train["seconds"]["n"] == 1
    if hasattr(os, "wait4"):
        assert train["processor_s"] > shown["processor_s"] > 0
        assert train["memory"] > 50e6
    names_no_place(out.read_text())


def test_a_first_compilation_tells_its_own_seconds():
    case = next(case for case in start.CASES if case.name == "first")
    run = start.Run(30.0, 26.0, 10**8, {"seconds": 21.5, "kernels": 5, "cached": False}, "mnist")
    row = start._row(case, [run])
    assert (row["seconds"]["median"], row["command_s"], row["kernels"], row["met"]) == (21.5, 30.0, 5, False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("start.py", "--only", "stop"), "--only names stop"),
        (("start.py", "--only", "torch"), "expected --python torch=PATH too"),
        (("start.py", "--only", "torch", "--python", "torch=no/python", "--quick"), "no/python can't be started"),
        (("scaling.py", "--only", "depth"), "expected some of images-1, images, batch"),
        (("compare.py", "--only", "cnm"), "--only names cnm"),
        (("compare.py", "--python", "torch"), "expected PEER=PATH"),
        (("compare.py", "--rounds", "0"), "--rounds is 0"),
        (("compare.py", "--beside", "-1"), "--beside is -1"),
        (("kernels.py", "--only", "conv9"), "--only matches no kernel"),
    ],
)
def test_bad_input_is_told_in_a_sentence(arguments, said):
    done = bench(*arguments)
    assert done.returncode == 2 and said in " ".join(done.stderr.split()) and "Traceback" not in done.stderr


def test_peers_are_added_to_a_record_of_the_same_machine():
    def made(*peers, **changes):
        results = [{"peer": peer, "ratio": {"median": 2.0}} for peer in ("jitnet", *peers)]
        return {
            "machine": {"tile": "avx2", "cores": 2} | changes,
            "peers": {peer: {"label": peer.upper(), "versions": {}} for peer in ("jitnet", *peers)},
            "rows": [{"name": "cnn-1", "results": results}],
        }

    whole = compare.added(made("torch"), made("cpp", "torch"))
    assert [result["peer"] for result in whole["rows"][0]["results"]] == ["jitnet", "torch", "cpp"]
    assert list(whole["peers"]) == ["jitnet", "torch", "cpp"] and whole["added"] == ["CPP"]
    with pytest.raises(InputError, match="the record to add to has the tile avx2, this run avx512"):
        compare.added(made("torch"), made("cpp", tile="avx512"))
    with pytest.raises(InputError, match="has no rows mlp-1"):
        compare.added(made("torch"), made("cpp") | {"rows": [{"name": "mlp-1", "results": []}]})
