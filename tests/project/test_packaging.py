"""The project as it is installed: a wheel holds everything, and nothing that would collide with another package."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"  # a copy: building leaves build/ and *.egg-info behind
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
    assert "jitnet/kernels/layers/contraction.py" in names
    sources = {path.name for path in (ROOT / "jitnet" / "export" / "cpp").iterdir()}
    assert {f"jitnet/export/cpp/{name}" for name in sources} <= set(names) and "jitnet.hpp" in sources
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"jitnet"}
    packages = {"/".join(name.split("/")[:-1]) for name in names if name.endswith(".py")}
    folders = {path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "jitnet").rglob("*.py")}
    parts = {path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "kernels").rglob("*.py")}
    assert packages == folders | {f"jitnet/{part}" for part in parts}


def test_the_programme_runs_from_a_wheel(wheel, tmp_path):
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


def test_a_bare_checkout_runs_without_being_installed(tmp_path):
    """`python -m jitnet` in the root finds kernels/ beside jitnet/, whatever another `kernels` package is called."""
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
