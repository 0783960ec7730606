"""If anything is damaged in one run, the others are shown, and no command ends in a traceback."""

import json
import os
import random
import shutil
import signal

import damage
import pytest
from commands import TINY, digits, settle, train

from jitnet.cli import main
from jitnet.run import schema

IN_RUN, IN_SWEEP = list(damage.in_run()), list(damage.in_sweep())
QUICK = (  # commands that need no kernel
    "runs list",
    "runs list --json",
    "runs list --sort lr --filter epochs>0",
    "runs show victim",
    "runs show victim --json",
    "runs compare good victim other",
    "runs compare victim good --csv",
    "runs compare good other victim --markdown",
    "runs plot victim good",
    "runs plot good victim --metric step_loss --x epoch",
    "runs plot victim other --metric step_loss --x time",
)
SLOW = (
    "eval victim",
    "report victim good --out page.html",
    "ensemble good victim other",
    "resume victim --epochs 3 --ui plain",
    "errors victim",
    "trace victim",
    "export cpp victim --out twin",
    "repeat --seeds 2 --epochs 2 --name sweep --ui plain",
)
REPEAT = ["repeat", "cnn", "--seeds", "2", "--epochs", "1", "--workers", "1", "--name", "sweep"]
SWEEP = ("runs compare sweep", "report sweep --out page.html", "ensemble sweep", "runs plot sweep")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three runs and a sweep, one of whose trials is the third run."""
    home = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        settle(patch, home)
        digits(home, train=60, test=30)
        for name in ("good", "other"):
            train(name)
        assert main([*REPEAT, "--ui", "quiet", *TINY]) == 0
    return home


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    """A copy of them as the working folder, with `victim` for a run to be damaged."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return settle(monkeypatch, tmp_path)


def fresh(folder, made, *names):
    for name in names:
        place = folder / "runs" / name
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(made / "runs" / ("good" if name == "victim" else name), place)


def run(capsys, words):
    """Run a command within a minute; returns its exit code and output."""
    capsys.readouterr()
    signal.alarm(60)
    try:
        code = main(words.split())
    finally:
        signal.alarm(0)
    out, err = capsys.readouterr()
    assert code in (0, 2), (words, code, err)
    assert "\x1b" not in out + err and "Traceback" not in err, (words, out, err)
    assert code == 0 or err.splitlines()[-1].startswith("jitnet: "), (words, err)
    return code, out, err


def sample(cases, count):
    return random.Random(0).sample(cases, min(count, len(cases)))


def check_quick(capsys, name):
    """All commands that need no kernel; the other runs are listed and compared as ever."""
    for words in QUICK:
        code, out, err = run(capsys, words)
        if words == "runs list":
            listed = {line.split()[0]: line.split()[1] for line in out.partition("\n\n")[0].splitlines()[1:-1]}
            assert listed["good"] == listed["other"] == "done", (name, out)
            assert "victim" in listed or name.startswith("meta.json: gone"), (name, out)
            assert (listed.get("victim") == "damaged") == ("warning: " in err), (name, out, err)
        if words == "runs list --json":
            assert {"good", "other"} <= {each["name"] for each in json.loads(out)}
        if words.startswith("runs compare good") and not name.startswith("meta.json: gone"):
            assert code == 0 and "accuracy" in out, (name, err)


def test_null_is_as_good_as_not_there(folder, made, capsys):
    fresh(folder, made, "victim")
    file = folder / "runs" / "victim" / "meta.json"
    meta = json.loads(file.read_text())
    optional = set(schema.META) - {"status", "title", "data", "created"}
    file.write_text(json.dumps(meta | dict.fromkeys(optional)))
    check_quick(capsys, "null")
    assert not optional & set(schema.read_meta(file.parent))


@pytest.mark.parametrize("part", range(2))
def test_a_damaged_run_does_not_hide_the_others(folder, made, capsys, part):
    for name, change in sample(IN_RUN, 40)[part::2]:
        fresh(folder, made, "victim")
        change(folder / "runs" / "victim")
        check_quick(capsys, name)


def test_commands_with_kernels_take_or_refuse_a_damaged_run(folder, made, capsys):
    for name, change in sample(IN_RUN, 300)[-5:]:
        check_slow(folder, made, capsys, name, change)


def check_slow(folder, made, capsys, name, change):
    for words in SLOW[:-1]:
        fresh(folder, made, "victim")
        change(folder / "runs" / "victim")
        code, _, err = run(capsys, words)
        if words.startswith(("report", "ensemble")) and not name.startswith("meta.json: gone"):
            assert code == 0 or "as the first run" in err, (name, words, err)


def test_a_damaged_sweep_is_read_or_refused(folder, made, capsys):
    for _, change in sample(IN_SWEEP, 25):
        fresh(folder, made, "sweep")
        change(folder / "runs" / "sweep")
        for words in SWEEP:
            run(capsys, words)


@pytest.mark.parametrize("name", damage.FILES)
def test_what_a_link_leads_to_is_not_changed_and_a_huge_file_hides_no_run(folder, made, capsys, name):
    fresh(folder, made, "victim")
    damage.WHOLE["60 GB"](folder / "runs" / "victim" / name)
    check_quick(capsys, name)
    for words in ("runs tag victim best", "resume victim --epochs 3 --ui quiet"):
        fresh(folder, made, "victim")
        damage.WHOLE["a link to another file"](folder / "runs" / "victim" / name)
        run(capsys, words)
        assert (folder / "precious").read_text() == "precious\n", (name, words)


def test_a_huge_table_of_a_sweep_is_not_read(folder, made, capsys):
    fresh(folder, made, "sweep")
    damage.WHOLE["60 GB"](folder / "runs" / "sweep" / "table.csv")
    for words in ("runs list", *SWEEP):
        assert run(capsys, words)[0] == 0, words


@pytest.mark.slow
def test_every_damage(folder, made, capsys):
    for name, change in IN_RUN:
        fresh(folder, made, "victim")
        change(folder / "runs" / "victim")
        check_quick(capsys, name)
    for _, change in IN_SWEEP:
        fresh(folder, made, "sweep")
        change(folder / "runs" / "sweep")
        for words in SWEEP:
            run(capsys, words)


@pytest.mark.slow
def test_every_tenth_damage_with_kernels(folder, made, capsys):
    for name, change in sample(IN_RUN, len(IN_RUN) // 10):
        check_slow(folder, made, capsys, name, change)


def test_a_damaged_trial_fails_and_the_others_are_trained(folder, capsys):
    trial = next(path for path in (folder / "runs" / "sweep").iterdir() if path.is_dir())
    (trial / "config.toml").write_text('epochs = "nine"\n')
    assert main([*REPEAT, "--ui", "plain", *TINY]) == 1
    out, err = capsys.readouterr()
    assert "1 done, 1 failed" in out or "1 failed, 1 done" in out, (out, err)
    assert "config.toml" in out and os.path.exists(folder / "runs" / "sweep" / "table.csv")
    _, _, err = run(capsys, "runs compare sweep")
    assert "config.toml" in err
