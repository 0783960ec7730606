"""What a file says about its network: all of it comes back, in any characters, or the file is refused."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jitnet
from jitnet.config import Settings
from jitnet.data.record import DataRecord
from jitnet.errors import InputError
from jitnet.printing import printable
from jitnet.storage.metadata import Description, describe, metadata

SETTINGS = Settings(architecture="conv2 pool dense4", bias="channel", lr=0.25, seed=7, recipe="documents")
DEEP = "[" * 100_000
words = st.text(max_size=5) | st.sampled_from(("\x7f", 'a"b', "\\", "\x1b[2J", "\u202e", "\n", "ü", "😀"))


def described(**changes) -> Description:
    whole = {"settings": SETTINGS, "image": (6, 8, 3), "labels": np.array(["ant", "bee", "cat"])}
    return Description(**whole | changes)


@given(labels=st.lists(words, min_size=2, max_size=4), texts=st.tuples(*[words] * 5))
def test_what_is_written_is_read(labels, texts):
    """Classes, settings, record and history as they were; what is for people alone with escapes."""
    data, title, sha256, name, note = texts
    settings = SETTINGS.replace(data=data)
    record = DataRecord(kind="CSV", class_names=tuple(labels), label_column=name, notes=(note,))
    given = described(
        settings=settings, labels=np.array(labels), record=record, history=({"event": note, "epoch": 3},),
        data=data, data_sha256=sha256, title=title,
    )  # fmt: skip
    texts = metadata(given)
    found = describe(texts, "it")
    assert all(text.isprintable() for text in texts.values())
    assert found.labels.tolist() == given.labels.tolist() and found.labels.dtype.kind == "U"
    assert (found.settings, found.image, found.record, found.history) == (settings, (6, 8, 3), record, given.history)
    assert (found.data, found.data_sha256) == (printable(data), printable(sha256))
    assert found.title == printable(title or settings.network)


@pytest.mark.parametrize(
    "labels",
    [np.arange(3), np.array([-1.0, 2.0, 1e300]), np.array([False, True]), np.array([0, 2**64 - 1], np.uint64)],
)
def test_classes_that_are_numbers_keep_their_type(labels):
    found = describe(metadata(described(labels=labels)), "it").labels
    assert found.dtype == labels.dtype and found.tolist() == labels.tolist()


def test_a_file_says_by_which_version_and_when_in_universal_time_it_was_saved():
    texts = metadata(described(), layout="jitnet")
    saved = datetime.fromisoformat(texts["saved"])
    assert texts["jitnet"] == jitnet.__version__ and texts["layout"] == "jitnet"
    assert saved.tzinfo == UTC and abs((datetime.now(UTC) - saved).total_seconds()) < 3600


def test_settings_and_facts_of_a_newer_version_are_left_out():
    texts = metadata(described(record=DataRecord(kind="CSV")))
    for name in ("settings", "record"):
        texts[name] = json.dumps(json.loads(texts[name]) | {"of_tomorrow": 1})
    found = describe(texts | {"of_tomorrow": "1"}, "it")
    assert (found.settings, found.record) == (SETTINGS, DataRecord(kind="CSV"))


@pytest.mark.parametrize(
    ("name", "texts"),
    {
        "image": (None, "", "6 8", "6 8 3 1", "6 x 3"),
        "classes": (None, "", "3", "{}", "[[1]]", DEEP, f"[{'9' * 400}]"),
        "classes_dtype": (None, "", "<i8 ", "<M8[D]", "object"),
        "architecture": (None,),
        "bias": (None,),
        "settings": ("", "3", "[1]", "null", DEEP),
        "history": ("", "3", "[3]", "[[]]", '{"a": 1}', DEEP),
        "record": ("", "3", '{"kind": 3}', '{"notes": "abc"}', DEEP),
    }.items(),
)
def test_what_describes_no_network_is_refused(name, texts):
    own = metadata(described(labels=np.arange(3)))
    for text in texts:
        changed = {key: value for key, value in own.items() if key != name} | ({} if text is None else {name: text})
        with pytest.raises(InputError, match=r"^it does not describe the network that it holds"):
            describe(changed, "it")


@pytest.mark.parametrize("changes", [{"image": ()}, {"image": (6, 8)}, {"labels": np.arange(0)}])
def test_a_network_needs_the_size_of_its_images_and_its_classes(changes):
    with pytest.raises(InputError, match="it does not state the size of its images and its classes"):
        described(**changes).network({}, "it")
