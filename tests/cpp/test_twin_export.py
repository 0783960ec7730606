"""`jitnet export cpp`: its files, its refusals, and --verify."""

import os
import re
import stat
from pathlib import Path

import numpy as np
import pytest
from commands import digits, refusal, settle, train
from twins import NATIVE, ROOT, compiler, export

from jitnet.cli import main
from jitnet.commands.support.trained_run import load_trained
from jitnet.config import Settings
from jitnet.export import twin
from jitnet.storage import checkpoint

CPP = ROOT / "jitnet" / "export" / "cpp"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    digits(settle(monkeypatch, tmp_path))
    return tmp_path


def test_a_folder_has_all_that_is_needed_and_a_second_export_replaces_it(folder, capsys):
    train("run", "--epochs", "1")
    for _ in range(2):
        assert main(["export", "cpp", "run", "--out", "out"]) == 0
        assert "runs/run after 1 epoch is in out, see out/README.md" in capsys.readouterr().out
    assert sorted(path.name for path in (folder / "out").iterdir()) == sorted((*twin.SOURCES, *twin.MADE))
    header = (folder / "out" / "model.hpp").read_text()
    assert '{"conv1", Kind::conv, Activation::relu, true, 6, 6, 1, 2, 6, 6}' in header
    assert '{"dense2", Kind::dense, Activation::linear, false, 1, 1, 4, 3, 1, 1}' in header
    assert "settings.lr = 0.1;" in header and "@" not in header


def test_best_and_initial_weights(folder):
    train("run", "--epochs", "2", "--val", "50")
    states = {}
    for words in ((), ("--best",), ("--initial",)):
        assert main(["export", "cpp", "run", "--out", "out", *words]) == 0
        states[words], _ = checkpoint.load("out/model.safetensors")
    assert states[()]["position"][0] == 2 and states[("--initial",)]["position"].tolist() == [0, 0, 0]
    for words, kind in (((), "last"), (("--best",), "best")):
        own, _ = checkpoint.load(f"runs/run/{kind}.safetensors")
        assert checkpoint.content_hash(own) == checkpoint.content_hash(states[words])
    assert (states[("--initial",)]["conv1.weight"] != states[()]["conv1.weight"]).any()


def test_a_title_cannot_leave_its_string():
    assert twin._literal('a"; evil(); \\ \n ä') == '"a?; evil(); ? ? ?"'


def test_what_cannot_be_exported_is_refused(folder, capsys):
    train("run", "--epochs", "1")
    (folder / "file").write_text("")
    (folder / "full").mkdir()
    (folder / "full" / "mine").write_text("")
    assert "which is a file" in refusal(capsys, "export", "cpp", "run", "--out", "file")
    assert "holds other files" in refusal(capsys, "export", "cpp", "run", "--out", "full")
    assert "cannot write the export" in refusal(capsys, "export", "cpp", "run", "--out", "file/below")
    assert sorted(os.listdir("full")) == ["mine"]
    config = Path("runs", "run", "config.toml")
    config.write_text(Settings.from_toml(config).replace(target="b").to_toml())
    assert "approximates 'b' from numbers" in refusal(capsys, "export", "cpp", "run", "--out", "out")
    assert not (folder / "out").exists()


def test_verify_compiles_and_agrees(tmp_path, capsys):
    compiler()
    export("reference-cnn", tmp_path / "out", "--verify")
    shown = capsys.readouterr().out
    assert shown.count("\nok ") == 5 and "C++ and Python agree\nverified with " in shown


def test_verify_notices_a_wrong_number_and_a_source_that_does_not_compile(tmp_path, capsys):
    compiler()
    out = export("reference-cnn", tmp_path / "out")
    tensors, metadata = checkpoint.load(out / "golden.bin")
    tensors["losses"][20] += 0.01
    checkpoint.save(out / "golden.bin", tensors, {"jitnet": metadata["jitnet"]})
    with pytest.raises(twin.TwinError, match=r"FAIL losses of 32 training steps"):
        twin.verify(out)
    (out / "selftest.cpp").write_text("int main() { return wrong; }")
    with pytest.raises(twin.TwinError, match=r"does not compile .*wrong.*expected a compiler of C\+\+17"):
        twin.verify(out)


