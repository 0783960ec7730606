"""What kernels/compiler/ uses of numba and llvmlite beyond their documentation: it is there and does what is relied on.

A test here that fails under a new numba names the file that has to change.
"""

import ast
import inspect

import llvmlite.binding
import numba
import pytest
from llvmlite.binding import executionengine
from numba import types
from numba.core import caching, cgutils
from numba.core.cpu import CPUContext
from numba.core.registry import cpu_target
from numba.extending import models
from numba.np import arrayobj
from processes import ROOT

from jitnet.kernels.compiler import cache, decorators
from jitnet.kernels.fast import batch_conv_backward
from jitnet.kernels.tools import fma_peak

VECTOR, MATRIX = types.Array(types.float32, 1, "C"), types.Array(types.float32, 2, "C")
COMPILER = ROOT / "kernels" / "compiler"


def double(x, out):
    more = x if x[0] > 0 else out  # numba counts references to such a variable
    out[0] = more[0] + more[0]


def compiled(**options):
    function = numba.njit(**options)(double)
    function.compile((VECTOR, VECTOR))
    return function, function.overloads[VECTOR, VECTOR]


def references(function):
    return function.inspect_llvm((VECTOR, VECTOR)).count("NRT_incref")


def no_reference_is_counted():
    assert decorators._OPTIONS["_nrt"] is False
    assert references(compiled(_nrt=False)[0]) == 0 < references(compiled()[0])


def a_cache_has_a_loader_that_can_be_replaced():
    assert callable(caching.FunctionCache.load_overload) and callable(caching.FunctionCache.flush)
    if cache.CACHE_FOLDER:
        loader = fma_peak.fma_peak._cache.load_overload
        assert loader.__qualname__ == "keep_on_disk.<locals>.load_or_forget"


def a_kernel_is_loaded_without_what_only_compiling_needs():
    """The loader is numba's own but for refresh(), of which a kernel needs the runtime alone."""
    source = inspect.getsource(caching.Cache.load_overload)
    assert [line.strip() for line in source.splitlines() if "refresh()" in line or "_load_overload(" in line] == [
        "target_context.refresh()",
        "return self._load_overload(sig, target_context)",
    ]
    assert "rtsys.initialize(self)" in inspect.getsource(CPUContext.load_additional_registries)
    if cache.CACHE_FOLDER:
        signature, context = (MATRIX, types.boolean, VECTOR), cpu_target.target_context
        batch_conv_backward.sum_shards.compile(signature)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(context, "refresh", lambda: pytest.fail("half a second of imports"))
            assert batch_conv_backward.sum_shards._cache.load_overload(signature, context) is not None


def the_folder_of_the_cache_is_read_by_the_decorator():
    if cache.CACHE_FOLDER:
        assert str(cache.CACHE_FOLDER) in fma_peak.fma_peak._cache.cache_path
        assert str(cache.CACHE_FOLDER) != numba.config.CACHE_DIR


def a_compiled_function_has_an_address_and_a_symbol_can_be_added():
    _, overload = compiled()
    address = overload.library.get_pointer_to_function(overload.fndesc.llvm_func_name)
    assert address
    llvmlite.binding.add_symbol("jitnet.test.symbol", address)
    assert llvmlite.binding.address_of_symbol("jitnet.test.symbol") == address


def a_function_without_a_wrapper_has_an_address():
    _, overload = compiled(no_cpython_wrapper=True)
    assert "cpython" not in overload.library.get_llvm_str() and "cpython" in compiled()[1].library.get_llvm_str()
    assert overload.library.get_pointer_to_function(overload.fndesc.llvm_func_name)


def the_calling_convention_calls_by_type():
    convention = cpu_target.target_context.call_conv
    assert list(inspect.signature(convention.get_function_type).parameters) == ["restype", "argtypes"]
    assert list(inspect.signature(convention.call_function).parameters)[:5] == [
        "builder",
        "callee",
        "resty",
        "argtys",
        "args",
    ]


def an_array_of_every_layout_has_the_same_structure():
    contexts = [cpu_target.target_context.get_value_type(types.Array(types.float32, 2, layout)) for layout in "CA"]
    assert str(contexts[0]) == str(contexts[1])


