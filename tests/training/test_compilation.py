"""Compilation as a phase: its events, a damaged cache, none at all."""

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numba
import numpy as np
import pytest
from commands import TINY, digits, jitnet, result, settle, train

from jitnet.events import Compiling
from jitnet.kernels.compiler import cache, symbols, thread_pool
from jitnet.kernels.fast import batch, inference_groups
from jitnet.kernels.fast.per_sample import train_per_sample
from jitnet.machine import memory
from jitnet.model.architecture import parse
from jitnet.model.network import Network
from jitnet.training import compilation, kernel_list
from jitnet.training.compilation import compile_inference, compile_kernels
from jitnet.training.compilers import Compilers

NETWORK = Network(parse("conv2 pool dense4 dense3"), (6, 6, 1))
IMAGES = np.zeros((5, 6, 6, 1), np.uint8)
WORDS = ("train", "cnn", *TINY, "--epochs", "2", "--name", "run")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    return tmp_path


@pytest.mark.parametrize("batch_size", [1, 2, 10_000])
def test_events_count_up_and_the_second_time_is_cached(batch_size):
    list(compile_kernels(NETWORK, batch_size, IMAGES))
    events = list(compile_kernels(NETWORK, batch_size, IMAGES))
    assert all(isinstance(event, Compiling) for event in events)
    assert [event.index for event in events] == list(range(events[-1].total + 1))
    assert all(event.cached == (cache.CACHE_FOLDER is not None) for event in events)
    assert [event.seconds for event in events] == sorted(event.seconds for event in events)


@pytest.mark.parametrize("kernels", ["fast", "simple"])
def test_a_network_is_prepared_for_predictions_once_for_each_type(kernels):
    network = Network(parse("dense3"), (4, 4, 1), kernels=kernels)
    for dtype in (np.uint8, np.float32):
        images = np.zeros((1, 4, 4, 1), dtype)
        assert list(compile_inference(network, images)) and not list(compile_inference(network, images))
    another = Network(parse("dense3"), (4, 4, 1), kernels=kernels)
    assert list(compile_inference(another, images))


def mapped(array):
    array.flags.writeable = False
    return array


LAYOUTS = {  # as they come from pandas, from a mapped file, as every other row, and from the middle of a buffer
    "columns first": np.asfortranarray,
    "read-only": mapped,
    "every other": lambda array: array.repeat(2, axis=0)[::2],
    "not aligned": lambda array: (
        np.frombuffer(b"0" + array.tobytes(), np.uint8)[1:].view(array.dtype).reshape(array.shape)
    ),
}


