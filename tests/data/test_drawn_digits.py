"""Digits as people draw and photograph them are read, and a picture without one digit gets no answer.

The long form, 1,200 drawings and the fonts of the system, is `python -m tests.campaigns.drawing RUN`.
"""

import json

import numpy as np
import pytest
from drawn_digits import WAYS, no_digits

from jitnet.cli import main
from jitnet.data.pictures.adapt import adapt
from jitnet.data.pictures.style import MNIST
from jitnet.data.readers.images import read_levels
from jitnet.data.record import DataRecord
from jitnet.errors import InputError

DIGITS = DataRecord(kind="IDX", style=MNIST, class_names=tuple("0123456789"))
LETTERS = DataRecord(kind="IDX", style=MNIST, class_names=tuple("ABCDEFGHIJ"))


def test_drawings_of_every_kind_are_read_as_a_user_would_have_them_read(tmp_path, capsys):
    for at, (way, draw) in enumerate(WAYS.items()):
        digit = (3 * at + 2) % 10
        draw(np.random.default_rng(at), digit).save(tmp_path / f"{digit} {way}.png")
    assert main(["predict", "reference-cnn", str(tmp_path), "--json"]) == 0
    answers = json.loads(capsys.readouterr().out)["answers"]
    wrong = [each["name"] for each in answers if each["name"].split("/")[-1][0] != str(each["class"])]
    assert len(answers) == 12 and not wrong, wrong
    assert not any(each["notes"] for each in answers)


@pytest.mark.parametrize("kind", ["empty", "almost uniform", "several digits"])
def test_a_picture_without_one_digit_gets_no_answer(tmp_path, kind):
    pictures = [picture for name, picture in no_digits(np.random.default_rng(1)) if name == kind][:4]
    for picture in pictures:
        picture.save(tmp_path / "picture.png")
        [(_, levels)] = read_levels(str(tmp_path / "picture.png"), (28, 28, 1))
        with pytest.raises(InputError, match="several shapes: expected one digit" if kind[0] == "s" else "blank"):
            adapt(levels, DIGITS, 28, 28, "picture", drawn=True)


def test_other_classes_than_digits_may_have_several_shapes():
    two = np.concatenate([np.asarray(WAYS["paint program"](np.random.default_rng(0), 0))] * 2, axis=1)
    assert adapt(two, LETTERS, 28, 28, "picture", drawn=True).notes == ["there seem to be several shapes"]
