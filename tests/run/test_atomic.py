"""Saving under kills, failing disks and power losses: at every moment a valid checkpoint has a name."""

import contextlib
import errno
import itertools
import os
import subprocess
import sys
from pathlib import Path

import figures
import numpy as np
import pytest
from processes import HELPERS

from jitnet.errors import InputError
from jitnet.storage.atomic import replace_file, sync_folder
from jitnet.storage.checkpoint import SaveError, load, save, save_rotating

CALLS = ("open", "write", "fsync", "close", "link", "replace", "unlink")


def state(n: int) -> dict[str, np.ndarray]:
    return {"w": np.full(300, n, np.float32), "position": np.array([n, 0, n])}


def rotate(folder: Path, n: int) -> None:
    save_rotating(folder / "last", folder / "previous", state(n), {})


def valid(folder: Path) -> dict[str, int]:
    """Which state each valid checkpoint holds."""
    found = {}
    for name in ("last", "previous"):
        with contextlib.suppress(InputError):
            found[name] = int(load(folder / name)[0]["position"][0])
    return found


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


class Disk:
    """Counts the system calls of a save, and lets the `fail_at`-th one fail."""

    def __init__(self, monkeypatch, fail_at: int = 0, number: int = errno.EIO, refuse: str = ""):
        self.calls: list[str] = []
        for name in CALLS:
            monkeypatch.setattr(os, name, self._wrap(name, getattr(os, name), fail_at, number, refuse))

    def _wrap(self, name, real, fail_at, number, refuse):
        def call(*args, **options):
            self.calls.append(name)
            if name == refuse:
                raise OSError(errno.EPERM, "no such operation here")
            if name == "write":
                args = (args[0], args[1][:700])  # short writes, so that files can be torn
            fails = len(self.calls) == fail_at
            if not fails or name == "close":  # a descriptor is gone even if closing it reports an error
                result = real(*args, **options)
            if fails:
                raise OSError(number, os.strerror(number))
            return result

        return call


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("refuse", ["", "link"])
def test_every_failing_call_leaves_valid_checkpoints_and_no_litter(tmp_path, monkeypatch, number, refuse):
    for fail_at in itertools.count(1):
        folder = tmp_path / str(fail_at)
        folder.mkdir()
        rotate(folder, 1)
        rotate(folder, 2)
        with monkeypatch.context() as patch:
            disk = Disk(patch, fail_at, number, refuse)
            try:
                rotate(folder, 3)
                failed = False
            except SaveError as error:
                failed = os.strerror(number) in str(error) and str(folder / "last") in str(error)
        found = valid(folder)
        assert set(names(folder)) == set(found) <= {"last", "previous"}
        if fail_at > len(disk.calls):
            assert not failed and found == {"last": 3, "previous": 2}
            break
        if disk.calls[fail_at - 1] in ("link", "unlink"):  # these have another way to the same end
            assert not failed and found == {"last": 3, "previous": 2}
        else:
            assert failed and 2 in found.values()
        rotate(folder, 4)
        assert valid(folder)["last"] == 4
    assert fail_at > 10


def test_a_failed_fsync_is_not_tried_again(tmp_path, monkeypatch):
    save(tmp_path / "x", state(1), {})
    disk = Disk(monkeypatch)
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda _: (real(_), (_ for _ in ()).throw(OSError(errno.EIO, "I/O error"))))
    with pytest.raises(SaveError, match="I/O error"):
        save(tmp_path / "x", state(2), {})
    assert disk.calls.count("fsync") == 1 and disk.calls[-2:] == ["close", "unlink"]
    monkeypatch.undo()
    assert load(tmp_path / "x")[0]["position"][0] == 1 and names(tmp_path) == ["x"]


def test_what_reads_back_different_is_not_kept(tmp_path, monkeypatch):
    replace_file(tmp_path / "x", b"old")
    monkeypatch.setattr(Path, "read_bytes", lambda path: b"rotten")
    with pytest.raises(OSError, match="reads back different"):
        replace_file(tmp_path / "x", b"new")
    monkeypatch.undo()
    assert (tmp_path / "x").read_bytes() == b"old" and names(tmp_path) == ["x"]


def test_a_new_file_is_for_whom_the_mask_lets(tmp_path):
    before = os.umask(0o026)
    try:
        replace_file(tmp_path / "x", b"new")
    finally:
        os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640