def arrays_can_be_built_around_an_address():
    names = list(inspect.signature(arrayobj.populate_array).parameters)
    assert names[:6] == ["array", "data", "shape", "strides", "itemsize", "meminfo"]
    assert callable(arrayobj.make_array(VECTOR))


def a_primitive_model_holds_a_vector():
    assert list(inspect.signature(models.PrimitiveModel.__init__).parameters) == ["self", "dmm", "fe_type", "be_type"]


def an_intrinsic_learns_its_arguments_from_the_signature():
    def typer(typingctx, *arguments):
        raise AssertionError

    context = inspect.Parameter("typingctx", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    one = inspect.Parameter("x", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    typer.__signature__ = inspect.Signature([context, one])
    assert numba.extending.intrinsic(typer)._defn is typer


def the_priority_of_threading_layers_is_a_setting():
    assert isinstance(numba.config.THREADING_LAYER_PRIORITY, list)
    assert isinstance(numba.config.DISABLE_JIT, int)


def the_object_cache_is_called_by_these_names():
    """jitnet/commands/support/session.py knows them."""
    assert any(name.startswith("_raw_object_cache_") for name in vars(executionengine.ExecutionEngine))


INTERNALS = {  # what, and the file in kernels/compiler/ that uses it
    "_nrt": (no_reference_is_counted, "decorators"),
    "load_overload": (a_cache_has_a_loader_that_can_be_replaced, "cache"),
    "_load_overload": (a_kernel_is_loaded_without_what_only_compiling_needs, "cache"),
    "rtsys": (a_kernel_is_loaded_without_what_only_compiling_needs, "cache"),
    "CACHE_DIR": (the_folder_of_the_cache_is_read_by_the_decorator, "cache"),
    "no_cpython_wrapper": (a_function_without_a_wrapper_has_an_address, "decorators"),
    "add_symbol": (a_compiled_function_has_an_address_and_a_symbol_can_be_added, "symbols"),
    "call_conv": (the_calling_convention_calls_by_type, "symbols"),
    "layout": (an_array_of_every_layout_has_the_same_structure, "symbols"),
    "__signature__": (an_intrinsic_learns_its_arguments_from_the_signature, "symbols"),
    "populate_array": (arrays_can_be_built_around_an_address, "array_views"),
    "PrimitiveModel": (a_primitive_model_holds_a_vector, "simd"),
    "THREADING_LAYER_PRIORITY": (the_priority_of_threading_layers_is_a_setting, "decorators"),
}
CGUTILS = {"alloca_once", "for_range", "get_or_insert_function", "unpack_tuple"}
ARRAYOBJ = {"make_array", "populate_array"}
OTHERS = {  # of numba.core, by file; those of linked.py and filled_cache.py have tests of the same name
    "linked": {"_LowerResult", "codegen", "compiler", "register_pass", "typed_passes", "untyped_passes"},
    "cache": {"rtsys"},
    "filled_cache": {"UserProvidedCacheLocator", "cpu_target", "dumps"},
}


@pytest.mark.parametrize("name", INTERNALS)
def test_numba_still_has(name):
    check, file = INTERNALS[name]
    assert name in (COMPILER / f"{file}.py").read_text(), "delete this line of the table"
    check()


def test_llvmlite_still_names_its_callbacks():
    the_object_cache_is_called_by_these_names()


def test_the_table_is_complete():
    """All of numba.core and numba.np that is used is named here, and is there."""
    used: dict[str, set[str]] = {"cgutils": set(), "arrayobj": set()}
    for path in COMPILER.glob("*.py"):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "cgutils":
                used["cgutils"].add(node.attr)
            if isinstance(node, ast.ImportFrom) and node.module == "numba.np.arrayobj":
                used["arrayobj"].update(alias.name for alias in node.names)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("numba.core", "numba.np")):
                names = {alias.name for alias in node.names}
                known = {"cgutils", *OTHERS.get(path.stem, ())}
                assert names <= known or node.module == "numba.np.arrayobj", f"{path}: {names}"
    assert used == {"cgutils": CGUTILS, "arrayobj": ARRAYOBJ}
    assert all(callable(getattr(cgutils, name)) for name in CGUTILS)
    assert all(callable(getattr(arrayobj, name)) for name in ARRAYOBJ)