def test_the_golden_losses_do_not_hang_on_a_last_bit(tmp_path):
    """A regression test: at lr 0.01 another order of summation changed them by 0.1, and the self-test failed."""
    golden, _ = checkpoint.load(export("reference-cnn", tmp_path / "out") / "golden.bin")
    network, *_ = load_trained("reference-cnn", ROOT / "runs", None)
    network.params *= 1 + np.finfo(np.float32).eps * np.random.default_rng(7).choice(
        np.array([-1, 1], np.float32), 359_846
    )
    images, lr = golden["images"], np.repeat(golden["lr"], 32)
    _, losses = network.train_steps(images, golden["targets"], np.arange(32), 1, lr, np.zeros(1))
    assert np.allclose(losses, golden["losses"], rtol=5e-5, atol=5e-5)


@pytest.mark.parametrize(
    "line", ["target[o] += scale * source[o]", "dots[rows[n]] = (part[0] + part[1]) + (part[2] + part[3])"]
)
def test_verify_notices_a_wrong_gradient(tmp_path, line):
    compiler()
    out = export("reference-cnn", tmp_path / "out")
    header = (out / "jitnet.hpp").read_text()
    assert header.count(line) == 1
    (out / "jitnet.hpp").write_text(header.replace(line, line.replace("scale", "0.9f * scale").replace("part[3]", "0")))
    with pytest.raises(twin.TwinError, match=r"FAIL losses of 32 training steps"):
        twin.verify(out)


def test_without_a_compiler_verify_says_what_is_missing_and_keeps_the_export(folder, monkeypatch, capsys):
    train("run", "--epochs", "1")
    monkeypatch.setenv("PATH", str(folder))
    capsys.readouterr()
    assert main(["export", "cpp", "run", "--out", "out", "--verify"]) == 2
    said = capsys.readouterr().err
    assert (
        "no C++ compiler was found to verify it: expected one of c++, g++, clang++" in said
        and "install g++ or clang" in said
    )
    assert (folder / "out" / "model.hpp").exists()


def test_cxx_names_the_compiler(tmp_path, monkeypatch):
    mine = tmp_path / "mine"
    mine.write_text("#!/bin/sh\n")
    mine.chmod(mine.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("CXX", str(mine))
    assert twin.find_compiler() == str(mine)


def test_the_line_that_builds_it_is_the_one_that_is_tested():
    line = f"c++ -std=c++17 {' '.join(NATIVE)} main.cpp -o jitnet_cpp"
    assert line in (CPP / "README.md").read_text()
    for flag in (*NATIVE, "-Wall", "-Wextra", "-Wpedantic", "-Wconversion"):
        assert flag in (CPP / "CMakeLists.txt").read_text()


def test_the_header_is_short_and_needs_the_standard_library_alone():
    lines = (CPP / "jitnet.hpp").read_text().splitlines()
    assert len(lines) < 900 and max(map(len, lines)) <= 120
    standard = {
        "algorithm",
        "array",
        "cctype",
        "chrono",
        "cmath",
        "cstdint",
        "cstdio",
        "cstdlib",
        "cstring",
        "filesystem",
    }
    standard |= {
        "fstream",
        "functional",
        "istream",
        "map",
        "memory",
        "numeric",
        "stdexcept",
        "string",
        "utility",
        "vector",
    }
    for path in (*CPP.glob("*.hpp*"), *CPP.glob("*.cpp")):
        found = re.findall(r"#include <(.*)>", path.read_text())
        assert set(found) <= standard, path
        own = set(re.findall(r'#include "(.*)"', path.read_text()))
        assert own <= {"jitnet.hpp", "checkpoint.hpp", "model.hpp"}


def test_the_pages_of_the_header_are_those_of_the_kernels_in_their_order():
    text = (CPP / "jitnet.hpp").read_text()
    pages = re.findall(r"^// -+ (\w+)$", text, re.MULTILINE)
    layers = ["convolution", "pooling", "activation", "linear", "loss", "optimizer"]
    assert all((ROOT / "kernels" / "layers" / f"{name}.py").exists() for name in layers)
    assert [name for name in pages if name in layers] == layers
    for name in ("contract", "conv2d_forward", "conv2d_backward_input", "conv2d_backward_weight", "flip_weight",
                 "conv2d_backward_bias", "max_pool2d_forward", "max_pool2d_backward", "activation_forward",
                 "activation_backward", "active_inputs", "linear_forward", "dots_then_add", "log_sum_exp",
                 "output_loss", "optimizer_step", "all_finite"):  # fmt: skip
        assert re.search(rf"^inline [\w:]+ {name}\(", text, re.MULTILINE), name
        kernels = "".join(path.read_text() for path in (ROOT / "kernels").rglob("*.py"))
        assert f"def {name}(" in kernels, name
