"""Settings: ranges, and TOML that reads back."""

import dataclasses
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from texts import texts

from jitnet import setting
from jitnet.config import CHOICES, PRESETS, SETTINGS, Settings
from jitnet.errors import InputError
from jitnet.printing import brief

LARGEST = 2**63 - 1
ANY = st.fixed_dictionaries(
    {
        "network": texts(),
        "architecture": texts().filter(str.strip),
        "epochs": st.integers(1, LARGEST),
        "until": st.integers(0, LARGEST),
        "lr": st.floats(min_value=0, exclude_min=True, allow_infinity=False),
        "shuffle": st.booleans(),
        "data": texts(),
    }
    | {"momentum": st.floats(0, 1, exclude_max=True), "weight_decay": st.floats(0, 1e30)}
    | {name: st.integers(0, LARGEST) for name in ("batch_size", "seed", "val", "limit", "steps_per_epoch")}
    | {name: st.sampled_from(choices) for name, choices in CHOICES.items()}
)


@given(ANY)
def test_toml_reads_back(tmp_path_factory, values):
    settings = Settings(**values)
    path = tmp_path_factory.getbasetemp() / "settings.toml"
    path.write_bytes(settings.to_toml().encode())
    assert Settings.from_toml(path) == settings


@pytest.mark.parametrize("name", PRESETS)
def test_a_name_brings_its_architecture(name):
    assert Settings(network=name).architecture == PRESETS[name]["architecture"]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_brings_its_documents_recipe_and_may_be_changed(name):
    settings = Settings.preset(name)
    assert {key: getattr(settings, key) for key in PRESETS[name]} == PRESETS[name]
    assert Settings.preset(name, lr=0.7, architecture="dense3").replace(seed=5).lr == 0.7


def test_a_target_is_a_number():
    assert Settings().loss == "cross-entropy" and Settings(target="price").loss == "mse"
    assert Settings(seed=1).replace(target="price") == Settings(seed=1, target="price")
    assert Settings(seed=1, target="price").replace(target="") == Settings(seed=1)
    with pytest.raises(InputError, match="the loss is 'cross-entropy' with a target: expected mse"):
        Settings(target="price", loss="cross-entropy")


@pytest.mark.parametrize(
    "changes",
    [
        {name: value}
        for name in ("epochs", "batch_size", "seed", "val", "limit", "steps_per_epoch")
        for value in (-1, 2**63, 10**30)
    ]
    + [{"epochs": 0}, {"network": "lenet"}, {"network": ""}]
    + [{"lr": value} for value in (0.0, -1.0, math.nan, math.inf, -math.inf)]
    + [{"momentum": value} for value in (-0.1, 1.0, math.nan)]
    + [{"weight_decay": value} for value in (-0.1, math.inf, math.nan)]
    + [{name: "other"} for name in CHOICES],
)
def test_what_is_out_of_range_is_refused(changes):
    (name,) = changes
    with pytest.raises(InputError, match=f"(--{name.replace('_', '-')}|{name}) is |no network called"):
        Settings(**changes)


@pytest.mark.parametrize("name", [name for name, item in SETTINGS.items() if item.kind in (int, float)])
def test_the_ends_of_a_range_are_in_it_as_its_description_says(name):
    item = SETTINGS[name]
    whole = item.kind is int
    for end, beyond in ((item.least or 0, -1) if whole else (item.least, -1), (LARGEST if whole else item.most, 1)):
        if end is not None:
            assert item.check(end) == end
            with pytest.raises(InputError, match=f"expected {re.escape(item.expected)}$"):
                item.check(end + beyond)
    for end in (item.above, item.below):
        if end is not None:
            with pytest.raises(InputError, match=f"expected {re.escape(item.expected)}$"):
                item.check(end)


LONG = (10**5000, "x" * 39, ["y"] * 99, {"a": 1e300}, "x" * 38, 10**39)


@pytest.mark.parametrize("value", LONG, ids=lambda value: type(value).__name__)
def test_a_value_in_a_message_has_forty_characters_at_most(value):
    shown = brief(value)
    assert len(shown) <= 40 and (shown.endswith(("...", "number")) or shown == repr(value))
    with pytest.raises(InputError, match=re.escape(f"batch_size is {shown}: expected a whole number")):
        Settings(batch_size=value)


@pytest.mark.parametrize(
    ("values", "said"),
    [({"speed": 1}, "unknown setting 'speed'"), ({"epochs": True}, "epochs = True"), ({"epochs": "9"}, "epochs = '9'"),
     ({"shuffle": 0}, "shuffle = 0"), ({"data": 1}, "data = 1"), ({"lr": True}, "lr = True")],
)  # fmt: skip
def test_values_of_another_type_are_refused(values, said):
    with pytest.raises(InputError, match=f"here .*{said}"):
        Settings.from_values(values, "here")


def test_a_whole_learning_rate_is_a_number():
    assert Settings.from_values({"lr": 1}, "here").lr == 1.0


def test_an_extension_is_never_shorter_than_the_plan():
    assert Settings(epochs=9, until=3).until == 9 and Settings(epochs=9, until=12).until == 12


def test_settings_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().epochs = 1  # type: ignore[misc]


def test_a_file_of_settings_may_begin_with_a_mark_and_is_small(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_bytes(b"\xef\xbb\xbfepochs = 3\r\n")
    assert Settings.from_toml(file).epochs == 3
    with open(file, "r+b") as opened:
        opened.truncate(60 << 30)
    with pytest.raises(InputError, match="more than 16,777,216 bytes"):
        Settings.from_toml(file)
    with pytest.raises(InputError, match="more than 16,777,216 bytes"):
        Settings.from_toml("/dev/zero")


def test_the_largest_small_file_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(setting, "_LARGEST_FILE", 8)
    file = tmp_path / "f"
    file.write_bytes(b"12345678")
    assert setting.read_small(file) == b"12345678"
    file.write_bytes(b"123456789")
    with pytest.raises(ValueError, match="it has more than 8 bytes"):
        setting.read_small(file)
