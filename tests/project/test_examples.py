"""The Python examples of the documents run, each document in its own process and folder."""

import os
import re
import subprocess
import sys

import pytest
from processes import ROOT

from jitnet.model import architecture


def blocks(name):
    """Return the Python code of a document, at the lines where it is in the document."""
    code, inside = [], False
    for line in (ROOT / name).read_text(encoding="utf-8").split("\n"):
        if line.startswith("```"):
            inside = line == "```python"
            line = ""
        code.append(line if inside else "")
    return "\n".join(code)


def run(path, folder):
    """Run a program in a folder; warnings are errors."""
    words, environment = [sys.executable, "-W", "error", path], os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# The trainings are short, and the coach says that they could be longer.
ADVISED = "import warnings, jitnet.errors; warnings.simplefilter('ignore', jitnet.errors.LearningWarning)\n"


@pytest.mark.parametrize("name", ["docs/use-from-python.md", "docs/troubleshooting.md"])
def test_the_examples_run(name, tmp_path):
    path = tmp_path / "example.py"
    path.write_text(ADVISED + blocks(name), encoding="utf-8")
    run(path, tmp_path)


FEW = """
import jitnet.data
few = jitnet.data.load("synthetic")
jitnet.data.load_mnist = lambda: ((few.x_train[:200], few.y_train[:200]), (few.x_test, few.y_test))
"""


def test_the_example_of_the_readme_runs(tmp_path):
    """On few images: the full example takes a minute."""
    (tmp_path / "few.py").write_text(ADVISED + FEW + blocks("README.md"))
    run(tmp_path / "few.py", tmp_path)
    assert (tmp_path / "digits.safetensors").exists()


def test_the_network_of_the_readme_is_that_of_the_sources():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"`(Conv\(16\), .*?)`", text)[1]
    assert eval(f"({shown})", vars(architecture)) == (*architecture.CNN,)
    outputs = re.search(r"of 28x28x1 one\nof (.*?), read as 3,136 numbers", text)[1].split(", ")
    network = architecture.shapes(architecture.CNN, (28, 28, 1))[: len(outputs)]
    assert outputs == ["x".join(map(str, shape.outputs)) for shape in network]
