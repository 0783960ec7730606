"""Compile functions that only kernels call: code to link, without separate machine code and wrappers.

numba makes each function ready to be called from Python: two wrappers, all of LLVM's optimisations, machine code. The
callers then link what is optimised, and optimise all of it again. Here a function that is only called by kernels stops
after the cheap passes; what counts is the optimisation of the kernel that it ends in. The same holds for the
functions that numba itself makes of each `prange`: three for one loop, each with everything below it.

`train cnn` compiles in 0.6 of the CPU seconds. numba has no option for this, so its lowering passes are replaced;
tests/kernels/test_linked.py fails if numba changes what is used here.
"""

import contextlib

from numba import config
from numba.core import codegen, compiler, typed_passes
from numba.core.compiler import _LowerResult
from numba.core.compiler_machinery import register_pass


class LinkedLibrary(codegen.JITCodeLibrary):
    """The code of a function that is linked into others, and never run where it is."""

    def _optimize_functions(self, ll_module):
        """Leave the passes over each function out too: they come before those over all."""
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self):
        # The full passes take as long as those of the callers, which run them again. Without the cheap ones, which
        # inline and simplify, callers are larger: compiling takes a tenth longer.
        passes, builder = self._codegen._module_pass_manager(
            loop_vectorize=False, slp_vectorize=False, opt=self._codegen._opt_level, cost="cheap"
        )
        passes.run(self._final_module, builder)

    def _finalize_final_module(self):
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True  # and it is not given to the engine, which would make machine code of it

    def get_pointer_to_function(self, name):
        return 0

    @property
    def codegen(self):
        return self

    def set_env(self, env_name, env):
        """Leave the environment out, which is for Python objects; a kernel from the cache has none for its callees."""


def _own_library(state):
    """Give a function a library of numba's own kind, also where others get linked ones."""
    codegen = state.targetctx.codegen()
    state.library = type(codegen)._library_class(codegen, state.func_id.func_qualname)
    state.library.enable_object_caching()


@contextlib.contextmanager
def _linked_libraries(codegen):
    """Let numba make linked libraries of the functions that it adds."""
    codegen._library_class = LinkedLibrary
    try:
        yield
    finally:
        del codegen._library_class


@register_pass(mutates_CFG=True, analysis_only=False)
class _LinkedLowering(typed_passes.NativeLowering):
    """Lower a function that only kernels call."""

    _name = "jitnet_linked_lowering"

    def run_pass(self, state):
        state.library = LinkedLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        lowered = state.cr
        function = _only_called_by_kernels(lowered.fndesc.qualname)
        state.targetctx.insert_user_function(function, lowered.fndesc, [state.library])
        state.reload_init.extend(state.library._reload_init)
        state["cr"] = _LowerResult(lowered.fndesc, lowered.call_helper, cfunc=function, env=lowered.env)
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class _KernelLowering(typed_passes.NativeParforLowering):
    """Lower a kernel, with linked libraries for the functions that numba makes of its parallel loops."""

    _name = "jitnet_kernel_lowering"

    def run_pass(self, state):
        _own_library(state)
        with _linked_libraries(state.targetctx.codegen()):
            return super().run_pass(state)


@register_pass(mutates_CFG=True, analysis_only=False)
class _SerialKernelLowering(typed_passes.NativeLowering):
    """Lower a kernel without a parallel loop, also while another one is lowered."""

    _name = "jitnet_serial_kernel_lowering"

    def run_pass(self, state):
        _own_library(state)
        return super().run_pass(state)


def _compiler(name, serial, parallel):
    """Return numba's compiler with other lowering passes."""
    replaced = {typed_passes.NativeLowering: serial, typed_passes.NativeParforLowering: parallel}

    def define_pipelines(self):
        passes = compiler.DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes._finalized = False
        passes.passes = [(replaced.get(each, each), text) for each, text in passes.passes]
        passes.finalize()
        return [passes]

    return type(name, (compiler.CompilerBase,), {"define_pipelines": define_pipelines})


LinkedCompiler = _compiler("LinkedCompiler", _LinkedLowering, _LinkedLowering)
KernelCompiler = _compiler("KernelCompiler", _SerialKernelLowering, _KernelLowering)


def _only_called_by_kernels(name):
    """Return what stands for a linked function where Python calls it, which only tests do."""

    def refuse(*arguments):
        raise TypeError(f"{name} has no machine code of its own: call it from a kernel or another compiled function")

    return refuse


def hide_from_python(dispatcher):
    """Keep the linked overloads out of the table for calls from Python, whose entries are machine code."""
    if config.DISABLE_JIT:
        return dispatcher  # the function itself

    def add_overload(compiled):
        dispatcher.overloads[tuple(compiled.signature.args)] = compiled

    dispatcher.add_overload = add_overload
    return dispatcher
