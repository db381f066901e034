"""Which files a Python builder is made of: its own, and those of the user's that it imports."""

import ast
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path, PurePosixPath

from bakeoff.storage import atomic

_PACKAGES = ("site-packages", "dist-packages")  # what lies there is nobody's own


def imported_files(builder: Path) -> dict[str, bytes]:
    """Return the content of the files that a builder's file imports, and they in turn, by name.

    Nothing is run: what stands in `import` lines is looked for in the builder's folder and in those
    above it, where projects keep their own modules; installed packages do not lie there. A name is
    as seen from the folder where its first part was found, so that it stays when all is moved.
    """
    folder = builder.absolute().parent
    roots = tuple(takewhile(lambda each: each.name not in _PACKAGES, (folder, *folder.parents)))
    found, asked = dict[str, bytes](), set[str]()
    waiting = [_wanted(atomic.read_file(builder), PurePosixPath(builder.name))]
    while waiting:
        for name in set(waiting.pop()) - asked:
            asked.add(name)
            path = _first(roots, name)
            if path is not None and path != builder.absolute():
                found[name] = atomic.read_file(path)
                waiting.append(_wanted(found[name], PurePosixPath(name)))
    return found


def _first(roots: Sequence[Path], name: str) -> Path | None:
    """Return the file where Python would find it: in the folder that has its first part."""
    top = name.partition("/")[0].removesuffix(".py")
    if top in sys.stdlib_module_names:
        return None
    is_file, is_folder = os.path.isfile, os.path.isdir  # which are silent about others' folders
    modules = (r for r in roots if is_file(r / f"{top}.py") or is_file(r / top / "__init__.py"))
    root = next(modules, None) or next((r for r in roots if is_folder(r / top)), None)
    return root / name if root is not None and is_file(root / name) else None


def _wanted(content: bytes, place: PurePosixPath) -> list[str]:
    """Return the files that a file may import: "blocks.py", "parts/__init__.py", "parts/head.py".

    place : the file's own name, from which relative imports count
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # it is said when it is imported
            tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):  # it cannot be imported: its trial says so
        return []
    return [
        name
        for module in _modules(tree, place)
        for name in (f"{module}.py", f"{module}/__init__.py")
    ]


def _modules(tree: ast.AST, place: PurePosixPath) -> Iterator[str]:
    """Yield what is imported and the packages around it, as paths without an ending."""
    for node in ast.walk(tree):
        names: list[PurePosixPath] = []
        if isinstance(node, ast.Import):
            names = [PurePosixPath(*each.name.split(".")) for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = PurePosixPath(*(node.module or "").split("."))
            if node.level:
                base = PurePosixPath(*place.parts[: -node.level]) / base
            names = [base, *(base / each.name for each in node.names)]
        for name in names:
            yield from (str(each) for each in (name, *name.parents) if each.name)