def test_an_interrupt_leaves_no_litter(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        replace_file(tmp_path / "x", b"new")
    assert names(tmp_path) == []


def test_a_file_system_that_cannot_sync_folders_is_served(tmp_path, monkeypatch):
    def invalid(_):
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", invalid)
    sync_folder(tmp_path)


KILLED = """
import itertools, os, signal, sys
from pathlib import Path
sys.path[:0] = {tests!r}
from test_atomic import CALLS, rotate

def arm(kill_at, refuse):
    calls = 0
    def wrap(name, real):
        def call(*args, **options):
            nonlocal calls
            calls += 1
            if calls == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            if name == refuse:
                raise PermissionError
            return real(*((args[0], args[1][:700]) if name == "write" else args), **options)
        return call
    for name in CALLS:
        setattr(os, name, wrap(name, getattr(os, name)))

for kill_at in itertools.count(1):
    folder = Path(sys.argv[1], str(kill_at))
    folder.mkdir(parents=True)
    rotate(folder, 1)
    rotate(folder, 2)
    child = os.fork()
    if child == 0:
        arm(kill_at, sys.argv[2])
        rotate(folder, 3)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
"""


@pytest.mark.parametrize("refuse", ["", "link"])
def test_a_kill_before_every_system_call(tmp_path, refuse):
    script = KILLED.format(tests=[str(Path(__file__).parent), *map(str, HELPERS)])
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", script, str(tmp_path), refuse], check=True, cwd=root, timeout=60)
    folders = list(tmp_path.iterdir())
    assert len(folders) > 12
    for folder in folders:
        found = valid(folder)
        assert found and found.get("last", found.get("previous")) in (2, 3)
        assert refuse or len(found) == 2  # where links work, `last` never vanishes
        rotate(folder, 4)  # also after a kill that left both names on one file
        rotate(folder, 5)
        assert valid(folder) == {"last": 5, "previous": 4}
        litter = set(names(folder)) - {"last", "previous"}
        assert all(name.startswith(".") and name.endswith(".tmp") for name in litter)


class PowerLoss:
    """Records a save's effects, then tells every state the disk may be in when the power goes.

    The data of a file that was not synced may be missing, torn, zeros or whole. Of the changes to a folder
    since its last sync, any subset may have happened, each one whole, as journals guarantee.
    """

    def __init__(self, monkeypatch, folder: Path, ignored: int = 0):
        self.syncs = 0  # of which the `ignored`-th does nothing
        self.durable = {name: (folder / name).read_bytes() for name in names(folder)}
        self.live: dict[str, object] = dict(self.durable)  # name -> data, or a file: [data so far, synced]
        self.pending: list[dict[str, object]] = []  # changes of names, None for a name that goes
        self.states: list[dict[str, bytes]] = []
        files: dict[int, list] = {}
        real = {name: getattr(os, name) for name in CALLS}

        def change(**changes):
            self.pending.append(changes)
            self.live.update(changes)

        def opened(path, flags, *mode):
            descriptor = real["open"](path, flags, *mode)
            if flags & os.O_CREAT:
                files[descriptor] = [b"", False]
                change(**{Path(path).name: files[descriptor]})
            return descriptor

        def write(descriptor, data):
            written = real["write"](descriptor, data[:700])
            files[descriptor][0] += bytes(data[:written])
            return written

        def fsync(descriptor):
            self.syncs += 1
            if self.syncs == ignored:
                return
            if descriptor in files:
                files[descriptor][1] = True
            else:
                self.durable, self.pending = dict(self.live), []

        def close(descriptor):
            files.pop(descriptor, None)
            real["close"](descriptor)

        def link(path, name):
            real["link"](path, name)
            change(**{Path(name).name: self.live[Path(path).name]})

        def replace(path, name):
            real["replace"](path, name)
            change(**{Path(path).name: None, Path(name).name: self.live[Path(path).name]})

        def unlink(path):
            real["unlink"](path)
            change(**{Path(path).name: None})

        for name, act in zip(CALLS, (opened, write, fsync, close, link, replace, unlink)):
            monkeypatch.setattr(os, name, self._then_cut(act))

    def _then_cut(self, act):
        def call(*args, **options):
            try:
                return act(*args, **options)
            finally:
                self.cut()

        return call

    def cut(self) -> None:
        """Add every state of this moment."""
        for happened in itertools.product([False, True], repeat=len(self.pending)):
            disk = dict(self.durable)
            for changes in itertools.compress(self.pending, happened):
                disk.update(changes)
            for damage in (lambda d: b"", lambda d: d[: len(d) // 2], lambda d: bytes(len(d)), lambda d: d):
                self.states.append(
                    {
                        name: file if isinstance(file, bytes) else file[0] if file[1] else damage(file[0])
                        for name, file in disk.items()
                        if file is not None
                    }
                )


def worst(folder: Path, states: list[dict[str, bytes]]) -> int:
    """The oldest among the newest valid states; -1 if one disk has none."""
    memory: dict[bytes, int] = {}

    def held(data: bytes) -> int:
        if data not in memory:
            (folder / "probe").write_bytes(data)
            try:
                memory[data] = int(load(folder / "probe")[0]["position"][0])
            except InputError:
                memory[data] = -1
        return memory[data]

    return min(max(held(disk.get(name, b"")) for name in ("last", "previous")) for disk in states)


def after_power_loss(monkeypatch, tmp_path: Path, before: int, ignored: int = 0) -> tuple[int, int, int, int]:
    """Rotate once; the worst state during it, the worst after it, the number of states and of syncs."""
    folder = tmp_path / "run"
    folder.mkdir()
    for n in range(before):
        rotate(folder, n)
    with monkeypatch.context() as patch:
        loss = PowerLoss(patch, folder, ignored)
        rotate(folder, before)
        during, loss.states = loss.states, []
        loss.cut()
    return worst(tmp_path, during), worst(tmp_path, loss.states), len(during), loss.syncs


@pytest.mark.parametrize("before", [1, 2])
def test_power_loss_at_every_moment(tmp_path, monkeypatch, before):
    """What an earlier save, or this one, returned from is there."""
    during, after, states, syncs = after_power_loss(monkeypatch, tmp_path, before)
    assert (during, after) == (before - 1, before)
    assert states > 200 and syncs == 2  # of the file, and of the folder
    figures.note("power_loss", **{f"after {before} saves": states})


@pytest.mark.parametrize("ignored", [1, 2])
@pytest.mark.parametrize("before", [1, 2])
def test_a_missing_sync_is_caught(tmp_path, monkeypatch, ignored, before):
    during, after, _, _ = after_power_loss(monkeypatch, tmp_path, before, ignored)
    assert (during, after) < (before - 1, before)


@pytest.mark.parametrize("path", [".", "/"])
def test_a_folder_is_no_file_to_write(path):
    with pytest.raises(IsADirectoryError):
        replace_file(Path(path), b"")
