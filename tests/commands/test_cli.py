"""What every command refuses in one sentence, and what it shows when there is nothing to refuse."""

import argparse
import contextlib
import gzip
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import ROOT, TINY, digits, jitnet, refusal, settle, train
from data_files import idx_bytes

from jitnet import __version__
from jitnet.cli import build_parser, main
from jitnet.commands import COMMANDS, GROUPS
from jitnet.config import PRESETS, SETTINGS, Settings
from jitnet.recipes.named import changes_of

NUMBERS = {  # option: what it refuses; a value of another kind is part of the sentence
    "--epochs": ("0", "-1", "nan", "inf", "1.5", "ten", "", str(2**63)),
    "--batch-size": ("-1", "nan", "inf", "1.5", "", str(10**30)),
    "--lr": ("0", "-1", "nan", "inf", "-inf", "1e999", "fast", ""),
    "--seed": ("-1", "nan", "inf", str(2**63)),
    "--val": ("-1", "nan", "inf", "200", str(10**30)),
    "--limit": ("-1", "nan", "inf", "201", str(10**30)),
    "--threads": ("0", "-1", "nan", "inf", "1025", str(10**30)),
}
WORDS = {  # the words after `train`: a part of the sentence
    "": "no network is given",
    "resnet": "no network called 'resnet'",
    "cnn --frobnicate": "unrecognized arguments: --frobnicate",
    "cnn --bias none": "--bias",
    "cnn --init zeros": "--init",
    "cnn --schedule linear": "--schedule",
    "cnn --ui loud": "--ui",
    "cnn --hidden 10": "expected mlp, or use --arch",
    "mlp --hidden 10 --arch dense10": "not allowed with",
    "mlp --hidden 10,x,12": "number 2 of --hidden, 'x'",
    "mlp --hidden 10,,12": "number 2 of --hidden, ''",
    "mlp --hidden 10,0": "number 2 of --hidden, '0'",
    "mlp --hidden=-4": "number 1 of --hidden, '-4'",
    "mlp --hidden 10000000": "number 1 of --hidden, '10000000'",
    "mlp --hidden=": "number 1 of --hidden, ''",
    "cnn --arch=": "--arch is empty",
    "cnn --arch conv4,conv5": "word 1 of the architecture, 'conv4,conv5'",
    "cnn --arch conv4_conv0": "word 2 of the architecture, 'conv0'",
    "cnn --arch dense4_conv4": "word 2 of the architecture, 'conv4', comes after a dense layer",
    "cnn --arch pool": "word 1 of the architecture is a pool",
    "cnn --arch conv4_pool_pool": "word 3 of the architecture is a pool",
    "cnn --arch conv1_pool_conv1_pool_conv1_pool": "pool 3 is given 1x1 pixels",
    "mlp --hidden 999999,999999": "GB of memory: expected at most",
    "cnn --config nowhere.toml": "given twice",
    "--config nowhere.toml": "cannot read the settings nowhere.toml",
    "cnn --name ../up": "cannot be called '../up'",
    "cnn --name latest": "cannot be called 'latest'",
    "cnn --name taken": "a run 'taken'",
    "cnn --runs-dir file": "cannot create a run in file",
    "cnn --runs-dir file/deeper": "cannot create a run in file/deeper",
    "cnn --data nowhere": "no data set 'nowhere'",
    "cnn --data empty": "holds no data set",
}
CONFIGS = {
    "lr = ": "is not a TOML file",
    "rate = 0.1": "unknown setting 'rate'",
    "epochs = 1.5": "epochs = 1.5",
    'lr = "fast"': "lr = 'fast'",
    "shuffle = 1": "shuffle = 1",
    "epochs = 0": "bad.toml gives epochs = 0: expected a whole number from 1",
    "lr = nan": "bad.toml gives lr = nan: expected a finite number above 0",
    'network = "resnet"': "no network called 'resnet'",
    'architecture = "conv4 what"': "word 2 of the architecture, 'what'",
    'bias = "none"': "bad.toml gives bias = 'none': expected one of position, channel",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "runs" / "taken").mkdir(parents=True)
    return tmp_path


