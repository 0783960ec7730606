"""The installed project: a wheel contains everything, and nothing that would collide with another package."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from jitnet.history import read_run

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"  # a copy: building leaves build/ and *.egg-info in the folder
    subprocess.run(["git", "-C", ROOT, "checkout-index", "-a", f"--prefix={sources}{os.sep}"], check=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, sources]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode and "setuptools" in done.stderr and "find a version" in done.stderr:
        pytest.skip("pip cannot reach the build requirements")
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_a_wheel_has_the_kernels_inside_jitnet_and_nowhere_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert "jitnet/kernels/fast/contraction.py" in names
    sources = {path.name for path in (ROOT / "jitnet" / "export" / "cpp").iterdir()}
    assert {f"jitnet/export/cpp/{name}" for name in sources} <= set(names) and "jitnet.hpp" in sources
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"jitnet"}
    packages = {"/".join(name.split("/")[:-1]) for name in names if name.endswith(".py")}
    folders = {path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "jitnet").rglob("*.py")}
    parts = {path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "kernels").rglob("*.py")}
    assert packages == folders | {f"jitnet/{part}" for part in parts}


def test_a_wheel_has_what_the_reference_network_needs_and_no_more(wheel):
    with zipfile.ZipFile(wheel) as archive:
        kept = {info.filename: info.file_size for info in archive.infolist() if "/kept_runs/" in info.filename}
    names = ("config.toml", "last.safetensors", "meta.json", "metrics.csv")
    assert set(kept) == {f"jitnet/kept_runs/reference-cnn/{name}" for name in names}
    assert sum(kept.values()) < 1_500_000


def test_the_program_runs_from_a_wheel(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site"), "PYTHONDONTWRITEBYTECODE": "1"}
    code = "import jitnet, jitnet.kernels.table as l; print(jitnet.__file__, l.__file__)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.split() == [
        str(tmp_path / "site" / "jitnet" / "__init__.py"),
        str(tmp_path / "site" / "jitnet" / "kernels" / "table.py"),
    ], done.stderr
    code = "from jitnet.export import twin; print(twin.source('jitnet.hpp').splitlines()[0])"
    done = subprocess.run([sys.executable, "-P", "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout.startswith("// jitnet.hpp: the kernels of jitnet"), done.stderr
    command = [sys.executable, "-m", "jitnet", "summary", "cnn"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert "359,846" in done.stdout, done.stderr
    command = [sys.executable, "-m", "jitnet", "runs", "show", "reference-cnn"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    accuracy = f"{read_run('reference-cnn', ROOT / 'runs').last('test_accuracy'):.2f} %"
    assert accuracy in done.stdout and str(tmp_path / "site" / "jitnet" / "kept_runs") in done.stdout, done.stderr


def test_a_bare_checkout_runs_without_being_installed(tmp_path):
    """`python -m jitnet` in the root imports the folder kernels/ of the checkout, not another package `kernels`."""
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels" / "__init__.py").write_text("raise ImportError('another package of that name')")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); sys.path.insert(0, sys.argv[2]);"
        "import jitnet.kernels.table as l; print(l.__file__)"
    )
    command = [sys.executable, "-S", "-c", code, str(ROOT), str(tmp_path)]
    numpy_home = Path(__import__("numpy").__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": str(numpy_home)}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == str(ROOT / "kernels" / "table.py"), done.stderr


@pytest.mark.slow
def test_an_editable_install_is_found_from_the_folder_above_the_clone(tmp_path):
    """There Python finds a folder named jitnet, the clone, before the package."""
    clone, prefix = tmp_path / "jitnet", tmp_path / "prefix"
    subprocess.run(["git", "-C", ROOT, "checkout-index", "-a", f"--prefix={clone}{os.sep}"], check=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--prefix", prefix, "--editable", clone]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": ""})
    if done.returncode and "setuptools" in done.stderr and "find a version" in done.stderr:
        pytest.skip("pip cannot reach the build requirements")
    assert done.returncode == 0, done.stderr
    (site,) = prefix.rglob("site-packages")
    for folder in (tmp_path, clone):
        code = f"import site; site.addsitedir({str(site)!r}); import jitnet, jitnet.cli; print(jitnet.__file__)"
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": ""},
            capture_output=True,
            text=True,
        )
        assert done.stdout.strip() == str(clone / "jitnet" / "__init__.py"), done.stderr
