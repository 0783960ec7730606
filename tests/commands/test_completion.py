"""Completion in bash, zsh and fish: what is offered for what is typed, in the shells themselves."""

import os
import select as selecting
import shutil
import subprocess
import time

import pytest
from commands import environment
from run_folders import write_run

from jitnet.cli import main
from jitnet.history import read_run, select
from jitnet.history.read import SHOWN, STATUSES, summary
from jitnet.run.folder import STATUS


@pytest.fixture
def runs(tmp_path):
    for name in "abc":
        write_run(tmp_path / "runs", name, [90.0])
    write_run(tmp_path / "elsewhere", "far", [90.0])
    (tmp_path / "elsewhere" / "table.csv").touch()
    return tmp_path / "runs"


COMPLETIONS = {  # what is typed: some of what is offered, and what is not
    "ru": ({"runs"}, {"resume"}),
    "runs ": ({"list", "show", "compare", "plot"}, {"a"}),
    "runs show ": ({"a", "b", "c", "latest"}, {"list"}),
    "runs compare a ": ({"a", "b", "c"}, set()),
    "resume l": ({"latest"}, {"a"}),
    "eval --runs-dir runs ": ({"a", "latest"}, {"far"}),
    "eval --runs-dir elsewhere ": ({"far", "latest"}, {"a"}),
    "predict a elsewhere/t": ({"elsewhere/table.csv"}, {"a"}),
    "predict a --csv elsewhere/t": ({"elsewhere/table.csv"}, {"a"}),
    "runs compare a --csv ": ({"b", "c"}, {"elsewhere"}),
    "import ": ({"weights", "onnx"}, set()),
    "import weights elsewhere/t": ({"elsewhere/table.csv"}, {"weights"}),
    "train cnn --kernels ": ({"fast", "simple"}, {"mlp"}),
    "summary --kernels ": ({"cnn", "mlp"}, {"fast", "simple"}),
    "train cnn --config elsew": ({"elsewhere"}, set()),
    "runs list --filter network=mlp-": ({"network=mlp-512-512"}, {"network=cnn"}),
    "train --sch": ({"--schedule"}, {"--seed"}),
    "train --schedule c": ({"cosine", "constant"}, {"documents"}),
    "train c": ({"cnn"}, {"mlp"}),
    "train mlp-": ({"mlp-512-512", "mlp-250-250"}, {"cnn"}),
    "runs plot a --metric test_": ({"test_accuracy", "test_loss"}, {"lr"}),
    "runs list --sort ac": ({"accuracy"}, {"loss"}),
    "runs list --filter ": ({"status=", "accuracy=", "batch_size="}, {"status"}),
    "runs list --filter status=d": ({"status=done", "status=diverged"}, {"status=crashed"}),
    "runs list --filter status = c": ({"crashed"}, {"done"}),
    "train cnn --optimizer = ad": ({"adam", "adamw"}, {"sgd"}),
    "train cnn --data fa": ({"fashion"}, {"mnist"}),
    "export ": ({"weights", "cpp"}, {"latest"}),
    "export cpp ": ({"latest", "a"}, {"weights"}),
    "data fetch ": ({"mnist", "fashion", "kmnist"}, {"status"}),
    "runs list --s": ({"--sort"}, {"--filter"}),
    "data f": ({"fetch"}, {"status"}),
    "completion ": ({"bash", "zsh", "fish"}, set()),
}


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize("typed", COMPLETIONS)
def test_bash_completes(runs, capsys, typed):
    main(["completion", "bash"])
    (runs.parent / "completion").write_text(capsys.readouterr().out)
    words = ["jitnet", *typed.split(" ")]
    code = 'source ./completion; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _jitnet; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "--norc", "-euc", code, "bash", *words], cwd=runs.parent, capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    offered, refused = COMPLETIONS[typed]
    assert offered <= set(done.stdout.split()) and not refused & set(done.stdout.split())


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_knows_the_home_folder(runs, capsys):
    main(["completion", "bash"])
    (runs.parent / "completion").write_text(capsys.readouterr().out)
    code = "source ./completion; COMP_WORDS=(jitnet eval --runs-dir '~/elsewhere' ''); COMP_CWORD=4; _jitnet"
    done = subprocess.run(
        ["bash", "--norc", "-euc", f"{code}; echo ${{COMPREPLY[@]}}"], cwd=runs.parent, capture_output=True, text=True,
        env=environment(runs.parent),
    )  # fmt: skip
    assert done.stdout.split() == ["latest", "far"], done.stderr


