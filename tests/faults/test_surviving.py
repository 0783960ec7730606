"""What mutants have changed in reports, training, data and estimators without any test noticing."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from run_folders import write_run

from jitnet import MLP, MLPRegressor
from jitnet.data.pixels import Scale
from jitnet.estimators import inputs
from jitnet.history import read_run
from jitnet.history.curves import Curve
from jitnet.history.statistics import describe
from jitnet.history.sweep_record import Sweep
from jitnet.model.architecture import Dense, parse
from jitnet.model.network import Network
from jitnet.report.chart import chart
from jitnet.report.convolutions import convolutions
from jitnet.report.heatmap import heat_maps
from jitnet.report.sweep_page import _charts


def corners(drawn: str) -> list[int]:
    """Return how many points each curve of a drawing has."""
    return [len(points.split()) for points in re.findall(r'<polyline points="([^"]*)"', drawn)]


def test_a_curve_is_drawn_from_point_to_point_or_in_steps():
    line = Curve("a", ((1.0, 0.5), (2.0, 0.25), (3.0, 0.125)))
    assert corners(chart("c", "loss", "epochs", [line])) == [3]
    assert corners(chart("c", "loss", "epochs", [line], steps=True)) == [5]


@pytest.mark.parametrize(("activation", "colours"), [("relu", "white is most"), ("tanh", "orange above 0")])
def test_filters_and_maps_are_explained_by_what_they_are(activation, colours):
    network = Network((*parse(f"conv2:{activation} conv3:{activation}"), Dense(2)), (8, 8, 1))
    network.initialise("he", 1)
    subject = SimpleNamespace(
        network=network.shapes, tensors=network.tensors(), images=np.full((1, 8, 8, 1), 9, np.uint8)
    )
    sheets = re.findall(r'<span class="note">(.*?)</span>', convolutions(subject))
    assert [sheet.split(":")[0].split(" over")[0] for sheet in sheets[:2]] == [
        "its weights",
        "mean size of its weights",
    ]
    assert len(sheets) == 5 and all(colours in sheet for sheet in sheets[3:])


def test_a_heat_map_names_its_settings_at_their_sides(tmp_path):
    runs, trials = {}, []
    for lr in (0.1, 0.2):
        for size in (8, 16):
            name = f"{lr}-{size}"
            write_run(tmp_path, name, [70.0 + lr + size])
            runs[name] = [read_run(name, tmp_path)]
            trials.append({"name": name, "varied": {"lr": lr, "batch_size": size}})
    (drawn,) = heat_maps(Sweep(tmp_path, "sweep", {"trials": trials}, (), runs))
    assert '<th scope="col">batch size \\ lr</th><th scope="col">0.1</th>' in drawn
    assert re.findall(r'<th scope="row">(.*?)</th>', drawn) == ["8", "16"]


def test_a_sweep_of_one_configuration_shows_the_range_of_its_seeds():
    rows = [describe(epoch, "test_loss", [0.5 - 0.1 * epoch, 0.7 - 0.1 * epoch]) for epoch in range(2)]
    (drawn,) = _charts({"": rows})
    assert re.findall(r"</i>(.*?)</span>", drawn) == ["mean", "lowest", "highest"] and corners(drawn) == [2, 2, 2]
    (drawn,) = _charts({"a": rows, "b": rows})
    assert re.findall(r"</i>(.*?)</span>", drawn) == ["a", "b"]
    (drawn,) = _charts({"": [describe(0, "test_loss", [0.5])]})
    assert re.findall(r"</i>(.*?)</span>", drawn) == ["mean"]


def test_a_column_that_never_varies_keeps_its_unit():
    model, rows = MLPRegressor((2,)), np.array([[7.0, 1.0], [7.0, 3.0], [7.0, 5.0]])
    with pytest.warns(UserWarning, match="all numbers of y are 2"):
        model._begin(rows, np.array([2.0, 2.0, 2.0]))
    assert model._record.deviations == (1.0, pytest.approx((8 / 3) ** 0.5), 1.0)
    assert model._record.means == (7.0, 3.0, 2.0) and model._record.scale == Scale(1.0, 0.0, 1.0, False)


@pytest.mark.parametrize(
    ("low", "high", "full"), [(0.0, 0.75, 1.0), (0.25, 1.0, 1.0), (-0.5, 0.25, 0.5), (0.0, 2.5, 2.5)]
)
def test_fractions_from_0_to_1_have_the_full_scale_1(low, high, full):
    x = np.linspace(low, high, 3 * 36).reshape(3, 6, 6)
    assert inputs.images(x, True)[1] == Scale(full, low, high, False)


def test_weights_of_other_programs_are_those_of_digits_if_nothing_else_is_said(tmp_path):
    network = Network((Dense(10),), (28, 28, 1))
    network.initialise("he", 1)
    np.savez(tmp_path / "w.npz", **network.tensors())
    model = MLP(()).import_weights(tmp_path / "w.npz", layout="keras")
    assert model.network_.params.tobytes() == network.params.tobytes() and model.classes_.tolist() == list(range(10))
