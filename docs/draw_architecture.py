"""Draw the architecture: writes docs/architecture.md from the files' own first lines and imports.

`python docs/draw_architecture.py` (or `make architecture`) after a file was added, moved or renamed.
"""

import ast
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "bakeoff"
PAGE = ROOT / "docs" / "architecture.md"
PACKAGES = (
    *("utils", "data", "recipe", "storage", "training"),
    *("analysis", "report", "study", "use", "cli"),
)
TREE = ("<!-- tree: made by docs/draw_architecture.py -->", "<!-- end of the tree -->")
ARROWS = ("<!-- imports: made by docs/draw_architecture.py -->", "<!-- end of the imports -->")


def first_sentence(path: Path) -> str:
    """Return what a file says of itself, in one line: its docstring up to the first full stop."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    line = " ".join(text.split("\n\n")[0].split())
    return line.partition(". ")[0].rstrip(".")


def tree(folder: Path = PACKAGE, depth: int = 1) -> list[str]:
    """Return the drawing of a package, one line a file, the packages in the order of their imports."""
    lines = []
    files = sorted(p for p in folder.glob("*.py") if p.name != "__init__.py")
    for path in files:
        lines.append(f"{'  ' * depth + path.name:<34}{first_sentence(path)}")
    folders = [p.parent for p in folder.glob("*/__init__.py")]
    order = {name: position for position, name in enumerate(PACKAGES)}
    for inside in sorted(folders, key=lambda path: (order.get(path.name, -1), path.name)):
        name = "  " * depth + inside.name + "/"
        lines.append(f"{name:<34}{first_sentence(inside / '__init__.py')}")
        lines += tree(inside, depth + 1)
    return lines


def imports() -> Counter[tuple[str, str]]:
    """Count the imports from package to package."""
    arrows: Counter[tuple[str, str]] = Counter()
    for path in PACKAGE.rglob("*.py"):
        here = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bakeoff."):
                there = str(node.module).split(".")[1]
                if here != there and {here, there} <= {*PACKAGES}:
                    arrows[here, there] += 1
    return arrows


def matrix() -> list[str]:
    """Return the imports as a table: a row imports from a column; all of it lies left of the rows."""
    arrows = imports()
    width = max(map(len, PACKAGES)) + 1
    lines = [" " * width + "".join(f"{name:>9}" for name in PACKAGES)]
    for here in PACKAGES:
        counts = [str(arrows[here, there] or "·") for there in PACKAGES]
        lines.append(f"{here:<{width}}" + "".join(f"{each:>9}" for each in counts).rstrip())
    return lines


def drawn(page: str) -> str:
    """Return the page with both drawings made again."""
    for (begin, end), lines in ((TREE, ["src/bakeoff/", *tree()]), (ARROWS, matrix())):
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        body = "\n".join(line.rstrip() for line in lines)
        page = f"{before}{begin}\n```\n{body}\n```\n{end}{after}"
    return page


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
