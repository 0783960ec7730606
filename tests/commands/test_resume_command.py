"""`jitnet resume`: which settings the rest of a run has, and what a finished run says in each view."""

import json
from types import SimpleNamespace

import pytest
from commands import digits, refusal, rows, settle, train

from jitnet.cli import main
from jitnet.commands import resume
from jitnet.config import Settings
from jitnet.errors import InputError

STOPPING = {"target_accuracy": 98.0, "patience": 3, "max_minutes": 2.0}
PLANNED = Settings(epochs=4, until=6, schedule="step", val=10, **STOPPING)  # four epochs, extended to six
LIFTED = dict.fromkeys(STOPPING, 0)


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({}, {}),
        ({"epochs": 6}, LIFTED),
        ({"epochs": 9}, LIFTED | {"until": 9}),
        ({"schedule": "cosine"}, {"schedule": "cosine", "epochs": 6}),
        ({"schedule": "cosine", "epochs": 9}, LIFTED | {"schedule": "cosine", "epochs": 9, "until": 9}),
    ],
)
def test_the_rest_of_a_run_has_its_settings_but_for_what_is_given(given, changed):
    folder = SimpleNamespace(settings=PLANNED, path="runs/run")
    assert resume._settings(folder, SimpleNamespace(epoch=2), given) == PLANNED.replace(**changed)


@pytest.mark.parametrize(("done", "least"), [(2, 6), (6, 6), (8, 8)])
def test_fewer_epochs_than_are_planned_or_done_are_refused(done, least):
    folder, position = SimpleNamespace(settings=PLANNED, path="runs/run"), SimpleNamespace(epoch=done)
    with pytest.raises(InputError, match=f"--epochs is {least - 1}: expected at least the {least} that runs/run has"):
        resume._settings(folder, position, {"epochs": least - 1})
    assert resume._settings(folder, position, {"epochs": least}).until == least


@pytest.mark.parametrize("reason", [None, "the target is reached"])
def test_a_finished_run_is_left_as_it_is_and_views_for_programs_say_nothing(tmp_path, monkeypatch, capsys, reason):
    digits(settle(monkeypatch, tmp_path))
    run = train("run", epochs=1)
    meta = json.loads((run / "meta.json").read_text())
    (run / "meta.json").write_text(json.dumps(meta | ({"stop_reason": reason} if reason else {})))
    if reason:
        config = (run / "config.toml").read_text()
        (run / "config.toml").write_text(config.replace("epochs = 1", "epochs = 3").replace("until = 1", "until = 3"))
    capsys.readouterr()
    for view, said in (("json", False), ("quiet", False), ("plain", True)):
        assert main(["resume", "run", "--ui", view]) == 0
        shown = capsys.readouterr()
        assert bool(shown.out) == said and shown.err == "", view
    assert (reason or "1 epochs are done; --epochs N would extend it") in shown.out and len(rows(run)) == 1
    assert not reason or "\n--epochs 3 would continue it\n" in shown.out
    assert "at least the 3" in refusal(capsys, "resume", "run", "--epochs", "2") if reason else True
