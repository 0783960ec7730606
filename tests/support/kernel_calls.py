"""Calls between the files of kernels/, which mypy does not see: does the name exist, and does the call fit it?"""

import ast
from collections.abc import Iterator

Tree = dict[str, ast.Module]  # "fast.batch": the syntax tree of kernels/fast/batch.py


def definitions(trees: Tree) -> dict[str, dict[str, ast.FunctionDef | None]]:
    """Return what each file defines at its top: functions, and other names as None."""
    found: dict[str, dict[str, ast.FunctionDef | None]] = {}
    for module, tree in trees.items():
        names: dict[str, ast.FunctionDef | None] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.setdefault(node.id, None)
        for statement in tree.body:
            if isinstance(statement, ast.FunctionDef):
                names[statement.name] = statement
            elif isinstance(statement, ast.ClassDef):
                names[statement.name] = None
        found[module] = names
    for module, tree in trees.items():  # round_up_to_line = body(table.round_up_to_line)
        for statement in tree.body:
            match statement:
                case ast.Assign([ast.Name(name)], ast.Call(ast.Name("body"), [ast.Attribute(ast.Name(owner), same)])):
                    inner = f"{module.rpartition('.')[0]}.{owner}"  # from . import owner
                    found[module][name] = found[inner if inner in found else owner][same]
    return found


def imports(module: str, tree: ast.Module) -> Iterator[tuple[str, str, str]]:
    """Yield (local name, module, name in it) of each import within kernels/ at the top of a file."""
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.level:
            package = module.split(".")[: -statement.level]
            source = ".".join([*package, *(statement.module or "").split(".")]).strip(".")
            for alias in statement.names:
                yield alias.asname or alias.name, source, alias.name


def complaints(trees: Tree) -> Iterator[str]:
    """Yield each import of a name that is not there, and each call with arguments that do not fit."""
    defined = definitions(trees)
    modules = set(trees) | {name.rpartition(".")[0] for name in trees} | {""}
    for module, tree in trees.items():
        known = dict(defined[module])
        for local, source, name in imports(module, tree):
            if f"{source}.{name}".strip(".") in modules:
                continue  # a file
            if source not in defined or name not in defined[source]:
                yield f"{module} imports {name}, which {source or 'kernels'} does not define"
            else:
                known[local] = defined[source][name]
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            tuples = _tuples(function)
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                called = known.get(call.func.id) if isinstance(call.func, ast.Name) else None
                if called and (problem := _misfit(call, called, tuples)):
                    yield f"{module}:{call.lineno} calls {called.name} with {problem}"


def _tuples(function: ast.FunctionDef) -> dict[str, int]:
    """Return the lengths of the tuples that a function gives a name, for calls that unpack them."""
    return {
        target.id: len(node.value.elts)
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _misfit(call: ast.Call, called: ast.FunctionDef, tuples: dict[str, int]) -> str:
    """Return what is wrong with a call's arguments, "" if nothing."""
    takes = [argument.arg for argument in called.args.args]
    if any(isinstance(each, ast.Name) and each.id == "intrinsic" for each in called.decorator_list):
        takes = takes[1:]  # numba passes the typing context
    if called.args.vararg or called.args.kwarg:
        return ""
    count, unpacked = 0, False
    for argument in call.args:
        if isinstance(argument, ast.Starred):
            name = argument.value.id if isinstance(argument.value, ast.Name) else ""
            count += tuples.get(name, 0)
            unpacked |= name not in tuples
        else:
            count += 1
    named = [keyword.arg for keyword in call.keywords if keyword.arg]
    unknown = [name for name in named if name not in takes[count:]]
    if unknown:
        return f"the unexpected argument {unknown[0]}"
    required = len(takes) - len(called.args.defaults)
    given = count + len(named)
    if given > len(takes) or (given < required and not unpacked):
        return f"{given} arguments, expected {len(takes)}"
    return ""
