"""The rules of the structure: functions from a path and a syntax tree to complaints, applied by test_structure.py."""

import ast
import re
import sys
from collections.abc import Iterator

LONGEST = 300  # lines of a file

ANYTHING = None

# What each package of jitnet may import of jitnet, besides itself: packages, or single modules of them. Files directly
# in jitnet/ are packages here.
MAY_IMPORT = {
    "errors": set(),
    "events": set(),
    "printing": set(),
    "setting": {"errors", "printing"},
    "recipes": set(),  # next to config.py, not in it: tables and rules, which need no settings
    "config": {"errors", "printing", "recipes", "setting"},
    "machine": {"errors", "kernels"},
    "data": {"config", "errors", "kernels", "printing", "__version__"},
    "model": {"config", "errors", "kernels", "machine"},
    "storage": {"config", "data", "errors", "model", "printing", "__version__"},
    "training": {"config", "data", "errors", "events", "kernels", "machine", "model", "recipes"},
    "run": {
        "config",
        "data",
        "errors",
        "events",
        "machine",
        "model",
        "printing",
        "recipes",
        "setting",
        "storage",
        "training",
        "__version__",
    },
    "estimators": {
        "config",
        "data",
        "display",  # what `verbose` shows
        "errors",
        "events",
        "machine",
        "model",
        "recipes",
        "run",
        "storage",
        "training",
    },
    "history": {"config", "errors", "events", "model", "printing", "run", "setting"},
    "trials": {
        "config",
        "data",
        "display.compiling",  # `sweep` in Python says that its workers compile
        "errors",
        "events",
        "history",
        "machine",
        "model",
        "printing",
        "run",
        "storage",
        "training",
    },
    "display": {"errors", "events", "history", "printing"},
    "export": {"config", "data", "errors", "events", "model", "printing", "setting", "storage", "__version__"},
    "integrations": {
        "config",
        "data",
        "errors",
        "estimators",
        "events",
        "export",
        "model",
        "run",
        "storage",
        "training",
    },
    "play": {"model", "printing"},
    "report": {"config", "display", "errors", "events", "history", "model", "printing", "setting"},
    "commands": ANYTHING,
    "cli": ANYTHING,
    "__init__": ANYTHING,
    "__main__": ANYTHING,
}
SILENT = {"model", "training"}  # no rich, no printing, no files
DRAWS = {"display", "commands"}  # may import rich
PRINTS = {"jitnet/printing.py", "jitnet/commands/completion.py"}  # the latter only its own scripts
ENVIRONMENT = {f"kernels/compiler/{name}.py" for name in ("cache", "decorators", "fill_wheel", "tile")}
ALLOCATES = {"kernels/compiler/interpreted.py"}
ALLOCATORS = {"empty", "zeros", "ones", "full", "array", "empty_like", "zeros_like", "ones_like", "full_like", "copy"}
FIELDS = ("Parallel", "Work", "Errors", "Matches", "Source")


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the full names of what a file imports; relative ones begin with a dot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (f"{node.module}." if node.module else "")
            yield from (f"{module}{alias.name}" for alias in node.names)


def room(path: str) -> str:
    """Return the module or package of jitnet that a file belongs to: "views" for jitnet/display/plain.py."""
    return path.split("/")[1].removesuffix(".py")


# What each package of kernels/ may import of kernels/, besides itself; table.py and arrays.py are on the ground.
KERNELS_MAY_IMPORT = {
    "table": set(),
    "compiler": set(),
    "arrays": set(),
    "splitmix64": {"compiler"},
    "fast": {"compiler", "layers", "table"},
    "layers": {"compiler", "splitmix64", "table"},
    "step": {"arrays", "compiler", "layers", "table"},
    "tools": {"compiler", "splitmix64"},
    "__init__": set(),
}
# Of numba what its documentation offers to everyone; the rest is used in kernels/compiler/ alone.
PUBLIC_NUMBA = {"numba.prange", "numba.config", "numba.njit", "numba.get_num_threads"}
INNER = {"body", "force_inline", "inline_ir"}  # the decorators of functions that kernels call
# Parameters that mean the same in every file: see the head of kernels/table.py.
SHARED = {
    "layer", "layers", "plan", "params", "work", "argmax", "rows", "scratch", "n", "slot", "share", "half", "lr",
    "scale", "divisor", "first", "stop", "count", "place", "start", "size", "itemsize",
}  # fmt: skip


def kernels_import_downwards(path: str, tree: ast.AST) -> Iterator[str]:
    if not path.startswith("kernels/"):
        return
    own = path.removeprefix("kernels/").split("/")[0].removesuffix(".py")
    dots = "." * path.count("/")
    for name in imported(tree):
        if not name.startswith(dots) or (path.count("/") > 1 and not name.startswith("..")):
            continue
        other = name.lstrip(".").split(".")[0]
        if other != own and other not in KERNELS_MAY_IMPORT.get(own, set()):
            yield f"{own} imports {other}"


def only_the_compiler_package_knows_numba(path: str, tree: ast.AST) -> Iterator[str]:
    """Undocumented parts of numba, and LLVM, are used in kernels/compiler/ alone."""
    if path.startswith("kernels/") and not path.startswith("kernels/compiler/"):
        for name in imported(tree):
            if name.split(".")[0] in {"numba", "llvmlite"} and name not in PUBLIC_NUMBA:
                yield f"imports {name}"


