"""No compilation is silent: where no view shows it, a notice does once it takes more than a second."""

import io

import numpy as np
import pytest
from processes import run

from jitnet import CNN, MLP, MLPRegressor
from jitnet.commands.support.progress_bar import Waiting
from jitnet.data.synthetic import draw
from jitnet.display.compiling import CompilationNotice
from jitnet.display.jsonlines import JsonLines
from jitnet.display.plain import Plain
from jitnet.estimators.watching import Watchers
from jitnet.events import Compiling, Event, Warned
from jitnet.printing import ONCE, say_once

X = np.random.default_rng(0).integers(0, 256, (4, 3, 3), np.uint8)
Y = np.array([0, 1, 0, 1])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def phase(cached: bool = False) -> list[Event]:
    """Two kernels, each of which is reported again while it compiles, ten seconds each."""
    beats: list[Event] = [
        Compiling(name=f"k{i}", index=i, total=2, cached=cached, seconds=10.0 * i + s, left_s=20.0 - 10 * i - s)
        for i in range(2)
        for s in (0.0, 0.5, 3.0, 9.0)
    ]
    return [*beats, Compiling(name="", index=2, total=2, cached=cached, seconds=20.0, left_s=0.0)]


def shown(stream, events) -> str:
    notice = CompilationNotice(stream)
    for event in events:
        notice.handle(event)
    return stream.getvalue()


def test_a_pipe_gets_one_line_and_a_terminal_one_that_goes_away():
    text = "jitnet compiles its kernels, about 17 s left; this happens once, later starts load them"
    assert shown(io.StringIO(), phase()) == f"{text}\n"
    live = shown(Terminal(), phase())
    assert text in live and "about 1.0 s left" in live and "\n" not in live and live.endswith("\r\x1b[K")


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_what_is_quick_or_loaded_is_not_announced(stream):
    assert shown(stream(), phase(cached=True)) == ""
    quick = [event for event in phase() if isinstance(event, Compiling) and (event.seconds < 1 or event.index == 2)]
    assert shown(stream(), quick) == "" and shown(stream(), [Warned(message="x")]) == ""
    CompilationNotice(None).handle(phase()[2])


def test_plain_lines_say_it_once_for_each_kernel_with_the_time_left():
    out = io.StringIO()
    view = Plain(out, io.StringIO(), lambda: 0.0)
    for event in phase():
        view.handle(event)
    assert out.getvalue().splitlines() == [
        "compiling kernels 1/2, about 20 s left (first run only)",
        "compiling kernels 2/2, about 10 s left (first run only)",
        "compiled 2 kernels in 20 s",
    ]


@pytest.mark.parametrize(
    ("index", "seconds", "left_s", "share"),
    [(1, 3.0, 1.0, 0.75), (1, 3.0, None, 0.5), (0, 0.0, 9.0, 0), (2, 5.0, 0.0, 1)],
)
def test_the_share_that_is_over_is_that_of_the_time_if_it_is_estimated(index, seconds, left_s, share):
    assert Compiling(name="k", index=index, total=2, cached=False, seconds=seconds, left_s=left_s).share == share


def test_json_has_a_sign_of_life_only_after_a_second():
    out, now = io.StringIO(), [0.0]
    view = JsonLines(out, lambda: now[0])
    for seconds in (0.0, 0.2, 0.9, 1.5, 1.7, 2.6):
        now[0] = seconds
        view.handle(Compiling(name="k", index=0, total=2, cached=False, seconds=seconds))
    assert out.getvalue().count("\n") == 3


SILENCE = pytest.mark.parametrize(("verbose", "said"), [(None, True), (1, True), (0, False), (False, False)])


@SILENCE
def test_a_fit_in_python_announces_its_compilation_unless_it_is_silenced(capsys, verbose, said):
    with Watchers(CNN(verbose=verbose)) as watchers:
        for event in phase():
            watchers.tell(event)
    shown = capsys.readouterr()
    assert ("compil" in shown.err) == said and shown.out == ""


