"""`jitnet predict` of pictures: the ranked classes, the doubts, the steps, and what is drawn of few alone."""

import json

import numpy as np
import pytest
from commands import digits, refusal, settle, train

from jitnet.cli import main
from jitnet.commands.support import trained_run
from jitnet.data.pictures.prepare import Prepared
from jitnet.errors import InputError
from jitnet.model.scores import probabilities
from jitnet.run.trained import open_trained


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predict")
    with pytest.MonkeyPatch.context() as patch:
        digits(settle(patch, folder))
        train("run", "--lr", "0.01", epochs=1)
        yield folder


IMAGES = np.random.default_rng(0).integers(0, 256, (2, 6, 6), np.uint8)
STEPS = [("as read", np.full((5, 7), 9, np.uint8)), ("cut out", np.full((4, 3), 9, np.uint8))]
PICTURES = [
    ("a.png", Prepared(IMAGES[0], notes=["it is small", "it is grey"], steps=STEPS)),
    ("bad.png", InputError("bad.png: it is torn")),
    ("b.png", Prepared(IMAGES[1], steps=STEPS[:1])),
]


@pytest.fixture
def pictures(folder, monkeypatch):
    """Three pictures, the first of them doubtful, the second without an answer; and the probabilities of the others."""
    monkeypatch.setattr(trained_run, "pictures", lambda *_: iter(PICTURES))
    return probabilities(open_trained("run").network.logits(IMAGES[..., None]))


def test_each_line_has_the_answer_with_the_three_likeliest_classes_and_the_doubts(pictures, capsys):
    assert main(["predict", "run", "x.png"]) == 1
    lines = capsys.readouterr().out.splitlines()
    found = [line for line in lines if ".png: " in line]
    expected = []
    for chances, doubts in zip(pictures, ("    doubtful: it is small; it is grey", "")):
        ranked = sorted(range(3), key=lambda label: -chances[label])
        shown = "  ".join(f"{label} {100 * chances[label]:5.1f} %" for label in ranked)
        expected.append(f"{ranked[0]}    {shown}{doubts}")
    assert found == [f"a.png: {expected[0]}", "bad.png: no answer: it is torn", f"b.png: {expected[1]}"]
    assert lines[-1] == "by runs/run after 1 epoch, trained on digits; 1 of 3 have no answer"
    assert not any("as read" in line for line in lines)


def test_an_answer_for_programs_has_the_doubts_too(pictures, capsys):
    capsys.readouterr()
    assert main(["predict", "run", "x.png", "--json"]) == 1
    first, bad, second = json.loads(capsys.readouterr().out)["answers"]
    assert bad == {"name": "bad.png", "class": None, "error": "it is torn"}
    for each, name, chances, notes in (
        (first, "a.png", pictures[0], ["it is small", "it is grey"]),
        (second, "b.png", pictures[1], []),
    ):
        assert (each["name"], each["notes"], each["class"]) == (name, notes, str(chances.argmax()))
        assert list(each["probabilities"].values()) == pytest.approx(chances.tolist())


def test_the_steps_are_drawn_if_they_are_wanted_with_their_widths_and_heights(pictures, capsys):
    assert main(["predict", "run", "x.png", "--show-steps"]) == 1
    assert "\n  as read (7 x 5) -> cut out (3 x 4)\n" in capsys.readouterr().out


@pytest.mark.parametrize(("count", "drawn"), [(1, 1), (12, 12), (13, 0)])
def test_twelve_pictures_are_drawn_and_more_are_lines_alone(folder, capsys, count, drawn):
    np.save("some.npy", np.random.default_rng(0).integers(0, 256, (count, 6, 6), np.uint8))
    assert main(["predict", "run", "some.npy"]) == 0
    shown = capsys.readouterr().out
    assert shown.count(" predicted\n") == drawn and shown.count("some.npy") == count


def test_a_file_of_answers_is_of_a_table_alone(folder, capsys):
    np.save("some.npy", IMAGES)
    assert "--out is given without --csv" in refusal(capsys, "predict", "run", "some.npy", "--out", "a.csv")
    assert not (folder / "a.csv").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("some.npy", "--label", "0"), "--label is given without --csv"),
        (("some.npy", "--show-steps", "--json"), "--show-steps is given with --json"),
        (("--csv", "some.csv", "--show-steps"), "--show-steps is given with a table"),
    ],
)
def test_an_option_that_would_change_nothing_is_refused(folder, capsys, words, said):
    assert said in refusal(capsys, "predict", "run", *words)
