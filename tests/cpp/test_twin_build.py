"""Building the C++ twin: no compiler warns, vector types are not required, predict does not use the heap."""

import shutil

import pytest
from twins import ROOT, WARNINGS, Program, compiled, compiler


@pytest.mark.parametrize("name", ["g++", "clang++"])
@pytest.mark.parametrize("source", ["main.cpp", "selftest.cpp"])
def test_there_is_no_warning(tiny_twin, name, source, tmp_path):
    """Without optimisation here; the programs of the other tests are compiled with it and with these warnings."""
    flags = (*WARNINGS, "-Wshadow", "-fsyntax-only")
    compiled(tiny_twin.folder / source, tmp_path / "unused", *flags, with_compiler=compiler(name))


@pytest.mark.parametrize("name, flags", [("g++", ("-O2", "-DJITNET_PLAIN")), ("clang++", ("-O3", "-march=native"))])
def test_the_self_test_passes_with_another_compiler_and_without_vector_types(cnn_twin, tmp_path, name, flags):
    source = cnn_twin.folder / "selftest.cpp"
    program = Program(compiled(source, tmp_path / "selftest", *flags, with_compiler=compiler(name)), cnn_twin.folder)
    assert "C++ and Python agree" in program()


def test_predict_takes_nothing_from_the_heap(cnn_twin, tmp_path):
    source = shutil.copy(ROOT / "tests" / "cpp" / "allocations.cpp", tmp_path)
    path = compiled(tmp_path / "allocations.cpp", tmp_path / "count", "-O0", include=cnn_twin.folder)
    assert source and Program(path, cnn_twin.folder)().splitlines() == ["0 1", "0 1", "1 1"]


def test_the_programs_of_the_tests_are_sanitized(tiny_twin):
    """A planted overflow is detected, so that a run without a report means something."""
    source = tiny_twin.folder.parent / "planted.cpp"
    source.write_text("#include <vector>\nint main(int n, char**) { std::vector<int> x(3); return x.data()[n + 2]; }\n")
    from twins import SANITIZERS

    path = compiled(source, source.with_suffix(""), "-O1", *SANITIZERS)
    assert "heap-buffer-overflow" in Program(path, source.parent)(code=1)
