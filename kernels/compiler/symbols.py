"""Compile a hot function once, and let every kernel call that one copy.

numba copies the code of a callee into each caller, and optimises it there again. `contract` takes a second of LLVM's
time and is reached from about thirty functions, which made the first start four times as long. So a primitive is
compiled on its own, for one dtype at a time; its address becomes a symbol of the process, and callers hold only the
symbol: also those that come from the disk cache, which is why it must be there before any of them is loaded.

A process that only fills the disk cache needs no callee: there every symbol has an address that nobody calls.
"""

import inspect

import llvmlite.binding
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from . import cache, interpreted
from .decorators import called_by_address

_primitives: dict = {}  # by name: module.function
_in_work: set = set()  # dtypes
_NOWHERE = 64  # no code is there
_runs_nothing = False


class _Primitive:
    """A function that kernels call by its address."""

    def __init__(self, function, parameters):
        self.function = function
        self.kernel = called_by_address(function)
        self._parameters = parameters.split()
        self._ready = set()  # dtypes

    def signature(self, dtype):
        """Return the types of its arguments for a dtype of layers."""
        return tuple(_type(parameter, dtype) for parameter in self._parameters)

    def symbol(self, dtype):
        return f"jitnet.{self.function.__name__}.{dtype}"

    def prepare(self, dtype):
        """Make sure that the symbol is there: the function's address, unless nothing runs in this process."""
        if dtype not in self._ready:
            llvmlite.binding.add_symbol(self.symbol(dtype), _NOWHERE if _runs_nothing else self._address(dtype))
            self._ready.add(dtype)

    def _address(self, dtype):
        self.compile(dtype)
        overload = self.kernel.overloads[self.signature(dtype)]
        return overload.library.get_pointer_to_function(overload.fndesc.llvm_func_name)

    def compile(self, dtype):
        """Compile it, or load it from the disk cache."""
        self.kernel.compile(self.signature(dtype))


def primitive(parameters):
    """Decorate a function that kernels call.

    `parameters` describes them: "2" is an array of two axes in the dtype of the layer, "bytes2" one of uint8, "rows" a
    list of row numbers, "number" a scalar of that dtype, "int" an integer. It returns nothing.
    """

    def decorate(function):
        if config.DISABLE_JIT:
            return getattr(interpreted, function.__name__, function)
        made = _Primitive(function, parameters)
        _primitives[f"{function.__module__.partition('.kernels.')[2]}.{function.__name__}"] = made
        return _caller(made)

    return decorate


def run_nothing():
    """Let this process compile kernels into the disk cache without what they call. It must not run any."""
    global _runs_nothing
    _runs_nothing = True


def names():
    """Return the names of all primitives that are imported, module.function: each after those that it calls."""
    return list(_primitives)


def prepare(dtype):
    """Make sure that the symbols of all primitives that are imported are there, for types.float32 or types.float64."""
    for name in names():
        _prepare_one(name, dtype)


def _prepare_one(name, dtype):
    """Make sure that the symbol of one primitive is there; those before it are."""
    if dtype not in _in_work:  # compiling one calls this for all of them
        _in_work.add(dtype)
        try:
            _primitives[name].prepare(dtype)
        finally:
            _in_work.discard(dtype)


def compile_one(name, dtype):
    """Compile one primitive, those before it being there; where nothing runs, into the disk cache alone."""
    if _runs_nothing:
        _primitives[name].compile(dtype)
    else:
        _prepare_one(name, dtype)


def is_cached(name, dtype):
    """Return whether the code of a primitive is in the disk cache; its content may still be damaged."""
    return cache.holds(_primitives[name].kernel, _primitives[name].signature(dtype))


@cache.before_loading
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


def _caller(made):
    """Return the intrinsic that calls the symbol, with numba's own calling convention."""

    def typer(typingctx, *arguments):
        dtype = next(argument.dtype for argument in arguments if isinstance(argument, types.Array))
        prepare(dtype)
        signature = made.signature(dtype)

        def codegen(context, builder, call, values):
            kind = context.call_conv.get_function_type(types.none, signature)
            # call_conv is undocumented: without it a symbol of another function cannot be called.
            callee = cgutils.get_or_insert_function(builder.module, kind, made.symbol(dtype))
            # An array's structure is the same for every layout, so that C-contiguous ones pass as they are.
            _, value = context.call_conv.call_function(builder, callee, types.none, signature, values)
            return value

        asked = tuple(a if isinstance(a, types.Array) else s for a, s in zip(arguments, signature))
        return types.none(*asked), codegen

    # numba reads the arguments of an intrinsic from its signature, which there is no other way to give.
    context = inspect.Parameter("typingctx", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    typer.__signature__ = inspect.Signature([context, *inspect.signature(made.function).parameters.values()])
    typer.__name__, typer.__doc__ = made.function.__name__, made.function.__doc__
    return intrinsic(typer)
