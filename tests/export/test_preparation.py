"""The operators around a network in an ONNX file do to the data's numbers what jitnet does, and the file says which."""

import numpy as np
import pytest

from jitnet import __version__
from jitnet.config import Settings
from jitnet.data.pixels import Scale, to_bytes
from jitnet.data.record import DataRecord
from jitnet.errors import InputError
from jitnet.export.onnx import protobuf, write
from jitnet.export.onnx.preparation import assumed, number, preparation
from jitnet.model.architecture import parse
from jitnet.model.network import Network
from jitnet.storage.metadata import Description

SCALES = {
    "pixels from 0 to 255": Scale(),
    "pixels from 0 to 16, kept in 256 levels": Scale(16.0, 0.0, 16.0),
    "pixels from 0 to 1, kept in 256 levels": Scale(1.0, 0.0, 1.0, whole=False, dtype="float32"),
    "pixels from -1 to 1, kept in 256 levels": Scale(1.0, -1.0, 1.0, whole=False, dtype="float32"),
    "pixels from 0 to 65535, kept in 256 levels": Scale(65535.0, 0.0, 65535.0, dtype="uint16"),
}
TABLE = DataRecord(kind="table of numbers", columns=("a", "b"), means=(3.0, 1.0, 5.0), deviations=(1.0, 2.0, 7.0))
OPERATORS = {
    "Cast": lambda x, _: x.astype(np.float32),
    "Sub": np.subtract,
    "Div": np.divide,
    "Mul": np.multiply,
    "Add": np.add,
    "Round": lambda x, _: np.rint(x),
    "Clip": lambda x, most: np.clip(x, 0, most),
}


def applied(operations, values):
    for operator, operand in operations:
        values = OPERATORS[operator](values, operand)
    return values


@pytest.mark.parametrize("meaning", SCALES)
def test_pixels_are_prepared_as_jitnet_prepares_them(meaning):
    """Those a little above the full scale too, which are white."""
    scale = SCALES[meaning]
    found = preparation(DataRecord(kind="npz", scale=scale))
    above = scale.full * (1.003 if found.dtype is np.float32 else 1)
    values = np.linspace(scale.low, above, 1000).astype(found.dtype)
    expected = to_bytes(values, scale, "it") / np.float32(255)
    np.testing.assert_allclose(applied(found.before, values), expected, atol=1e-6)
    assert found.meaning == meaning and found.after == () and expected.max() == 1


def test_rows_and_answers_are_in_the_units_of_their_columns():
    found, rows = preparation(TABLE, regression=True), np.array([[3.0, 1.0], [5.0, -1.0]])
    assert applied(found.before, rows).tolist() == [[0, 0], [2, -1]]
    assert applied([("Cast", None), *found.after[1:]], np.float32([[0], [2]])).tolist() == [[5], [19]]
    assert found.meaning == "rows of the columns a, b, as the table has them"


def test_numbers_that_were_given_to_fit_are_read_as_they_are():
    found = preparation(DataRecord(kind="arrays", scale=Scale(1.0, 0.0, 1.0, whole=False)))
    assert (found.before, found.after) == ((), ()) and "not scaled" in found.meaning


RECORDS = [*(DataRecord(kind="npz", scale=scale) for scale in SCALES.values()), DataRecord()]
CASES = [*((record, False) for record in RECORDS), (TABLE, True)]


@pytest.mark.parametrize(("record", "regression"), CASES)
def test_nothing_is_assumed_of_a_file_for_the_same_data_and_no_other_regression_is_taken(record, regression):
    own = preparation(record, regression)
    assert assumed(list(own.before), list(own.after), record, regression, "it") == ""
    changes = [
        ([*own.before, ("Mul", number(2))], [*own.after]),
        ([*own.before], [*own.after, ("Mul", number(2))]),
        *([([*own.before], []), ([], [*own.after]), ([], [])] if regression else []),
    ]
    for before, after in changes:
        with pytest.raises(InputError, match=r"scales its inputs or outputs by .*: expected .* for these data"):
            assumed(before, after, record, regression, "it")


def test_the_message_lists_the_first_constants():
    with pytest.raises(InputError) as refused:
        assumed([("Sub", np.arange(5.0)), ("Round", None), ("Div", number(0.5))], [], DataRecord(), False, "it")
    assert str(refused.value) == (
        "it scales its inputs or outputs by Sub 0 1 2 ..., Round, Div 0.5: expected Cast, Div 255, as jitnet does for "
        "these data"
    )


@pytest.mark.parametrize("meaning", SCALES)
def test_a_file_says_what_numbers_it_reads_and_who_wrote_it(meaning):
    network = Network(parse("dense2"), (2, 1, 1))
    record = DataRecord(kind="npz", scale=SCALES[meaning])
    description = Description(settings=Settings(architecture=" "), image=(2, 1, 1), labels=np.arange(2), record=record)
    message = protobuf.decode("Model", write.model(network, description, {"title": "mine"}))
    texts = {item["key"]: item["value"] for item in message["metadata_props"]}
    assert texts == {"title": "mine", "inputs": meaning}
    assert (message["producer_name"], message["producer_version"]) == ("jitnet", __version__)