@SILENCE
@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "transform", "score"])
def test_what_asks_a_trained_network_announces_its_compilation(monkeypatch, capsys, method, verbose, said):
    """As in a process that has only loaded the network; what is asked for is computed all the same."""
    monkeypatch.setattr("jitnet.estimators.estimator.compile_inference", lambda network, images: phase())
    model = MLP((2,), epochs=1, verbose=0).fit(X, Y)
    expected = getattr(model, method)(*((X, Y) if method == "score" else (X,)))
    capsys.readouterr()
    found = getattr(model.set_params(verbose=verbose), method)(*((X, Y) if method == "score" else (X,)))
    np.testing.assert_array_equal(found, expected)
    assert ("jitnet compiles its kernels" in capsys.readouterr().err) == said


def test_a_cache_without_a_folder_is_a_warning_of_predict_too(monkeypatch):
    model = MLPRegressor((2,), epochs=1, verbose=0).fit(X, Y)
    monkeypatch.setattr("jitnet.estimators.estimator.compile_inference", lambda *_: [Warned(message="no folder")])
    with pytest.warns(UserWarning, match="no folder") as caught:
        model.predict(X)
    assert caught[0].filename == __file__


def test_the_code_that_draws_digits_is_announced_in_a_pipe_and_in_python(monkeypatch, capsys):
    monkeypatch.setattr("jitnet.kernels.compiler.cache.is_ready", lambda *_: False)
    for load in (lambda: draw(0, 0, 1, say_once), lambda: draw(0, 0, 1, Waiting().report)):
        load()
        assert capsys.readouterr().err == f"jitnet compiles the code that draws the built-in digits{ONCE}\n"
    draw(0, 0, 1, Waiting(shown=False).report)
    Waiting().report("reading", 0.0)
    monkeypatch.undo()
    draw(0, 0, 1, say_once)
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_no_kernel_is_compiled_without_a_word(tmp_path):
    """With an empty cache, what programs and commands call compiles only where a notice can tell of it."""
    run(f"import os; os.chdir({str(tmp_path)!r})\n{UNHEARD}", JITNET_CACHE_DIR=str(tmp_path / "cache"))


UNHEARD = """
import sys, traceback, numba.core.event as event
import numpy as np, jitnet
from jitnet.cli import main

unheard = []
class Listener(event.Listener):
    depth = 0
    def on_start(self, started):
        frames = [frame.filename for frame in traceback.extract_stack()]
        names = ("training/compilation.py", "data/synthetic.py")
        if not self.depth and not any(frame.endswith(names) for frame in frames):
            unheard.append((started.data["dispatcher"].py_func.__name__, [f for f in frames if "jitnet" in f][-3:]))
        self.depth += 1
    def on_end(self, ended):
        self.depth -= 1
event.register("numba:compile", Listener())

x = np.pad(np.full((8, 18, 4), 255, np.uint8), ((0, 0), (5, 5), (12, 12)))
model = jitnet.load("reference-cnn")
for images in (x, x / 255):
    model.predict(images), model.predict_proba(images), model.transform(images)
model.feature_maps(x[:1])
np.save("p.npy", np.pad(np.full((18, 4), 255, np.uint8), ((5, 5), (12, 12))))
for words in (
    "play --out p.html", "export cpp reference-cnn --out twin", "augment --data synthetic --images 1",
    "gradcheck mlp --hidden 2 --side 8 --samples 1", "predict reference-cnn p.npy", "doctor",
    "train mlp --hidden 4 --data synthetic --limit 64 --epochs 1 --name a --ui plain", "eval a", "errors a", "trace a",
    "report a", "export onnx a --out a.onnx", "import onnx a.onnx --name b", "resume a --epochs 2",
    "train mlp --hidden 4 --data synthetic --limit 64 --epochs 2 --name c --ui plain", "ensemble a c",
    "train mlp --hidden 4 --data synthetic --limit 64 --epochs 1 --kernels simple --augment light --ui plain",
):
    assert main(words.split()) == 0, words
assert not unheard, unheard
"""