HOSTILE = ("$(touch pwned)", "`touch pwned`", "x;touch pwned", "a b", "$HOME", "\x1b[2Jx", "x\ny", "*", "-rf", "c'd")


@pytest.mark.parametrize(
    ("shell", "code"),
    [
        ("bash", "source ./completion; COMP_WORDS=(jitnet eval ''); COMP_CWORD=2; _jitnet; echo ${COMPREPLY[@]@Q}"),
        ("fish", "source completion; complete -C 'jitnet eval '"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_name_is_neither_run_nor_offered_if_jitnet_would_not_give_it(runs, capsys, shell, code):
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    for name in HOSTILE:
        (runs / name).mkdir()
        (runs / name / "meta.json").write_text("{}")
    main(["completion", shell])
    (runs.parent / "completion").write_text(capsys.readouterr().out)
    done = subprocess.run([shell, "-c", code], cwd=runs.parent, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert set(done.stdout.replace("'", "").split()) >= {"a", "b", "c"} and not (runs.parent / "pwned").exists()
    assert not any(mark in done.stdout for mark in ("touch", "HOME", "\x1b", "completion", "y\n", "rf", "d"))


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize("typed", [typed for typed in COMPLETIONS if " = " not in typed])
def test_fish_completes(runs, capsys, typed):
    main(["completion", "fish"])
    (runs.parent / "completion").write_text(capsys.readouterr().out)
    code = "source completion; complete -C $argv[1]"
    done = subprocess.run(
        ["fish", "--no-config", "-c", code, f"jitnet {typed}"], cwd=runs.parent, capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    found = {line.split("\t")[0] for line in done.stdout.splitlines()}
    offered, refused = COMPLETIONS[typed]
    if "=" not in typed:  # fish has no completion after a comparison
        assert offered <= found, found
    assert not refused & found


def test_fish_shows_the_help_and_its_quotes(capsys):
    main(["completion", "fish"])
    text = capsys.readouterr().out
    assert (
        "complete -c jitnet -n '__jitnet_at' -a train -d 'train a network and keep the run in its own folder'" in text
    )
    assert "-n '__jitnet_is eval' -a '(__jitnet_runs)'" in text and "-l target -x -d" in text
    assert "name of the sweep\\'s folder" in text
    assert "'__jitnet_is predict' -l csv -r -F" in text and "'__jitnet_is runs compare' -l csv -d" in text


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("jitnet runs li", "jitnet runs list"),
        ("jitnet runs plot a --metric val_ac", "jitnet runs plot a --metric val_accuracy"),
        ("jitnet runs list --filter status=cr", "jitnet runs list --filter status=crashed"),
        ("jitnet resume lat", "jitnet resume latest"),
    ],
)
def test_zsh_completes_what_is_typed(runs, capsys, typed, becomes):
    """In a zsh on a terminal, with the Tab key, since nothing less runs its completion."""
    pty = pytest.importorskip("pty")
    main(["completion", "zsh"])
    (runs.parent / "completion").write_text(capsys.readouterr().out)
    pid, leader = pty.fork()
    if pid == 0:
        os.chdir(runs.parent)
        os.execvpe("zsh", ["zsh", "-fi"], environment(runs.parent, TERM="dumb", PS1="ready> ", COLUMNS="200"))
    shown, deadline = b"", time.monotonic() + 30
    waiting = [(b"ready> ", b"source ./completion; jitnet() { echo called: $*. }; echo lo''aded\n"),
               (b"loaded", f"{typed}\t\n".encode())]  # fmt: skip
    wanted = f"called: {becomes.removeprefix('jitnet ')}.".encode()
    try:
        while wanted not in shown and time.monotonic() < deadline:
            if selecting.select([leader], [], [], 0.2)[0]:
                shown += os.read(leader, 65536)
            if waiting and waiting[0][0] in shown:
                os.write(leader, waiting.pop(0)[1])
    finally:
        os.close(leader)
        os.waitpid(pid, 0)
    assert wanted in shown.replace(b" .", b"."), shown.decode(errors="replace")


def test_all_that_runs_are_chosen_by_is_known_beforehand(runs):
    run = read_run("a", runs)
    assert tuple(summary(run)) == SHOWN and set(select.NAMES) == set(select.fields(run))
    assert {read_run(name, runs).status for name in "abc"} <= set(STATUSES)
    assert set(STATUS.values()) <= set(STATUSES)
