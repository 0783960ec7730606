"""`jitnet doctor`: facts of this machine, and advice for each thing that can be better."""

import json
import os
import tomllib

import pytest
from commands import ROOT, settle
from data_files import arrays, tiny_mnist, write_idx

from jitnet.cli import main
from jitnet.commands import doctor
from jitnet.data.sources import known
from jitnet.errors import InputError
from jitnet.machine import load, memory
from jitnet.machine.load import cores_used_by_others

FINE = {
    "versions": {"jitnet": "1"},
    "processor": {"name": "x", "vector": "avx2", "vector_bytes": 32, "tile": [6, 16]},
    "threads": {"count": 2, "layer": "omp", "waiting": "gives way after 1000 reads"},
    "kernels": {"folder": "/cache", "files": 3, "bytes": 5, "compiled": {"batches": True, "prediction": True}},
    "data": {"mnist": "/data", "by": "cache"},
    "memory": {"bytes": 8e9, "free_bytes": 4e9},
    "disk": {"folder": "/runs", "free_bytes": 4e9, "writable": True},
    "load": {"cores": 2, "used_by_others": 0.1},
    "network": "/reference-cnn",
}
FAULTS = {  # place of a fact: its value, and a part of the advice
    "load.used_by_others": (1.4, "other processes use 1.4 of 2 cores. Training uses fewer"),
    "threads.count": (1, "1 of 2 cores are used"),
    "kernels.folder": (None, "set JITNET_CACHE_DIR"),
    "kernels.compiled": ({"batches": False, "prediction": True}, "Not compiled yet: batches. `jitnet warmup`"),
    "processor.vector": ("generic", "no AVX2"),
    "data.mnist": (None, "`jitnet data fetch`"),
    "memory.free_bytes": (2e8, "Only 200.0 MB of memory"),
    "disk.free_bytes": (3e7, "Only 30.0 MB of disk"),
    "disk.writable": (False, "--runs-dir DIR"),
}


@pytest.fixture(autouse=True)
def no_extras(monkeypatch):
    monkeypatch.setattr(doctor, "_EXTRAS", {})


def advice(**changes):
    facts = {name: dict(value) if isinstance(value, dict) else value for name, value in FINE.items()}
    for place, value in changes.items():
        group, name = place.split(".")
        facts[group][name] = value
    return list(doctor._advice(facts))


def test_nothing_is_wrong_with_a_fine_machine():
    assert advice() == []
    assert advice(**{"load.used_by_others": None, "memory.free_bytes": None}) == []  # where the system does not say


@pytest.mark.parametrize("place", FAULTS)
def test_each_fault_has_its_advice(place):
    value, said = FAULTS[place]
    (sentence,) = advice(**{place: value})
    assert said in sentence and sentence.endswith((".", "."))


def test_an_extra_that_is_missing(monkeypatch):
    monkeypatch.setattr(doctor, "_EXTRAS", {"no_such_module": ("image", "pictures")})
    assert advice() == ["For pictures: pip install 'jitnet[image]'."]


def test_this_machine(tmp_path, monkeypatch, capsys):
    settle(monkeypatch, tmp_path)
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(FINE) | {"command", "schema", "advice"} == set(found)
    assert found["threads"]["count"] >= 1 and found["processor"]["name"] and found["network"]
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert all(f"\n{name} " in f"\n{shown}" for name in ("versions", "threads", "kernels", "memory", "load"))


def test_the_load_is_that_of_others(tmp_path):
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 0 100 5000 0 0 0 0 0 0\n")
    assert cores_used_by_others(0.01, stat) == 0.0  # nothing changed, and never below 0
    assert cores_used_by_others(0.0, tmp_path / "none") is None
    stat.write_text("intr 1 2 3\n")
    assert cores_used_by_others(0.0, stat) is None


TICKS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice")


@pytest.mark.skipif(not hasattr(os, "sysconf"), reason="the length of a tick is not known there")
@pytest.mark.parametrize("kind", TICKS)
def test_a_core_is_busy_with_programs_and_interrupts(tmp_path, kind):
    """Not while it waits for a disk or for its host; what a guest uses is a part of `user` already."""
    ticks = [3 * os.sysconf("SC_CLK_TCK") * (name == kind) for name in TICKS]
    (tmp_path / "stat").write_text(f"cpu  {' '.join(map(str, ticks))}\ncpu0 9 9 9 9 9 9 9\n")
    assert load._busy_s(tmp_path / "stat") == (3 if kind in ("user", "nice", "system", "irq", "softirq") else 0)


def test_the_load_is_that_of_others_since_the_last_reading(monkeypatch):
    readings = [
        load._Reading(time, ours, all) for time, ours, all in ((0, 0, 50), (4, 4, 54), (10, 8, 63), (20, 9, 66))
    ]
    monkeypatch.setattr(load, "_read", lambda stat: readings.pop(0))
    others = load.OtherPrograms()
    assert [others.cores() for _ in range(3)] == [0, 0.5, 0.2]  # 4 seconds are too few