def arguments_have_comments(path: str, source: str) -> Iterator[str]:
    """The shape of an array, or what else an argument is, stands on its line in the signature."""
    if not path.startswith(("kernels/fast/", "kernels/layers/", "kernels/step.py")):
        return
    lines = source.splitlines()
    for function in functions(ast.parse(source)):
        if decorators(function) & (INNER | {"kernel", "serial_kernel", "primitive"}):
            for argument in function.args.args:
                if argument.arg not in SHARED and "#" not in lines[argument.lineno - 1]:
                    yield f"{function.name} does not say what {argument.arg} is"


def kernels_import_numba_and_each_other(path: str, tree: ast.AST) -> Iterator[str]:
    if path.startswith("kernels/"):
        for name in imported(tree):
            top = name.split(".")[0]
            too_far = name.startswith("." * (path.count("/") + 1))  # kernels/layers/x.py may write ".."
            if too_far or top not in {
                "",
                "numpy",
                "numba",
                "llvmlite",
                *sys.stdlib_module_names,
            }:
                yield f"imports {name}"


def only_compiler_files_read_the_environment(path: str, tree: ast.AST) -> Iterator[str]:
    if path.startswith("kernels/") and path not in ENVIRONMENT:
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"):
                yield "reads the environment"
        yield from ("reads the environment" for name in imported(tree) if name in ("os.environ", "os.getenv"))


def imports_point_down(path: str, tree: ast.AST) -> Iterator[str]:
    if not path.startswith("jitnet/"):
        return
    own = room(path)
    for name in imported(tree):
        if not name.startswith("jitnet."):
            continue
        other = name.split(".")[1]
        if other == own:
            continue
        allowed = MAY_IMPORT.get(own, set())
        if allowed is not ANYTHING and not any(f"{name}.".startswith(f"jitnet.{known}.") for known in allowed):
            yield f"{own} imports {name.removeprefix('jitnet.')}"
        if other == "cli" and own != "__main__":
            yield "imports cli"


def only_views_and_commands_import_rich(path: str, tree: ast.AST) -> Iterator[str]:
    if not path.startswith("jitnet/") or room(path) not in DRAWS:
        yield from (f"imports {name}" for name in imported(tree) if name.split(".")[0] == "rich")


def only_printing_prints(path: str, tree: ast.AST) -> Iterator[str]:
    if path.startswith("jitnet/") and path not in PRINTS:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print":
                yield f"calls print in line {node.lineno}, which lets escape codes in names through"


def the_loop_is_silent(path: str, tree: ast.AST) -> Iterator[str]:
    if path.startswith("jitnet/") and room(path) in SILENT:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in ("print", "input", "open") or re.fullmatch(r"(read|write)_(text|bytes)", name):
                    yield f"calls {name} in line {node.lineno}"


def decorators(function: ast.FunctionDef) -> set[str]:
    """Return the names of a function's decorators, called or not."""
    calls = (node.func if isinstance(node, ast.Call) else node for node in function.decorator_list)
    return {node.id for node in calls if isinstance(node, ast.Name)}


def functions(tree: ast.AST) -> list[ast.FunctionDef]:
    """Return all functions of a file."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def public_kernels(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    """Yield the functions that are compiled for callers outside their file's layer."""
    for function in functions(tree):
        if decorators(function) & {"kernel", "serial_kernel", "primitive"} and not function.name.startswith("_"):
            yield function


def prange_stands_in_kernels_only(path: str, tree: ast.AST) -> Iterator[str]:
    if path.startswith("kernels/"):
        allowed = {
            id(node) for function in functions(tree) if "kernel" in decorators(function) for node in ast.walk(function)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id == "prange" and id(node) not in allowed:
                yield f"prange outside a @kernel in line {node.lineno}"


def kernels_allocate_nothing(path: str, tree: ast.AST) -> Iterator[str]:
    if path.startswith("kernels/") and path not in ALLOCATES:
        for function in functions(tree):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    owner = node.func.value
                    if isinstance(owner, ast.Name) and owner.id in ("np", "numpy") and node.func.attr in ALLOCATORS:
                        yield f"{function.name} allocates in line {node.lineno}"


def docstrings_have_their_fields(path: str, tree: ast.AST) -> Iterator[str]:
    if path.startswith("kernels/"):
        for function in public_kernels(tree):
            found = re.findall(r"^ *(\w+) *: ", ast.get_docstring(function) or "", re.MULTILINE)
            if tuple(name for name in found if name in FIELDS) != FIELDS:
                yield f"{function.name} lacks one of {', '.join(FIELDS)} or has them in another order"


def files_are_short(path: str, source: str) -> Iterator[str]:
    lines = source.count("\n")
    if lines > LONGEST:
        yield f"{lines} lines"


RULES = (
    kernels_import_numba_and_each_other,
    kernels_import_downwards,
    only_the_compiler_package_knows_numba,
    only_compiler_files_read_the_environment,
    imports_point_down,
    only_views_and_commands_import_rich,
    only_printing_prints,
    the_loop_is_silent,
    prange_stands_in_kernels_only,
    kernels_allocate_nothing,
    docstrings_have_their_fields,
)


def complaints(path: str, source: str) -> list[str]:
    """Return what is wrong with a file, each line with the rule's name."""
    tree = ast.parse(source)
    found = [f"{path}: {rule.__name__}: {text}" for rule in RULES for text in rule(path, tree)]
    for rule in (files_are_short, arguments_have_comments):
        found += [f"{path}: {rule.__name__}: {text}" for text in rule(path, source)]
    return found
