"""Functions that only kernels call are linked into them, and have no separate machine code."""

import numba
import numpy as np
import pytest
from numba import prange, types
from numba.core import codegen
from numba.core.registry import cpu_target

from jitnet.kernels.compiler import linked
from jitnet.kernels.compiler.decorators import body, force_inline, kernel, serial_kernel
from jitnet.kernels.fast.conv_sparse import to_filter_major

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
FLOATS = types.Array(types.float64, 1, "C")


@body
def half(x):
    return x / 2


@force_inline
def half_and_one(x):
    return half(x) + 1


@kernel
def halves(x, out):
    for i in prange(len(x)):
        out[i] = half_and_one(x[i])


@serial_kernel
def first_half(x):
    return half_and_one(x[0])


X = np.array([1.0, 0.0, -3.0, np.inf, np.nan])


@pytest.fixture
def compiled():
    """The kernel, compiled here and not loaded."""
    fresh = numba.njit(parallel=True, pipeline_class=linked.KernelCompiler)(halves.py_func)
    fresh.compile((FLOATS, FLOATS))
    return fresh


def test_a_kernel_computes_what_its_source_says():
    out = np.empty(len(X))
    halves(X, out)
    np.testing.assert_array_equal(out, X / 2 + 1)
    assert first_half(X) == 1.5


def test_only_kernels_have_machine_code(compiled):
    library = compiled.overloads[FLOATS, FLOATS].library
    assert type(library) is linked.KernelLibrary and "halves" in compiled.inspect_asm((FLOATS, FLOATS))
    for function in (half, half_and_one):
        (overload,) = function.overloads.values()
        assert isinstance(overload.library, linked.LinkedLibrary)
        engine = cpu_target.target_context.codegen()._engine
        assert not engine.is_symbol_defined(overload.fndesc.llvm_func_name)
    parts = [part for part in library._linking_libraries if isinstance(part, linked.LinkedLibrary)]
    assert len(parts) >= 2, "those of the parallel loop too"


def test_a_linked_function_is_its_own_code_alone(compiled):
    """The kernel links what it calls: once, not at each level."""
    (overload,) = half_and_one.overloads.values()
    module = overload.library._final_module
    assert [function.name for function in module.functions if not function.is_declaration] == [
        overload.fndesc.llvm_func_name
    ]
    assert any(function.is_declaration and "half" in function.name for function in module.functions)


def test_a_linked_function_has_no_wrappers(compiled):
    (overload,) = half_and_one.overloads.values()
    assert "half_and_one" in overload.library.get_llvm_str()
    assert "cpython" not in overload.library.get_llvm_str() and "cfunc" not in overload.library.get_llvm_str()


def test_a_call_from_python_is_refused(compiled):
    for _ in range(2):  # before and after it is compiled for these types
        with pytest.raises(TypeError, match="half_and_one has no machine code of its own: call it from a kernel"):
            half_and_one(1.0)
    assert half.py_func(3.0) == 1.5


def test_the_functions_of_others_are_compiled_as_ever(compiled):
    def broken(x):
        for i in prange(len(x)):
            x[i] = unknown_name  # noqa: F821

    with pytest.raises(numba.TypingError):
        numba.njit(parallel=True, pipeline_class=linked.KernelCompiler)(broken).compile((FLOATS,))
    assert "_library_class" not in vars(cpu_target.target_context.codegen())
    user = numba.njit(lambda x: half_and_one(x) * 2)
    assert user(4.0) == 6.0 and type(user.overloads[(types.float64,)].library) is codegen.JITCodeLibrary


@pytest.mark.parametrize("source", ["x[0] + 1", "unknown_name"])
def test_registries_are_looked_for_once_in_a_compilation_and_after_it_again(source, monkeypatch):
    context, looked = cpu_target.target_context, []
    load = type(context).load_additional_registries
    monkeypatch.setattr(type(context), "load_additional_registries", lambda self: looked.append(1) or load(self))

    def compile_one():
        namespace = {"half_and_one": half_and_one}
        exec(f"def fresh(x):\n    half_and_one(x[0])\n    return {source}", namespace)
        numba.njit(pipeline_class=linked.KernelCompiler)(namespace["fresh"]).compile((FLOATS,))

    for _ in range(2):
        looked.clear()
        try:
            compile_one()
        except numba.TypingError:
            assert source == "unknown_name"
        assert len(looked) == 1
        for each in (context, context.typing_context):
            assert "load_additional_registries" not in vars(each)


@force_inline
def power(x, n):
    total = 1.0
    for _ in range(n):
        total *= x
    return total


@serial_kernel
def powers(x):
    return power(x, 2) + power(x, 3)


def test_one_compilation_serves_all_constants():
    """numba compiles a function for each integer that is written at a call."""
    fresh = numba.njit(pipeline_class=linked.KernelCompiler)(powers.py_func)
    assert fresh(3.0) == 36.0
    assert list(power.overloads) == [(types.float64, types.int64)]


def test_the_passes_that_are_left_out_change_nothing():
    """The same machine code comes out with all of them."""
    whole = linked._compiler("Whole", linked._SerialKernelLowering, linked._KernelLowering, set())

    signature = types.Array(types.float32, 4, "C"), types.Array(types.float32, 4, "C")

    def code(pipeline):
        fresh = numba.njit(pipeline_class=pipeline, error_model="numpy", _nrt=False)(to_filter_major.py_func)
        fresh.compile(signature)
        lines = fresh.inspect_asm(signature).splitlines()
        return [line.split()[0] for line in lines if line.startswith("\t") and not line.startswith("\t.")]

    assert len(linked._NOT_NEEDED) > 10 and len(code(whole)) > 100 and code(linked.KernelCompiler) == code(whole)


def test_a_serial_kernel_that_is_first_called_by_a_kernel_has_machine_code():
    """As a primitive may be: its address becomes a symbol."""
    with linked._linked_libraries(cpu_target.target_context.codegen()):
        fresh = numba.njit(pipeline_class=linked.KernelCompiler)(first_half.py_func)
        fresh.compile((FLOATS,))
    overload = fresh.overloads[(FLOATS,)]
    assert overload.library.get_pointer_to_function(overload.fndesc.llvm_func_name)
    assert fresh(X) == 1.5