def no_run_is_left(folder: Path) -> bool:
    return [path.name for path in (folder / "runs").iterdir()] == ["taken"]


@pytest.mark.parametrize("words", WORDS)
def test_words_that_train_refuses(folder, capsys, words):
    given = [word.replace("_", " ") for word in words.split()]
    data = [] if "--data" in given else ["--data", "digits"]
    assert WORDS[words] in refusal(capsys, "train", *given, *data, "--ui", "quiet")
    assert no_run_is_left(folder)


@pytest.mark.parametrize(("option", "value"), [(option, value) for option in NUMBERS for value in NUMBERS[option]])
def test_numbers_that_train_refuses(folder, capsys, option, value):
    shown = refusal(capsys, "train", "cnn", *TINY, "--ui", "quiet", f"{option}={value}")
    assert (option in shown and "expected" in shown) or "invalid" in shown
    assert no_run_is_left(folder)


@pytest.mark.parametrize("text", CONFIGS)
def test_settings_that_train_refuses(folder, capsys, text):
    (folder / "bad.toml").write_text(text + "\n")
    assert CONFIGS[text] in refusal(capsys, "train", "--config", "bad.toml", "--data", "digits")
    assert no_run_is_left(folder)


def truncated(folder: Path) -> None:
    path = folder / "train-images-idx3-ubyte"
    whole = gzip.compress(path.read_bytes())
    path.unlink()
    path.with_name(path.name + ".gz").write_bytes(whole[: len(whole) // 2])


def lying(folder: Path) -> None:
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(b"\0\0\x08\x03" + b"\x7f\xff\xff\xff" * 3 + path.read_bytes()[16:])


def negative_label(folder: Path) -> None:
    (folder / "train-labels-idx1-ubyte").write_bytes(idx_bytes(np.full(200, -1, np.int8)).replace(b"\x08", b"\x09", 1))


def fewer_labels(folder: Path) -> None:
    (folder / "train-labels-idx1-ubyte").write_bytes(idx_bytes(np.ones(199, np.uint8)))


def one_class(folder: Path) -> None:
    for name, count in (("train", 200), ("t10k", 60)):
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(idx_bytes(np.zeros(count, np.uint8)))


@pytest.mark.parametrize("harm", [truncated, lying, negative_label, fewer_labels, one_class])
def test_data_that_train_refuses(folder, capsys, harm):
    harm(folder / "digits")
    assert "digits" in refusal(capsys, "train", "cnn", *TINY, "--ui", "quiet")
    assert no_run_is_left(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused(folder, capsys):
    (folder / "empty").chmod(0o555)
    assert "Permission denied" in refusal(capsys, "train", "cnn", *TINY, "--ui", "quiet", "--runs-dir", "empty")


@pytest.mark.parametrize("command", ["resume", "eval", "predict", "errors"])
def test_runs_that_are_refused(folder, capsys, command):
    words = ["digits/t10k-images-idx3-ubyte"] if command == "predict" else []
    assert "no run 'nobody'" in refusal(capsys, command, "nobody", *words)
    assert "there is no run 'latest'" in refusal(capsys, command, "latest", *words)
    assert "without meta.json" in refusal(capsys, command, "empty", *words)
    assert "no run 'x' in file" in refusal(capsys, command, "x", *words, "--runs-dir", "file")
    for name, content, said in (
        ("meta.json", "{", "meta.json is damaged"),
        ("meta.json", "[]", "meta.json is damaged"),
        ("config.toml", "lr = ", "config.toml is not a TOML file"),
        ("config.toml", None, "cannot read the settings"),
    ):
        path = train("run") / name
        path.unlink() if content is None else path.write_text(content)
        assert said in refusal(capsys, command, "run", *words)
        os.rename("runs/run", folder / f"used-{command}-{len(list(folder.iterdir()))}")
    run = train("run")
    (run / "last.safetensors").unlink()
    (run / "previous.safetensors").unlink()
    assert "no valid checkpoint" in refusal(capsys, command, "run", *words)
    if command != "resume":
        assert "best.safetensors" in refusal(capsys, command, "run", *words, "--best")


def test_memory_that_runs_out_is_one_sentence(folder, capsys, monkeypatch):
    def full(*words):
        raise MemoryError("Unable to allocate 1 TiB")

    monkeypatch.setattr("jitnet.run.start.load_data", full)
    assert "Unable to allocate 1 TiB" in refusal(capsys, "train", "cnn", *TINY)


@pytest.mark.parametrize("words", ["--help", "--version", *(f"{name} --help" for name in COMMANDS)])
def test_help_and_version_do_not_wait_for_what_only_a_command_needs(words):
    slow = {"numba", "llvmlite", "numpy", "rich", "PIL", "http", "subprocess"}
    code = (
        "import sys; from jitnet.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as exit: assert not exit.code\n"
        f"assert not {slow} & set(sys.modules), {slow} & set(sys.modules)"
    )
    command = [sys.executable, "-W", "error", "-c", code, *words.split()]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)


def shown_help(capsys, *words):
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert not ended.value.code
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("network", PRESETS)
@pytest.mark.parametrize("command", ["train", "sweep", "repeat"])
def test_help_states_the_defaults_of_the_network(command, network, capsys):
    shown, wanted = shown_help(capsys, command, network), Settings.preset(network)
    assert f"(default: {wanted.architecture})" in shown
    for item in SETTINGS.values():
        if item.group:
            value = changes_of(network).get(item.name, item.default)
            assert _joined(item.help_for(value)) in _joined(shown), item.name


def _joined(text):
    """Return text without white space: argparse breaks lines after a hyphen."""
    return "".join(text.split())


def test_help_without_a_network_lists_what_presets_change(capsys):
    shown = shown_help(capsys, "train")
    rate = "peak learning rate (default: 0.001, larger for batches; modern: by optimizer and batch, 0.002 for adam)"
    assert "the defaults above are those of cnn" in shown and rate in shown
    assert "--init lecun --batch-size 16 --shuffle --epochs 1 --steps-per-epoch 2000 --lr 0.1" in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example_that_its_parser_accepts(name):
    parser = build_parser()
    (action,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    examples = re.findall(r"^  .*?(jitnet .*)", action.choices[name].epilog or "", re.MULTILINE)
    assert examples
    for example in examples:
        words = shlex.split(re.sub(r"\)?  .*", "", example))
        assert parser.parse_args(words[1:]).command == name


def test_the_program(tmp_path):
    assert jitnet(tmp_path, "--version").stdout == f"jitnet {__version__}\n"
    shown = jitnet(tmp_path, "--help")
    assert shown.returncode == 0 and "jitnet train cnn --epochs 9" in shown.stdout
    bare = jitnet(tmp_path)
    assert bare.returncode == 0 and bare.stderr == "" and bare.stdout.count("\n  jitnet ") == 3
    for title, commands in GROUPS.items():
        assert re.search(rf"^  {title} +{', '.join(commands)}$", bare.stdout, re.MULTILINE)
        assert f"\n{title}:\n" in shown.stdout and all(f"\n  {name} " in shown.stdout for name in commands)
    assert "did you mean 'train'?" in jitnet(tmp_path, "trian").stderr


@pytest.mark.parametrize("words", [[], ["--help"]])
def test_the_first_screen_fits_80_columns(words, capsys):
    with contextlib.suppress(SystemExit):
        main(words)
    lines = capsys.readouterr().out.splitlines()
    assert any("jitnet predict reference-cnn digit.png" in line for line in lines) and max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("words", "dest", "found"),
    [
        ("predict latest --json a.png b.png", "images", ["a.png", "b.png"]),
        ("predict latest a.png --json b.png", "images", ["a.png", "b.png"]),
        ("predict latest --json -", "images", ["-"]),
        ("report latest --open other", "run_names", ["latest", "other"]),
        ("ensemble a --json b", "run_names", ["a", "b"]),
    ],
)
def test_words_may_come_before_and_after_options(words, dest, found):
    assert getattr(build_parser().parse_args(words.split()), dest) == found


def test_help_of_a_command_by_the_word_help(capsys):
    assert "--patience" in shown_help(capsys, "help", "train")


def test_the_summary_is_the_documents_listing(capsys):
    assert main(["summary", "cnn"]) == 0
    rows = [
        [cell.strip() for cell in line.strip("│┃").split("│")]
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("│")
    ]
    assert rows == [
        ["convolution 3x3", "28x28x1", "28x28x16", "3x3x1x16", "112,896"],
        ["add bias", "28x28x16", "28x28x16", "28x28x16", ""],
        ["relu", "28x28x16", "28x28x16", "", ""],
        ["max-pool 3x3/2", "28x28x16", "14x14x16", "", ""],
        ["convolution 3x3", "14x14x16", "14x14x32", "3x3x16x32", "903,168"],
        ["add bias", "14x14x32", "14x14x32", "14x14x32", ""],
        ["relu", "14x14x32", "14x14x32", "", ""],
        ["max-pool 3x3/2", "14x14x32", "7x7x32", "", ""],
        ["convolution 3x3", "7x7x32", "7x7x64", "3x3x32x64", "903,168"],
        ["add bias", "7x7x64", "7x7x64", "7x7x64", ""],
        ["relu", "7x7x64", "7x7x64", "", ""],
        ["vectorise", "7x7x64", "3136", "", ""],
        ["matrix product", "3136", "100", "3136x100", "313,600"],
        ["add bias", "100", "100", "100", ""],
        ["relu", "100", "100", "", ""],
        ["matrix product", "100", "10", "100x10", "1,000"],
        ["add bias", "10", "10", "10", ""],
        ["softmax", "10", "10", "", ""],
        ["total", "", "", "359,846", "2,233,832"],
    ]


def test_summary_takes_what_train_takes(capsys):
    assert main(["summary", "mlp", "--hidden", "250,250"]) == 0
    assert "mlp: dense250 dense250 dense10" in capsys.readouterr().out
    assert main(["summary", "cnn", "--arch", "conv4 pool", "--bias", "channel"]) == 0
    assert "1x1x4" in capsys.readouterr().out
    assert "word 1 of the architecture" in refusal(capsys, "summary", "cnn", "--arch", "what")


def test_warmup_covers_every_form_that_is_compiled_apart(monkeypatch, capsys):
    """Bytes and floats, classes and numbers, float32 and float64; of each the batch sizes that have a driver."""
    made = []
    monkeypatch.setattr(
        "jitnet.commands.warmup.compile_kernels",
        lambda network, size, images, targets: (
            made.append((np.dtype(network.dtype), images.dtype, targets is not None and targets.ndim == 2, size)) or []
        ),
    )
    monkeypatch.setattr("jitnet.commands.warmup.compile_inference", lambda network, images: [])
    assert main(["warmup", "--ui", "quiet"]) == 0
    forms = {form[:3] for form in made}
    single, byte = np.dtype(np.float32), np.dtype(np.uint8)
    assert forms == {
        (single, byte, False),
        (single, single, False),
        (single, single, True),
        (np.dtype(np.float64), byte, False),
    }
    assert "did you mean 'tables'?" in refusal(capsys, "warmup", "table")


def test_warmup_shows_its_kernels(capsys):
    assert main(["warmup", "images", "--ui", "json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {event["event"] for event in events} == {"Compiling"}
    assert {"fast.per_sample.train_per_sample", "fast.batch.train_minibatch"} <= {event["name"] for event in events}


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        (">&-", 0, ""),
        ("| true", 0, ""),
        ("> /dev/full", 1, "jitnet: No space left on device: free some space and run it again\n"),
    ],
)
def test_an_output_that_takes_nothing(end, code, said):
    done = subprocess.run(
        ["sh", "-c", f"'{sys.executable}' -m jitnet summary mlp {end}"], cwd=ROOT, capture_output=True
    )
    assert (done.returncode, done.stderr.decode()) == (code, said)  # after a pipe it is the other command's code
