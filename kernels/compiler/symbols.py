"""Compile a hot function once, and let every kernel call that one copy.

numba copies the machine code of a callee into each caller, and optimises it there again. `contract` takes a second of
LLVM's time and is reached from about thirty functions: 67 s for the first start instead of about 15. So a primitive is
compiled on its own, for one dtype at a time; its address becomes a symbol of the process, and callers hold only the
symbol: also those that come from the disk cache, which is why it must be there before any of them is loaded.
"""

import inspect

import llvmlite.binding
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from . import interpreted
from .cache import before_loading
from .decorators import serial_kernel

_primitives = {}  # by name: called with a dtype, each makes sure that its symbol is there
_in_work: set = set()  # dtypes


def primitive(parameters):
    """Decorate a function that kernels call.

    `parameters` describes them: "2" is an array of two axes in the dtype of the layer, "bytes2" one of uint8, "rows" a
    list of row numbers, "number" a scalar of that dtype, "int" an integer. The result is a scalar of that dtype, or
    nothing.
    """

    def decorate(function):
        if config.DISABLE_JIT:
            return getattr(interpreted, function.__name__, function)
        compiled = serial_kernel(function)
        results = {}

        def made(dtype):
            signature = tuple(_type(parameter, dtype) for parameter in parameters.split())
            if dtype not in results:
                compiled.compile(signature)
                overload = compiled.overloads[signature]
                address = overload.library.get_pointer_to_function(overload.fndesc.llvm_func_name)
                llvmlite.binding.add_symbol(_symbol(function, dtype), address)
                results[dtype] = (overload.signature.return_type, signature)
            return results[dtype]

        _primitives[function.__name__] = made
        return _caller(function, made)

    return decorate


def prepare(dtype):
    """Compile all primitives that are imported for a dtype, types.float32 or types.float64.

    In the order of their definition: one that calls another is defined after it, and finds it compiled.
    """
    for name in names():
        prepare_one(name, dtype)


def names():
    """Return the names of all primitives that are imported."""
    return list(_primitives)


def prepare_one(name, dtype):
    """Compile one primitive; those before it are there."""
    if dtype not in _in_work:  # compiling one calls this for all of them
        _in_work.add(dtype)
        try:
            _primitives[name](dtype)
        finally:
            _in_work.discard(dtype)


@before_loading
def _prepare_for(arguments):
    """Prepare the dtype of the layers: losses are float64 next to float32 too."""
    dtypes = {argument.dtype for argument in arguments if isinstance(argument, types.Array)}
    for dtype in (types.float32, types.float64):
        if dtype in dtypes:
            return prepare(dtype)


def _type(parameter, dtype):
    if parameter.isdigit():
        return types.Array(dtype, int(parameter), "A")  # strides at run time: one compilation serves all layouts
    if parameter.startswith("bytes"):
        return types.Array(types.uint8, int(parameter[5:]), "A")
    return {"rows": types.Array(types.int64, 1, "C"), "number": dtype, "int": types.int64}[parameter]


def _symbol(function, dtype):
    return f"jitnet.{function.__name__}.{dtype}"


def _caller(function, made):
    """Return the intrinsic that calls the symbol, with numba's own calling convention."""

    def typer(typingctx, *arguments):
        dtype = next(argument.dtype for argument in arguments if isinstance(argument, types.Array))
        prepare(dtype)
        result, signature = made(dtype)

        def codegen(context, builder, call, values):
            kind = context.call_conv.get_function_type(result, signature)
            # call_conv is undocumented: without it a symbol of another function cannot be called.
            callee = cgutils.get_or_insert_function(builder.module, kind, _symbol(function, dtype))
            # An array's structure is the same for every layout, so that C-contiguous ones pass as they are.
            _, value = context.call_conv.call_function(builder, callee, result, signature, values)
            return value

        asked = tuple(a if isinstance(a, types.Array) else s for a, s in zip(arguments, signature))
        return result(*asked), codegen

    # numba reads the arguments of an intrinsic from its signature, which there is no other way to give.
    context = inspect.Parameter("typingctx", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    typer.__signature__ = inspect.Signature([context, *inspect.signature(function).parameters.values()])
    typer.__name__, typer.__doc__ = function.__name__, function.__doc__
    return intrinsic(typer)
