"""Compile functions that only kernels call: code to link, without separate machine code and wrappers.

numba makes each function ready to be called from Python: two wrappers, the code of all callees, all of LLVM's
optimisations, machine code. The callers then link what is optimised, and optimise all of it again. Here a function that
is only called by kernels is lowered; the kernel that it ends in links and optimises it. The same holds for the
functions that numba itself makes of each `prange`: three for one loop, each with everything below it.

`train cnn` compiles in half of the CPU seconds. numba has no option for this, so its lowering passes are replaced;
tests/kernels/test_linked.py fails if numba changes what is used here.
"""

import contextlib

from numba import config, types
from numba.core import codegen, compiler, typed_passes, untyped_passes
from numba.core.compiler import _LowerResult
from numba.core.compiler_machinery import register_pass


class KernelLibrary(codegen.JITCodeLibrary):
    """The code of a kernel, and of all functions below it."""

    def add_linking_library(self, library):
        """Link a callee, and what it calls."""
        if library not in self._linking_libraries:
            super().add_linking_library(library)
            for callee in library._linking_libraries if isinstance(library, LinkedLibrary) else ():
                self.add_linking_library(callee)


class LinkedLibrary(codegen.JITCodeLibrary):
    """The code of one function as it is lowered: it is linked into others, and never run where it is."""

    def finalize(self):
        """Neither link what it calls nor optimise: the kernel does, once for all its functions."""
        self._finalize_dynamic_globals()
        self._finalized = True  # and it is not given to the engine, which would make machine code of it

    def _optimize_functions(self, ll_module):
        """Omit the passes over each function too."""
        ll_module.data_layout = self._codegen._data_layout

    def get_pointer_to_function(self, name):
        return 0

    @property
    def codegen(self):
        return self

    def set_env(self, env_name, env):
        """Leave the environment out, which is for Python objects; a kernel from the cache has none for its callees."""


def _own_library(state):
    """Give a kernel a library with machine code, also where functions get linked ones."""
    state.library = KernelLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
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
        parts = [state.library, *state.library._linking_libraries]  # other callers than kernels must link all of them
        state.targetctx.insert_user_function(function, lowered.fndesc, parts)
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


# Passes of numba for what no kernel contains, such as `with`, closures, exceptions with arguments and expressions of
# whole arrays, and for reports. An analysis of the function follows each: together they would take a tenth of the time.
_NOT_NEEDED = {
    untyped_passes.FindLiterallyCalls,
    untyped_passes.InlineClosureLikes,
    untyped_passes.LiteralPropagationSubPipelinePass,
    untyped_passes.LiteralUnroll,
    untyped_passes.MakeFunctionToJitFunction,
    untyped_passes.RewriteDynamicRaises,
    untyped_passes.WithLifting,
    typed_passes.AnnotateTypes,
    typed_passes.DumpParforDiagnostics,
    typed_passes.InlineOverloads,
    typed_passes.NopythonRewrites,
    typed_passes.NoPythonSupportedFeatureValidation,
}


@contextlib.contextmanager
def _no_new_registries(*contexts):
    """Omit numba's search for new registries of operations while it compiles: it looks 2,000 times, and none comes.

    It has looked when the compilation began.
    """
    outermost = [each for each in contexts if "load_additional_registries" not in vars(each)]
    for each in outermost:
        each.load_additional_registries = bool
    try:
        yield
    finally:
        for each in outermost:
            del each.load_additional_registries


def _compiler(name, serial, parallel, not_needed):
    """Return numba's compiler with other lowering passes, and without some others."""
    replaced = {typed_passes.NativeLowering: serial, typed_passes.NativeParforLowering: parallel}

    def define_pipelines(self):
        passes = compiler.DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes._finalized = False
        passes.passes = [(replaced.get(each, each), text) for each, text in passes.passes if each not in not_needed]
        passes.finalize()
        return [passes]

    def compile_extra(self, func):
        with _no_new_registries(self.state.targetctx, self.state.typingctx):
            return compiler.CompilerBase.compile_extra(self, func)

    return type(name, (compiler.CompilerBase,), {"define_pipelines": define_pipelines, "compile_extra": compile_extra})


_INLINED = untyped_passes.InlineInlinables  # code under @inline_ir: only in kernels
LinkedCompiler = _compiler("LinkedCompiler", _LinkedLowering, _LinkedLowering, _NOT_NEEDED | {_INLINED})
KernelCompiler = _compiler("KernelCompiler", _SerialKernelLowering, _KernelLowering, _NOT_NEEDED)


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


def without_literals(dispatcher):
    """Compile once for all integers that are written at calls, where numba does so for each of them.

    LLVM knows the constants where it inlines the code, and makes the same of it. For functions that it may leave as
    calls that is not so: steps of the CNN in batches took 1.05 times as long.
    """
    if config.DISABLE_JIT:
        return dispatcher
    by_type = dispatcher.get_call_template

    def get_call_template(arguments, keywords):
        named = {name: types.unliteral(kind) for name, kind in keywords.items()}
        return by_type(tuple(map(types.unliteral, arguments)), named)

    dispatcher.get_call_template = get_call_template
    return dispatcher
