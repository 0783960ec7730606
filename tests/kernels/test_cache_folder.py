"""Old folders of compiled kernels go when a new version makes its own; those that a process uses stay."""

import os
import shutil
import subprocess
import sys
import time

import pytest
from processes import ROOT, environment_with, run_json

from jitnet.kernels.compiler import cache_folder

OURS = "place\nkernels-x86_64-py311\n"


@pytest.fixture
def root(tmp_path, monkeypatch):
    held: list[int] = []
    monkeypatch.setattr(cache_folder, "_held", held)
    yield tmp_path / "cache"
    for descriptor in held:
        os.close(descriptor)


def name(number: int) -> str:
    return f"kernels-x86_64-py311-{number:016x}"


def made(root, number: int, made_for: str | None = OURS, days: float = 0.0):
    """Make a folder that no process uses any more."""
    folder = root / name(number)
    folder.mkdir(parents=True)
    (folder / "kernel.nbc").write_bytes(b"x")
    for path in (folder / cache_folder.NOTE, folder):
        if made_for is not None and path != folder:
            path.write_text(made_for)
        if path.exists():
            os.utime(path, (time.time() - 86400 * days,) * 2)
    return folder


def test_obsolete_folders_are_removed_and_the_others_stay(root):
    gone = [made(root, 1), made(root, 2, days=3), made(root, 3, "elsewhere", days=31), made(root, 4, None, days=31)]
    kept = [made(root, 5, "elsewhere"), made(root, 6, "elsewhere", days=29), made(root, 7, None, days=29)]
    for other in ("data", "kernels-x86_64-py311", f"{name(8)}-mine"):
        kept.append(shutil.copytree(gone[0], root / other))
    kept.append(root / name(9))
    kept[-1].symlink_to(root / "data")
    assert cache_folder.open_folder(root / name(0), OURS)
    assert not any(folder.exists() for folder in gone)
    assert all((folder / "kernel.nbc").exists() for folder in kept) and (root / name(0)).is_dir()
    assert not list(root.glob(".*"))


def test_a_folder_that_is_there_already_removes_nothing(root):
    kept = [made(root, 0), made(root, 1)]
    assert cache_folder.open_folder(kept[0], OURS) and all(folder.is_dir() for folder in kept)


HOLD = """
import sys
from pathlib import Path
from jitnet.kernels.compiler import cache_folder
assert cache_folder.open_folder(Path(sys.argv[1]), sys.argv[2])
print("held", flush=True)
sys.stdin.read()
assert Path(sys.argv[1]).is_dir()
"""


def hold(folder):
    return subprocess.Popen([sys.executable, "-c", HOLD, str(folder), OURS], env=environment_with(),
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip


@pytest.mark.skipif(cache_folder.fcntl is None, reason="no locks")
def test_a_folder_in_use_is_never_removed(root):
    with hold(root / name(1)) as process:
        assert process.stdout.readline() == "held\n"
        os.utime(root / name(1) / cache_folder.NOTE, (0, 0))  # at any age
        assert cache_folder.open_folder(root / name(2), OURS) and (root / name(1)).is_dir()
        process.communicate()
    assert process.returncode == 0
    assert cache_folder.open_folder(root / name(3), OURS)
    assert not (root / name(1)).exists() and (root / name(2)).is_dir()  # ours is held by this process


@pytest.mark.skipif(cache_folder.fcntl is None, reason="no locks")
def test_many_versions_at_once_keep_their_own(root):
    root.mkdir()
    processes = [hold(root / name(number)) for number in range(6)]
    for process in processes:
        assert process.stdout.readline() == "held\n"
    for number, process in enumerate(processes):
        assert (root / name(number)).is_dir()
        process.communicate()
        assert process.returncode == 0


def test_a_folder_that_cannot_be_made(root):
    root.mkdir()
    (root / name(0)).write_text("a file")
    assert not cache_folder.open_folder(root / name(0), OURS)
    assert not cache_folder.open_folder(root / name(0) / "deeper" / name(1), OURS)


FOLDER = """
import json
from jitnet.kernels.compiler import decorators
print(json.dumps(decorators.CACHE_FOLDER.name))
"""


def test_an_edited_source_makes_a_new_folder_in_place_of_the_old_one(tmp_path):
    for part in ("jitnet", "kernels"):
        shutil.copytree(ROOT / part, tmp_path / "copy" / part, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {"JITNET_CACHE_DIR": str(tmp_path / "cache"), "NUMBA_CACHE_DIR": "", "NUMBA_DISABLE_JIT": "0"}
    code = f"import sys\nsys.path.insert(0, {str(tmp_path / 'copy')!r})\n{FOLDER}"
    first = run_json(code, **environment)
    other_tile = run_json(code, **environment, JITNET_TILE="generic")
    source = tmp_path / "copy" / "kernels" / "layers" / "loss.py"
    source.write_text(source.read_text() + "\n# another version\n")
    second = run_json(code, **environment)
    assert len({first, other_tile, second}) == 3
    assert {folder.name for folder in (tmp_path / "cache").iterdir()} == {other_tile, second}
