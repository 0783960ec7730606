"""`--kernels simple` from end to end: recorded, resumed to the same bits, evaluated by the same kernels."""

import numpy as np
import pytest
from commands import TINY, digits, jitnet, refusal, result, rows, settle, train

from jitnet import MLP
from jitnet.cli import main
from jitnet.config import PRESETS, SETTINGS, Settings
from jitnet.kernels.layers import convolution
from jitnet.run.trained import open_trained


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    return tmp_path


def test_a_run_is_recorded_and_learns_as_the_fast_one(folder):
    simple, fast = train("simple", "--kernels", "simple"), train("fast")
    assert Settings.from_toml(simple / "config.toml").kernels == "simple"
    assert Settings.from_toml(fast / "config.toml").kernels == "fast"
    for ours, theirs in zip(rows(simple), rows(fast)):
        assert float(ours["train_loss"]) == pytest.approx(float(theirs["train_loss"]), rel=1e-3)
    assert open_trained(simple).network.kernels == "simple" and main(["eval", str(simple)]) == 0


def test_a_config_without_the_setting_means_fast(folder):
    run = train("run")
    config = run / "config.toml"
    lines = config.read_text().splitlines(True)
    config.write_text("".join(line for line in lines if not line.startswith("kernels")))
    assert Settings.from_toml(config).kernels == "fast" and main(["resume", str(run), "--epochs", "3"]) == 0


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--batch-size", "7", "--optimizer", "adam", "--lr", "0.01"),
        ("--batch-size", "0"),
        ("--dropout", "0.5"),
        ("--dropout", "0.3", "--batch-size", "7", "--optimizer", "momentum"),
    ],
)
def test_a_resume_gives_the_same_bits(folder, words):
    words = ("--kernels", "simple", "--schedule", "constant", *words)
    whole, pieces = train("whole", *words, epochs=3), train("pieces", *words, epochs=1)
    assert main(["resume", str(pieces), "--epochs", "3", "--ui", "quiet"]) == 0
    assert result(pieces)[0] == result(whole)[0]


def test_other_threads_give_the_same_bits(folder):
    words = ("train", "cnn", *TINY, "--epochs", "1", "--kernels", "simple", "--batch-size", "16", "--ui", "quiet")
    for threads in ("1", "2"):
        done = jitnet(folder, *words, "--name", threads, "--threads", threads, NUMBA_NUM_THREADS="2")
        assert done.returncode == 0, done.stderr
    assert result(folder / "runs" / "1") == result(folder / "runs" / "2")


@pytest.mark.parametrize("network", PRESETS)
def test_every_preset_trains(folder, network):
    words = ["train", network, "--data", "digits", "--kernels", "simple", "--epochs", "1", "--steps-per-epoch", "2"]
    small = PRESETS[network]["architecture"].replace("0", "").replace(" pool dense", " dense")  # two pools: 6x6 pixels
    assert main([*words, "--arch", small, "--ui", "quiet"]) == 0


@pytest.mark.parametrize("name", ["loss", "init", "schedule", "reduction", "bias"])
def test_every_choice_trains(folder, name):
    for value in filter(None, SETTINGS[name].choices):
        words = (f"--{name}", value, "--kernels", "simple", "--batch-size", "8", "--lr", "0.001")
        train(f"{name}-{value}", *words, epochs=1)


def test_numbers_are_approximated(folder):
    table = folder / "table.csv"
    x = np.random.default_rng(0).random((60, 3))
    table.write_text("a,b,c,y\n" + "".join(f"{a},{b},{c},{a + b - c}\n" for a, b, c in x))
    words = ("--data", str(table), "--target", "y", "--hidden", "4", "--init", "he", "--lr", "0.1")
    assert main(["train", "mlp", *words, "--epochs", "2", "--kernels", "simple", "--name", "run", "--ui", "quiet"]) == 0
    first, last = rows(folder / "runs" / "run")
    assert float(last["train_loss"]) < float(first["train_loss"])


def test_an_estimator_takes_the_setting():
    x, y = np.random.default_rng(0).random((40, 6)).astype(np.float32), [0, 1] * 20
    models = [MLP((4,), epochs=2, lr=0.1, init="he", kernels=kernels).fit(x, y) for kernels in ("fast", "simple")]
    assert models[1].network_.kernels == "simple" and models[1].get_params()["kernels"] == "simple"
    assert np.allclose(*(model.predict_proba(x) for model in models), atol=1e-5)


def test_gradients_are_checked(folder, capsys):
    assert main(["gradcheck", "cnn", "--arch", "conv3:tanh pool dense4", "--side", "6", "--kernels", "simple"]) == 0
    assert "within 1e-06" in capsys.readouterr().out


def test_another_name_is_refused(folder, capsys):
    assert "--kernels: 'slow' is given: expected one of fast, simple" in refusal(
        capsys, "train", "cnn", "--kernels", "slow"
    )
    (folder / "config.toml").write_text('kernels = "slow"\n')
    assert "expected one of fast, simple" in refusal(capsys, "train", "--config", "config.toml")


def test_the_pages_run(folder, monkeypatch):
    """Not the fast path with a note: what is replaced on a page is seen in a run."""
    calls = []
    forward = convolution.conv2d_forward
    monkeypatch.setattr("jitnet.kernels.step.conv2d_forward", lambda *a: calls.append(1) or forward(*a))
    train("run", "--kernels", "simple", epochs=1)
    assert len(calls) > 200
