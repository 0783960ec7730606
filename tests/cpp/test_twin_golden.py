"""What the self-test of a C++ export compares with, and what of a run goes into its folder: without a compiler."""

import numpy as np
import pytest

from jitnet.config import Settings
from jitnet.errors import InputError
from jitnet.export import twin
from jitnet.model.architecture import parse
from jitnet.model.network import Network
from jitnet.storage import checkpoint


def drawn(loss="cross-entropy", smoothing=0.0):
    network = Network(parse("conv3:tanh pool dense4"), (6, 5, 2), loss=loss, label_smoothing=smoothing)
    network.initialise("he", 1)
    return network


@pytest.mark.parametrize(("loss", "smoothing"), [("cross-entropy", 0.0), ("cross-entropy", 0.2), ("mse", 0.0)])
def test_the_golden_figures_are_what_the_network_computes_and_leave_it_as_it_was(loss, smoothing):
    """The losses are those of C++, which smooths no labels."""
    network = drawn(loss, smoothing)
    before = network.params.copy()
    golden = twin.golden(network)
    assert np.array_equal(network.params, before)
    images, targets, logits = golden["images"], golden["targets"], np.float64(golden["logits"])
    assert all(image.any() for image in images) and set(targets.tolist()) == {0, 1, 2, 3}
    np.testing.assert_allclose(logits, network.logits(images), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(golden["checksums"][:, -1], np.stack([logits.sum(1), (logits**2).sum(1)], 1), rtol=1e-4)
    rates = np.repeat(golden["lr"], len(images))
    _, losses = drawn(loss).train_steps(images, targets, np.arange(len(images)), 1, rates, np.zeros(1))
    np.testing.assert_allclose(golden["losses"], losses, rtol=1e-4)


def test_a_folder_is_made_with_those_above_it_and_states_the_title_the_settings_and_a_seed_of_any_size(tmp_path):
    settings = Settings(architecture="conv3:tanh pool", seed=2**63 - 1, reduction="sum", lr=0.125)
    network, out = drawn(), tmp_path / "models" / "mine"
    twin.write(out, network, settings, network.tensors(), {"title": "my run"})
    header = (out / "model.hpp").read_text()
    for line in ('title = "my run";', "settings.seed = 9223372036854775807u;", "settings.rule.summed = true;",
                 "settings.lr = 0.125;", "height = 6, width = 5, channels = 2, classes = 4;"):  # fmt: skip
        assert line in header, line
    assert checkpoint.load(out / "model.safetensors")[1]["title"] == "my run"


def test_a_network_that_no_static_object_can_hold_is_refused(tmp_path, monkeypatch):
    network, settings = drawn(), Settings(architecture="conv3:tanh pool")
    monkeypatch.setattr(twin, "LARGEST", network.params.size)
    twin.require_twin(tmp_path / "out", network, settings)
    monkeypatch.setattr(twin, "LARGEST", network.params.size - 1)
    with pytest.raises(InputError, match=f"has {network.params.size} parameters: expected at most .* for C"):
        twin.require_twin(tmp_path / "out", network, settings)


@pytest.mark.parametrize("installed", [{"mine"}, {"g++"}, {"clang++", "c++"}, set()])
def test_a_compiler_that_is_not_there_is_no_end_of_the_search(monkeypatch, installed):
    monkeypatch.setattr(twin.shutil, "which", lambda name: f"/bin/{name}" if name in installed else None)
    monkeypatch.setenv("CXX", "mine")
    first = next((name for name in ("mine", *twin.COMPILERS) if name in installed), None)
    assert twin.find_compiler() == (first and f"/bin/{first}")