@pytest.mark.parametrize("batch_size", [1, 2])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_compilation_serves_all_layouts_in_memory(layout, batch_size):
    images = np.random.default_rng(0).random((6, 5, 4, 2)).astype(np.float32)
    targets, driver = np.arange(6, dtype=np.uint8) % 3, batch.train_minibatch if batch_size > 1 else train_per_sample

    def trained(images, targets):
        network = Network(parse("conv2 pool dense4 dense3"), (5, 4, 2))
        network.initialise("he", 0)
        network.train_steps(images, targets, np.arange(6), batch_size, np.full(6 // batch_size, 0.1), np.zeros(1))
        logits = network.logits(images).tobytes()
        return logits, [kernel.signatures for kernel in (driver, inference_groups.predict_in_groups)]

    assert trained(LAYOUTS[layout](images), LAYOUTS[layout](targets)) == trained(images.copy(), targets.copy())


def test_the_pool_runs_before_a_kernel_is_loaded(monkeypatch):
    """numba forgets this for a kernel whose callee was in the cache when it was compiled: LLVM then aborts."""

    class Kernel:
        signatures = ()
        _cache = None

        def compile(self, signature):
            done.append("load")

    done: list[str] = []
    monkeypatch.setattr(thread_pool, "start_pool", lambda: done.append("pool"))
    monkeypatch.setattr(inference_groups, "predict_in_groups", Kernel())
    list(compile_kernels(NETWORK, 1, IMAGES))
    assert "load" in done and done[0] == "pool"


OUTPUT_LOSS, STEP = "layers.loss.output_loss", "layers.optimizer.optimizer_step"
DTYPES = ("float32", "uint8", "uint8", 1)


def compilers(tasks, count=2):
    return Compilers(tasks, count, DTYPES, lambda name: compilation.KERNELS[name].seconds)


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    """The folder of compiled kernels of the processes that a test starts."""
    monkeypatch.setenv("JITNET_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    return tmp_path


def test_other_processes_leave_kernels_in_the_cache_in_the_order_that_they_need(empty_cache):
    beats = 0
    with compilers({STEP: {OUTPUT_LOSS}, OUTPUT_LOSS: set()}) as made:
        while not made.finished:
            assert STEP not in made.running or OUTPUT_LOSS in made.done
            made.wait(0.05)
            beats += 1
            assert made.seconds_left() >= 0
    assert list(made.done) == [OUTPUT_LOSS, STEP] and beats > 5
    assert all(each.process.returncode is not None for each in made._workers)
    for name in (OUTPUT_LOSS, STEP):
        assert list(empty_cache.rglob(f"{'.'.join(name.split('.')[-2:])}-*.nbi"))


LINEAR = "fast.linear_batch_forward.linear_batch_forward"
CONTRACT = "fast.contraction.contract"


@pytest.mark.parametrize("name", [LINEAR, CONTRACT])
def test_another_process_compiles_one_kernel_alone(name, empty_cache):
    """A kernel knows a primitive by its address, and needs none to be compiled: each is compiled once, in any order."""
    with compilers({name: set()}, 1) as made:
        while not made.finished:
            made.wait(0.2)
    assert [path.name.partition("-")[0] for path in empty_cache.rglob("*.nbi")] == [".".join(name.split(".")[-2:])]


def test_what_is_compiled_on_its_own_is_listed():
    """With the time that it takes, and arguments of its types unless it is a primitive."""
    assert set(symbols.names()) <= set(compilation.KERNELS)
    listed = [name for name in compilation.KERNELS if name not in symbols.names()]
    assert set(listed) >= {*kernel_list.FORWARD, *kernel_list.BACKWARD, kernel_list.STEP, *kernel_list.INCLUDED}
    for name in compilation.KERNELS:
        assert callable(compilation._kernel(name)), name
    for name in listed:
        assert compilation.arguments_of(name, NETWORK, 2, IMAGES, np.zeros(1, np.uint8), NETWORK.plain_optimizer())


@pytest.mark.parametrize("batch_size", [1, 2, 10_000])
def test_each_kernel_is_a_task_that_waits_for_what_it_includes(batch_size, monkeypatch):
    given: dict[str, set[str]] = {}

    class Idle(Compilers):
        def __enter__(self):
            given.update(self.tasks)
            self.tasks.clear()
            return super().__enter__()

    monkeypatch.setattr(compilation, "Compilers", Idle)
    monkeypatch.setattr(compilation, "_is_cached", lambda *question: False)
    monkeypatch.setattr(compilation, "_is_primitive_cached", lambda *question: False)
    list(compile_kernels(NETWORK, batch_size, IMAGES))
    assert set(symbols.names()) <= set(given) <= set(compilation.KERNELS)
    for name, needs in given.items():
        assert needs == set(kernel_list.INCLUDED.get(name, ()))
    order = list(given)
    assert all(order.index(need) < order.index(name) for name, needs in given.items() for need in needs)


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
def test_training_one_image_at_a_time_compiles_no_gradient_of_batches():
    asked = """
from jitnet.kernels.compiler import symbols
import jitnet.kernels.fast.inference, jitnet.kernels.fast.per_sample
print(*symbols.names())
"""
    names = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True).stdout.split()
    assert CONTRACT in names and not [name for name in names if "conv_winograd_weight" in name]


@pytest.mark.parametrize(
    ("cores", "available", "free", "expected"),
    [
        (1, None, None, 1),
        (2, 1e12, 1e11, 2),
        (64, None, None, 4),
        (8, 1e9, 1e11, 3),
        (8, 1e12, 7e8, 2),
        (8, 1e8, 1e8, 1),
    ],
)
def test_as_many_processes_compile_as_cores_and_memory_allow(cores, available, free, expected, monkeypatch):
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", cores)
    monkeypatch.setattr(memory, "available", lambda: available and int(available))
    monkeypatch.setattr(memory, "free", lambda: free and int(free))
    assert compilation._processes() == expected


def test_the_other_processes_end_with_the_compilation():
    with compilers({"fast.batch_conv_backward.conv_blocks_backward": set()}) as made:
        made.wait(0.0)
        assert made.running and not made.finished
    assert all(each.process.returncode is not None for each in made._workers)


def test_a_process_that_dies_leaves_its_kernel_to_the_caller():
    with compilers({"fast.batch_conv_backward.conv_blocks_backward": set(), STEP: set()}, 1) as made:
        made.wait(0.0)
        made._workers[0].process.kill()
        made._workers[0].process.wait()
        made.wait(0.0)
        assert made.finished and not made.running


def test_without_other_processes_all_is_compiled_here(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    monkeypatch.setattr(compilation, "_is_cached", lambda *question: False)
    events = list(compile_kernels(NETWORK, 2, IMAGES))  # from the cache, in truth
    assert events[-1].index == events[-1].total and not events[0].cached
    monkeypatch.setattr(sys, "executable", "")
    events = list(compile_kernels(NETWORK, 2, IMAGES))
    assert [event.index for event in events] == list(range(events[-1].total + 1))


@pytest.mark.parametrize(
    ("images", "targets", "dtype"),
    [(np.uint8, np.zeros(1, np.uint8), np.float32), (np.float32, np.zeros((1, 1), np.float32), np.float32)],
)
def test_what_is_in_the_cache_is_known_by_its_types(images, targets, dtype, monkeypatch):
    """A kernel that is there for images of bytes is not there for floats: that compilation was not announced."""
    example = 1, np.zeros((1, 6, 6, 1), images), targets, NETWORK.plain_optimizer()
    arguments = compilation.arguments_of("fast.batch.train_minibatch", NETWORK, *example)
    signature = tuple(map(numba.typeof, arguments))
    kernel = compilation._kernel("fast.batch.train_minibatch")
    files = [signature] if cache.holds(kernel, signature) else []
    index = {kernel._cache._index_key(each, kernel.targetctx.codegen()): "name" for each in files}
    monkeypatch.setattr(type(kernel._cache._cache_file), "_load_index", lambda self: index)
    assert cache.holds(kernel, signature) == bool(files)
    other = tuple(map(numba.typeof, (*arguments[:-1], 3)))
    assert not cache.holds(kernel, other)


def test_an_index_that_cannot_be_read_holds_nothing(monkeypatch):
    kernel = compilation._kernel("fast.batch.train_minibatch")

    def damaged(self):
        raise EOFError

    monkeypatch.setattr(type(kernel._cache._cache_file), "_load_index", damaged)
    assert not cache.holds(kernel, ())


def test_what_others_wait_for_is_compiled_first():
    """The longest kernel came first: a driver that waits for eight short ones was begun when all else was done."""
    weights = {"long": 3.0, "longer": 4.0, "short": 1.0, "driver": 5.0}
    made = Compilers({"long": set(), "longer": set(), "short": set(), "driver": {"short"}}, 2, DTYPES, weights.get)
    made._workers, made._left = [], dict(made.tasks)
    begun: list[str] = []
    stdin = SimpleNamespace(write=begun.append, flush=lambda: None)
    worker = SimpleNamespace(name="", since=0.0, process=SimpleNamespace(poll=lambda: None, stdin=stdin))
    made._workers = [worker]
    while made._left:
        made._hand_out()
        assert made.seconds_left() > 0
        made.done[worker.name], worker.name = weights[worker.name], ""
    assert [name.strip() for name in begun] == ["short", "driver", "longer", "long"]
    made._left, made.done = dict(made.tasks), {"other": 1.0}
    weights["other"] = 1.0
    assert made.seconds_left() == 13.0  # one after the other
    made._workers = [worker] * 4
    assert made.seconds_left() == 6.0  # short, then driver


def test_time_left_follows_the_pace_of_this_machine():
    made = compilers({OUTPUT_LOSS: set(), STEP: set()}, 1)
    made._workers, made._left = [], dict(made.tasks)
    usual = made.seconds_left()
    name = "fast.batch.train_minibatch"
    made.done = {name: 10 * compilation.KERNELS[name].seconds}
    assert made.seconds_left() == pytest.approx(10 * usual)


def harmed(folder: Path, pattern: str, content: bytes) -> str:
    """Copy the compiled kernels and put something else into some of their files; return the folder."""
    assert cache.CACHE_FOLDER is not None
    copy = folder / "cache" / cache.CACHE_FOLDER.name
    shutil.copytree(cache.CACHE_FOLDER, copy)
    files = list(copy.rglob(pattern))
    assert files
    for file in files:
        file.write_bytes(content or file.read_bytes()[:-100])
    return str(folder / "cache")


def check_repair(folder: Path, pattern: str, content: bytes) -> None:
    wanted = result(train("wanted"))
    cache = harmed(folder, pattern, content)
    shown = jitnet(folder, *WORDS, NUMBA_CACHE_DIR=cache)
    said = shown.stderr.splitlines()  # a line for the network's kernels, and one for those that measure the machine
    assert shown.returncode == 0 and 1 <= len(said) <= 2, shown.stderr
    assert all("the cache of compiled kernels was damaged" in line for line in said), said
    names = ", ".join(line.rpartition(": ")[2] for line in said).split(", ")
    assert len(names) == len(set(names))
    assert result(folder / "runs" / "run") == wanted
    again = jitnet(folder, *WORDS[:-1], "again", NUMBA_CACHE_DIR=cache)
    assert again.returncode == 0 and again.stderr == "" and "compiling" not in again.stdout


def test_a_truncated_kernel_is_compiled_again(folder):
    check_repair(folder, "per_sample.train_per_sample-*.nbc", b"")


@pytest.mark.slow
@pytest.mark.parametrize("pattern", ["*.nbi", "*.nbc", "per_sample.*.nbi", "inference.predict_logits-*.nbc"])
@pytest.mark.parametrize("content", [b"", b"garbage"])
def test_any_damage_is_repaired(folder, pattern, content):
    check_repair(folder, pattern, content)


@pytest.mark.parametrize("content", [b"", b"garbage"])
def test_a_damaged_kernel_of_the_built_in_digits(folder, content):
    words = ("train", "cnn", "--arch", "dense4", "--data", "synthetic", "--limit", "20", "--epochs", "1")
    jitnet(folder, *words)
    shown = jitnet(folder, *words, NUMBA_CACHE_DIR=harmed(folder, "synthetic.*", content))
    assert shown.returncode == 0 and "compiled again: draw_digits" in shown.stderr


@pytest.mark.slow
def test_a_damaged_kernel_of_eval(folder):
    train("run")
    cache = harmed(folder, "inference.predict_logits-*", b"garbage")
    shown = jitnet(folder, "eval", "run", NUMBA_CACHE_DIR=cache)
    assert shown.returncode == 0 and "compiled again: predict_logits" in shown.stderr


@pytest.mark.slow
def test_without_a_cache_there_is_one_warning_and_the_same_result(folder):
    (folder / "file").touch()
    shown = jitnet(folder, *WORDS, NUMBA_CACHE_DIR="", JITNET_CACHE_DIR=str(folder / "file"))
    assert shown.returncode == 0 and shown.stderr.count("\n") == 1
    assert "no folder is writable for compiled kernels" in shown.stderr
    assert result(folder / "runs" / "run") == result(train("wanted"))


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        ({"NUMBA_CACHE_DIR": "/a", "JITNET_CACHE_DIR": "/b", "XDG_CACHE_HOME": "/c"}, "/a"),
        ({"JITNET_CACHE_DIR": "/b", "XDG_CACHE_HOME": "/c"}, "/b"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/jitnet"),
        ({"XDG_CACHE_HOME": "c"}, "/home/u/.cache/jitnet"),  # relative ones are to be ignored, says its standard
        ({"platform": "darwin"}, "/home/u/Library/Caches/jitnet"),
        ({"platform": "win32"}, "/home/u/AppData/Local/jitnet/Cache"),
        ({"platform": "win32", "LOCALAPPDATA": "/d"}, "/d/jitnet/Cache"),
    ],
)
def test_where_the_cache_is(monkeypatch, environ, place):
    for name in ("NUMBA_CACHE_DIR", "JITNET_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, environ.get(name, ""))
    monkeypatch.setenv("HOME", "/home/u")
    monkeypatch.setattr(cache.sys, "platform", environ.get("platform", "linux"))
    assert cache._user_cache() == Path(place)


def test_without_a_home_there_is_no_cache(monkeypatch):
    def nobody():
        raise RuntimeError("Could not determine home directory.")

    for name in ("NUMBA_CACHE_DIR", "JITNET_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(cache.Path, "home", nobody)
    assert cache._cache_folder() is None


def test_a_forked_process_is_told_what_it_lacks(monkeypatch):
    monkeypatch.setattr(thread_pool, "_pool_is_lost", True)
    with pytest.raises(RuntimeError, match="start it by multiprocessing's 'spawn'"), thread_pool.exclusive():
        pytest.fail("it was let in")