@pytest.mark.parametrize("name", ["memory.max", "memory/memory.limit_in_bytes"])  # of cgroup v2 and v1
def test_memory_is_that_of_the_machine_or_less_in_a_container(tmp_path, name):
    whole, file = memory.available(tmp_path), tmp_path / name
    file.parent.mkdir(exist_ok=True)
    for limit, there in ((4096, 4096), (1 << 62, whole or 1 << 62), ("max", whole)):
        file.write_text(f"{limit}\n")
        assert memory.available(tmp_path) == there


def test_memory_is_refused_from_the_first_byte_that_is_not_there(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 1_500_000_000)
    memory.require(1_500_000_000, "it")
    with pytest.raises(InputError, match=r"^it needs 1.5 GB of memory: expected at most the 1.5 GB of this machine"):
        memory.require(1_500_000_001, "it")


def test_free_memory(tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal:  200 kB\nMemAvailable:   100 kB\n")
    assert memory.free(tmp_path / "meminfo") == 102_400
    assert memory.free(tmp_path / "none") is None


def test_figures_are_those_of_this_machine(tmp_path, monkeypatch, capsys):
    settle(monkeypatch, tmp_path)
    monkeypatch.setattr(memory, "available", lambda: 8e9)
    monkeypatch.setattr(memory, "free", lambda: 3e9)
    monkeypatch.setattr(doctor.threads, "in_use", lambda: (3, "omp"))
    monkeypatch.setattr(doctor.threads, "usable_cores", lambda: 5)
    monkeypatch.setattr(doctor, "cores_used_by_others", lambda: 1.25)
    monkeypatch.setattr("jitnet.kernels.compiler.cache.CACHE_FOLDER", tmp_path / "kernels")
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")
    (tmp_path / "kernels" / "deeper").mkdir(parents=True)
    for place, size in (("a", 2_000_000), ("deeper/b", 500_000)):
        (tmp_path / "kernels" / place).write_bytes(bytes(size))
    assert main(["doctor", "--json", "--runs-dir", "new/runs"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["memory"] == {"bytes": 8e9, "free_bytes": 3e9}
    assert found["threads"] == {"count": 3, "layer": "omp", "waiting": "passive"}
    assert found["load"] == {"cores": 5, "used_by_others": 1.25}
    assert (found["kernels"]["files"], found["kernels"]["bytes"]) == (2, 2_500_000)
    assert (found["disk"]["folder"], found["disk"]["writable"]) == (str(tmp_path / "new/runs"), True)  # it can be made
    assert found["processor"]["tile"][1] * 4 == 2 * found["processor"]["vector_bytes"]  # two vectors of float32
    assert main(["doctor", "--runs-dir", "new/runs"]) == 0
    shown = capsys.readouterr().out
    for line in (
        "threads    3 (omp); one that waits: passive",
        f"kernels    2 files, 2.5 MB, in {tmp_path / 'kernels'}",
        "memory     3.0 GB free of 8.0 GB",
        "load       other processes use 1.2 of 5 cores",
        "data       MNIST is not found",
    ):
        assert f"\n{line}\n" in shown, line


def test_mnist_is_where_it_is_found_first(tmp_path, monkeypatch):
    settle(monkeypatch, tmp_path)
    monkeypatch.setenv("JITNET_CACHE_DIR", str(tmp_path / "kept"))
    monkeypatch.setattr(known, "MNIST", tiny_mnist())
    monkeypatch.setitem(known.KNOWN, "mnist", known.MNIST)
    assert doctor._data() == {"mnist": None, "by": None}
    copy, own = write_idx(tmp_path / "MNIST" / "raw", arrays()), write_idx(tmp_path / "mine", arrays())
    assert doctor._data() == {"mnist": str(copy), "by": "copy"}
    assert main(["data", "fetch", "--offline"]) == 0
    assert doctor._data() == {"mnist": str(tmp_path / "kept" / "data"), "by": "cache"}
    monkeypatch.setenv("JITNET_DATA", str(own))
    assert doctor._data() == {"mnist": str(own), "by": "JITNET_DATA"}
    monkeypatch.setenv("JITNET_DATA", str(tmp_path / "gone"))
    assert doctor._data() == {"mnist": None, "by": "JITNET_DATA"}


@pytest.mark.parametrize(
    ("by", "said"), [(None, "MNIST is not on this machine"), ("JITNET_DATA", "The folder in JITNET_DATA is not there")]
)
def test_why_mnist_is_missing_is_said(by, said):
    (sentence,) = advice(**{"data.mnist": None, "data.by": by})
    assert sentence.startswith(f"{said}: ")


@pytest.mark.parametrize(
    ("cores", "used", "others", "busy"),
    [(4, 4, 0.4, False), (4, 4, 0.6, True), (4, 2, 2.4, False), (4, 2, 2.6, True), (4, 1, 3.9, False)],
)
def test_a_machine_is_busy_if_others_use_cores_of_the_threads(cores, used, others, busy):
    facts = {"load.cores": cores, "threads.count": used, "load.used_by_others": others}
    assert any("busy" in sentence for sentence in advice(**facts)) == busy


def test_the_extras_that_are_advised_are_there_and_bring_the_module(monkeypatch):
    monkeypatch.undo()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for module, (extra, _) in doctor._EXTRAS.items():
        wanted = {"PIL": "pillow"}.get(module, module)
        assert any(wanted in each.lower() for each in extras[extra]), module
