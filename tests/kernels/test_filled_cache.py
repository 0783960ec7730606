"""Kernels that a wheel brings are used only where the sources, the versions and the processor are the right ones."""

import hashlib
import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numba
import pytest

from jitnet.kernels.compiler import cache, filled_cache
from jitnet.kernels.tools.fma_peak import fma_peak
from jitnet.machine import peak
from jitnet.training.compile_tools import compile_peak

ELSEWHERE = ("triple", "x86-64-v3", "+avx2")  # numba's name of another processor


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Pack the kernel that measures the machine, as if compiled for another processor, in the folder."""
    if cache.CACHE_FOLDER is None:
        pytest.skip("kernels have no cache here")
    list(compile_peak())
    for path in cache.CACHE_FOLDER.glob("tools_*/fma_peak.*.nb?"):
        copy = tmp_path / "cache" / path.parent.name / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(for_elsewhere(path.read_bytes()) if path.suffix == ".nbi" else path.read_bytes())
    monkeypatch.setattr(filled_cache, "COMPILED", tmp_path / "compiled")
    pack(tmp_path, "plain", "")
    return tmp_path


def pack(folder: Path, name: str, features: str) -> None:
    filled_cache.pack(folder / "cache", "this code", features, folder / "compiled", name)


def for_elsewhere(index: bytes) -> bytes:
    first = len(pickle.dumps(numba.__version__, protocol=-1))
    stamp, overloads = pickle.loads(index[first:])
    return index[:first] + pickle.dumps((stamp, {(key[0], ELSEWHERE, key[2]): name for key, name in overloads.items()}))


def copied(folder: Path, made_for: str = "this code") -> list[str]:
    """Copy into a new cache folder and return the names of the files that are there afterwards."""
    new = folder / "new"
    new.mkdir()
    there = filled_cache.copy_into(new, made_for)
    names = [path.relative_to(new).as_posix() for path in new.rglob("*") if path.is_file()]
    assert (there == (".filled" in names) and not there) or len(names) >= 3
    return sorted(names)


def test_numba_finds_a_copied_kernel_as_if_it_were_compiled_here(made):
    copied(made)
    signature = tuple(map(numba.typeof, peak.arguments(1, 1)))
    here = fma_peak._cache
    file = type(here._cache_file)(
        str(made / "new" / Path(here._cache_path).name), here._impl.filename_base, here._impl.locator.get_source_stamp()
    )
    assert file._load_index()[here._index_key(signature, fma_peak.targetctx.codegen())]
    assert all(key[1] != ELSEWHERE for key in file._load_index())
    assert file.load(here._index_key(signature, fma_peak.targetctx.codegen()))


def test_a_cache_is_filled_once(made):
    copied(made)
    for path in (made / "new").glob("tools_*/*"):
        path.unlink()
    assert filled_cache.copy_into(made / "new", "this code") and not list((made / "new").glob("tools_*/*"))


@pytest.mark.parametrize("name", ["made_for", "python"])
def test_kernels_of_other_sources_or_another_python_are_not_used(made, name):
    path = made / "compiled" / "plain.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: "other"}))
    assert copied(made) == []


def test_the_version_of_numba_is_part_of_what_the_code_is_made_for(monkeypatch):
    for module in (cache.numba, cache.llvmlite, cache.numpy):
        before = cache.identity()
        monkeypatch.setattr(module, "__version__", "1.2.3")
        assert cache.identity() != before


def test_kernels_for_a_processor_with_more_instructions_are_not_used(made):
    (made / "compiled" / "plain.json").unlink()
    pack(made, "later", "+sse2,+an-instruction-of-2040")
    assert copied(made) == []


def test_the_kernels_with_the_most_instructions_are_used(made, monkeypatch):
    monkeypatch.setattr(filled_cache.llvmlite.binding, "get_host_cpu_features", lambda: {"one": True, "two": True})
    (made / "cache" / next((made / "cache").iterdir()) / "more.nbc").touch()
    pack(made, "more", "+one,+two,-three")
    pack(made, "most", "+one,+two,+four")
    assert any(name.endswith("more.nbc") for name in copied(made))


@pytest.mark.parametrize("suffix", ["zip", "json"])
@pytest.mark.parametrize("content", [b"", b"garbage", b"[]", None])
def test_damaged_kernels_are_not_used(made, suffix, content):
    path = made / "compiled" / f"plain.{suffix}"
    if content is None:
        content = path.read_bytes()[:-20] if suffix == "json" else path.read_bytes().replace(b"PK", b"KP", 1)
    path.write_bytes(content)
    assert copied(made) == []


@pytest.mark.parametrize("name", ["../outside.nbc", "tools/../../outside.nbc", "/outside.nbc", "tools/none.nbi", ""])
def test_an_archive_that_pack_never_writes_is_not_used(made, name):
    """Also where its digest is right: kernels are compiled as usual, and nothing is written elsewhere."""
    archive = made / "compiled" / "plain.zip"
    if name:
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr(name, b"no kernel")
    else:
        archive.write_bytes(b"no archive")
    about = archive.with_suffix(".json")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    about.write_text(json.dumps(json.loads(about.read_text()) | {"sha256": digest}))
    assert not copied(made) and not list(made.rglob("outside*"))


def test_a_wheel_without_kernels_fills_nothing(made, monkeypatch):
    monkeypatch.setattr(filled_cache, "COMPILED", made / "none")
    assert copied(made) == []


@pytest.mark.parametrize("wanted", [{"JITNET_TILE": "generic"}, {"NUMBA_CPU_NAME": "generic"}])
def test_a_tile_or_a_processor_that_is_asked_for_is_compiled(tmp_path, wanted):
    """The code of a wheel is for the processor that it finds."""
    asked = (
        "import json; from pathlib import Path; from jitnet.kernels.compiler import filled_cache as f;"
        "f.copy_into = lambda *_: print('copied');"
        "import jitnet.kernels.compiler.cache; print(json.dumps(0))"
    )
    environment = os.environ | {"JITNET_CACHE_DIR": str(tmp_path), "NUMBA_CACHE_DIR": ""}
    for more, expected in (({}, "copied\n0\n"), (wanted, "0\n")):
        done = subprocess.run([sys.executable, "-c", asked], env=environment | more, capture_output=True, text=True)
        assert done.stdout == expected, done.stderr


@pytest.mark.slow
def test_the_first_start_from_a_filled_wheel_compiles_nothing(tmp_path):
    """The command of docs/installing.md, for both kinds of x86-64; about six minutes of two cores."""
    pytest.importorskip("wheel")
    root = Path(__file__).resolve().parents[2]
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(root)]
    subprocess.run(build, check=True)
    (plain,) = tmp_path.glob("*.whl")
    fill = [sys.executable, "-m", "jitnet.kernels.compiler.fill_wheel", str(plain), "--out", str(tmp_path / "filled")]
    subprocess.run(fill, check=True, cwd=root)
    (filled,) = (tmp_path / "filled").glob("*.whl")
    zipfile.ZipFile(filled).extractall(tmp_path / "site")
    environment = os.environ | {
        "PYTHONPATH": str(tmp_path / "site"), "JITNET_CACHE_DIR": str(tmp_path / "kernels"), "NUMBA_CACHE_DIR": "",
    }  # fmt: skip
    for more in ((), ("--batch-size", "64"), ("--augment", "light"), ("--loss", "mse")):
        words = ("train", "cnn", "--data", "synthetic", "--limit", "200", "--epochs", "1", "--ui", "json", *more)
        command = [sys.executable, "-P", "-m", "jitnet", *words]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        events = [json.loads(line) for line in done.stdout.splitlines()]
        assert all(event["cached"] for event in events if event["event"] == "Compiling"), more
