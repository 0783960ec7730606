"""Cycles among imports: modules, or packages, that import each other, directly or through others."""

import ast
from collections.abc import Iterator, Mapping


def module_of(path: str) -> str:
    """Return the module that a file is: "jitnet.display" for jitnet/display/__init__.py."""
    name = path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    return f"jitnet.{name}" if name.split(".")[0] == "kernels" else name


def import_graph(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Return which module imports which, from the texts of files by path.

    Imports inside functions count: they only hide a cycle. What is imported under TYPE_CHECKING does not, nor does
    `__getattr__` of a package, which serves names that the package itself does not use.
    """
    modules = {module_of(path) for path in sources}
    graph: dict[str, set[str]] = {}
    for path, source in sources.items():
        tree, own = ast.parse(source), module_of(path)
        skipped = {id(node) for node in ast.walk(tree) if _is_lazy(node) for node in ast.walk(node)}
        graph[own] = set()
        for node in ast.walk(tree):
            if id(node) in skipped:
                continue
            package = own if path.endswith("__init__.py") else own.rpartition(".")[0]
            graph[own] |= {name for text in _names(node, package) if (name := _within(text, modules)) not in ("", own)}
    return graph


def _is_lazy(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return getattr(node.test, "id", getattr(node.test, "attr", "")) == "TYPE_CHECKING"
    return isinstance(node, ast.FunctionDef) and node.name == "__getattr__"


def _names(node: ast.AST, package: str) -> Iterator[str]:
    """Yield the full names that one statement imports; `package` is what a leading dot stands for."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        parts = package.split(".")
        start = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
        base = ".".join(part for part in (start, node.module) if part)
        yield from (f"{base}.{alias.name}" for alias in node.names)


def _within(name: str, modules: set[str]) -> str:
    """Return the module that a name is, or is in; "" for one of another project."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name


def package_graph(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return which package imports which; a package and the packages inside it are not two."""
    found: dict[str, set[str]] = {}
    parents = {name.rpartition(".")[0] for name in graph}
    for module, imports in graph.items():
        own = module if module in parents else module.rpartition(".")[0]
        others = {name if name in parents else name.rpartition(".")[0] for name in imports}
        found.setdefault(own, set()).update(
            other for other in others if not f"{other}.".startswith(f"{own}.") and not f"{own}.".startswith(f"{other}.")
        )
    return found


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the sets of nodes that reach each other, each sorted (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            members = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(members) > 1:
                found.append(sorted(members))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return sorted(found)
