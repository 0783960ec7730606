"""Each command that has --best, --weights, --data, --offline or --log opens what these name, and nothing else."""

import argparse
import shlex
import shutil

import pytest
from commands import digits, settle, train
from run_folders import write_run

from jitnet.cli import build_parser, main
from jitnet.commands.support import session, trained_run
from jitnet.data.sources import search
from jitnet.errors import InputError

COMMANDS = {  # a command that opens the network of `run`
    "predict": "predict run digit.png",
    "eval": "eval run",
    "errors": "errors run",
    "report": "report run",
    "ensemble": "ensemble run other",
    "play": "play run",
    "trace": "trace run",
    "export weights": "export weights run --out w.npz",
    "export cpp": "export cpp run --out twin",
    "export onnx": "export onnx run --out m.onnx",
    "export hub": "export hub run --out card",
}


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Two runs without checkpoints."""
    monkeypatch.chdir(tmp_path)
    for name in ("run", "other"):
        write_run(tmp_path / "runs", name, [90.0])


def parsers(parser: argparse.ArgumentParser, name: str = ""):
    """Yield each command and each of its actions by name, with its options."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for action in below:
        for word, inner in action.choices.items():
            yield from parsers(inner, f"{name} {word}".strip())
    if not below:
        yield name, parser._option_string_actions


def having(option: str) -> list[str]:
    """Return the names of the commands that have an option."""
    return sorted(name for name, options in parsers(build_parser()) if option in options)


def test_every_command_that_has_best_is_in_the_table():
    assert having("--best") == sorted(COMMANDS)


def opened(monkeypatch, words: str) -> list[tuple]:
    """Return what a command requests: of each network the run, the checkpoint and the weights."""
    asked = []

    def open_trained(source, runs_dir="runs", kind=None, weights=None):
        asked.append((str(source).rpartition("/")[2], kind, weights))
        raise InputError("opened")

    monkeypatch.setattr(trained_run, "open_trained", open_trained)
    assert main(shlex.split(words)) == 2
    return asked


@pytest.mark.parametrize("name", COMMANDS)
def test_the_newest_checkpoint_is_opened_and_with_best_the_best_one(runs, monkeypatch, name):
    names = ["run", "other"] if name == "ensemble" else ["run"]
    assert opened(monkeypatch, COMMANDS[name]) == [(run, None, None) for run in names]
    assert opened(monkeypatch, f"{COMMANDS[name]} --best") == [(run, "best", None) for run in names]


@pytest.mark.parametrize("name", having("--weights"))
@pytest.mark.parametrize("weights", ["raw", "averaged"])
def test_the_weights_are_those_that_are_named(runs, monkeypatch, name, weights):
    assert opened(monkeypatch, f"{COMMANDS[name]} --weights {weights}") == [("run", None, weights)]


def test_the_film_has_the_checkpoint_that_is_named(runs, monkeypatch):
    monkeypatch.setattr("jitnet.commands.report.frames_of", lambda run: None)
    for words, kind in (("report run --film", None), ("report run --film --best", "best")):
        assert opened(monkeypatch, words) == [("run", kind, None)]


@pytest.fixture(scope="module")
def without_data(tmp_path_factory):
    """Two runs whose data are a published set that is not on this machine."""
    folder = tmp_path_factory.mktemp("offline")
    with pytest.MonkeyPatch.context() as patch:
        digits(settle(patch, folder))
        train("run", epochs=1)
        shutil.copytree("runs/run", "runs/other")
        for name in ("run", "other"):
            config = folder / "runs" / name / "config.toml"
            config.write_text(config.read_text().replace('data = "digits"', 'data = "mnist"'))
    return folder


READ_DATA = {  # a command that needs the data of `run`, or those that it names
    "train": "train cnn --data mnist --ui quiet",
    "resume": "resume run --epochs 2 --ui quiet",
    "eval": "eval run",
    "errors": "errors run",
    "trace": "trace run",
    "ensemble": "ensemble run other",
    "report": "report run",
    "augment": "augment --data mnist",
    "import": "import weights runs/run/last.safetensors cnn --arch 'conv2 pool dense4' --data mnist",
    "data fetch": "data fetch mnist",
}
NEVER_ASK = {"play", "warmup"}  # offline in any case
IN_WORKERS = {"repeat", "sweep"}  # tests/trials


def test_every_command_that_has_offline_is_in_the_table():
    assert {*having("--offline")} == {*READ_DATA} | NEVER_ASK | IN_WORKERS


@pytest.mark.parametrize("name", READ_DATA)
def test_a_connection_is_opened_unless_that_is_forbidden(without_data, monkeypatch, name):
    asked = []
    settle(monkeypatch, without_data)
    monkeypatch.setattr(search, "_downloaded", lambda known, cache, tried: asked.append(known.name) or tried)
    for words, names in ((READ_DATA[name], ["mnist"]), (f"{READ_DATA[name]} --offline", [])):
        asked.clear()
        assert main(shlex.split(words)) == (0 if name == "report" else 2)
        assert asked == names


@pytest.mark.parametrize("name", having("--data"))
def test_other_data_are_those_that_are_named(without_data, monkeypatch, name):
    """In place of those of the run, or of those that a command takes without it."""
    settle(monkeypatch, without_data)
    asked = []

    def load(spec, *_):
        asked.append(spec)
        raise InputError("asked")

    monkeypatch.setattr(search, "load", load)
    own = {"play": "play run --out page.html", "repeat": "", "sweep": ""}
    words = own.get(name, READ_DATA.get(name, name))
    if words:
        assert main(shlex.split(f"{words} --data fashion")) == 2
        assert asked == ["fashion"]


@pytest.mark.parametrize("name", having("--log"))
def test_the_figures_go_to_the_programs_that_are_named(without_data, monkeypatch, name):
    settle(monkeypatch, without_data)
    asked = []

    def open_logs(names):
        asked.append(names)
        raise InputError("asked")

    monkeypatch.setattr(session, "open_logs", open_logs)
    assert main(shlex.split(f"{READ_DATA[name]} --log wandb --log mlflow")) == 2
    assert asked == [["wandb", "mlflow"]]
