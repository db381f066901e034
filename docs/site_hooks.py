"""What the site adds to docs/, a reference made from the code; what it shows in another way.

The reference is `reference.md` and `recipe.schema.json`: the commands as `--help` says them, the
public names of Python with their signatures and docstrings. It is made when the site is built, so
it cannot be behind the code. Links to what is no page keep their words alone.
"""

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

import typer
from mkdocs.structure.files import File, Files

import bakeoff
from bakeoff.cli.commands import app
from bakeoff.recipe.json_schema import schema

_NAMED = re.compile(r"^```(\w+) (\S+)$", re.MULTILINE)
_OUTSIDE = re.compile(r"\[((?:`[^`]*`|[^\]])*)\]\((?:\.\./)+(?!how-to|docs/)[^)]*\)")


def on_files(files: Files, *, config: Any) -> Files:
    """Add the pages that are made from the code."""
    grammar = json.dumps(schema(), indent=1, ensure_ascii=False)
    files.append(File.generated(config, "reference.md", content="\n".join(_reference())))
    files.append(File.generated(config, "recipe.schema.json", content=grammar))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Return a page without links to files that are no pages, the names of its blocks as titles."""
    markdown = _NAMED.sub(r'```\1 title="\2"', markdown)
    if page.file.src_uri.startswith("how-to/"):
        return re.sub(r"\[([^\]]*)\]\(\.\./\.\./[^)]*\)", r"\1", markdown)
    return _OUTSIDE.sub(r"\1", markdown)


def _reference() -> Iterator[str]:
    yield f"# Reference\n\nMade from the code of version {bakeoff.__version__}. The grammar of"
    yield "recipes is a [JSON Schema](recipe.schema.json), and here it is [in words](recipe.md).\n"
    yield "## Commands\n"
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        yield f"### bakeoff {name}\n\n{command.help}\n"
        yield "| argument or option | meaning |\n| --- | --- |"
        for each in command.params:
            words = " ".join((each.help or "").split()).replace("|", "\\|")
            called = ", ".join(each.opts)
            if each.param_type_name == "argument":
                called = each.name.upper()
            yield f"| `{called}` | {words} |"
        yield ""
    yield "## Python\n"
    for name in bakeoff.__all__:
        value = getattr(bakeoff, name)
        if callable(value):
            yield from _described(f"bakeoff.{name}", value, level=3)
            for method, own in inspect.getmembers(value, inspect.isfunction):
                if inspect.isclass(value) and not method.startswith("_"):
                    yield from _described(f"{name}.{method}", own, level=4)


def _described(name: str, value: Any, *, level: int) -> Iterator[str]:
    signature = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(value)))
    yield f"{'#' * level} {name}\n\n```python\n{name}{signature}\n```\n"
    yield f"```text\n{inspect.getdoc(value) or ''}\n```\n"
