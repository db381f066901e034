"""YAML as plain data and nothing else: one document, no tags, no duplicate keys, bounded.

Two readings of YAML 1.1 that surprise people are dropped: dates, and `no` or `on` as truth values,
are text here; a number with a leading 0 is text too. Keys are text as they are written: a class
called 1.10 is not the one called 1.1.
"""

import re
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from bakeoff.errors import RecipeError

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
MAX_NODES = 100_000
_LIBYAML: Any = getattr(yaml, "cyaml", None)  # absent where PyYAML was built without it
# A recipe of 50 models (6 KB) takes libyaml's parser 4 ms and PyYAML's own 29 ms, one of 240 KB
# 0.3 s and 1.2 s (two Sapphire Rapids cores, 2026-11-26); PyYAML's own has the better messages.
_EXPLAINED = 100_000  # characters that PyYAML's own parser reads again

_TAG = "tag:yaml.org,2002:"


class _Scalars(Resolver):
    """Plain scalars are text, numbers, true, false or null."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


class _Bounded(Composer):
    """Composes as usual, but refuses what is too deep or too much before it is all read."""

    depth = 0
    count = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose a node and count it."""
        self.depth += 1
        self.count += 1
        if self.depth > MAX_DEPTH or self.count > MAX_NODES:
            much = f"{MAX_DEPTH} levels of nesting"
            if self.count > MAX_NODES:
                much = f"{MAX_NODES:,} values"
            mark = self.peek_event().start_mark  # type: ignore[attr-defined]
            raise _TooMuch(problem=f"expected at most {much}, found more", problem_mark=mark)
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


class _Loader(_Bounded, _Scalars, yaml.SafeLoader):
    """PyYAML's own parser, whose messages are the better ones."""


def _fast_loader() -> type[Any]:
    """Return a loader on libyaml's parser, or PyYAML's own where there is none."""
    if _LIBYAML is None:
        return _Loader

    class Fast(_Bounded, _LIBYAML.CParser, SafeConstructor, _Scalars):  # type: ignore[misc]
        def __init__(self, text: str) -> None:
            _LIBYAML.CParser.__init__(self, text)
            for each in (_Bounded, SafeConstructor, _Scalars):
                each.__init__(self)

    return Fast


_FastLoader = _fast_loader()


class _TooMuch(yaml.MarkedYAMLError):
    """Deeper or longer than a recipe may be."""


_Scalars.add_implicit_resolver(
    f"{_TAG}bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Scalars.add_implicit_resolver(
    f"{_TAG}int", re.compile(r"^[-+]?(?:0|[1-9][0-9_]*)$"), list("-+0123456789")
)
_Scalars.add_implicit_resolver(
    f"{_TAG}float",
    re.compile(
        r"^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|[-+]?\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("-+0123456789."),
)
_Scalars.add_implicit_resolver(
    f"{_TAG}null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]
)


def read_yaml(text: str, *, origin: str) -> Any:
    """Return the document in `text` as dicts, lists and scalars; RecipeError names line and cause.

    Aliases (`*name`) are followed, within the bound on the number of values.
    """
    prefix = f"recipe {origin}"
    if len(text) > MAX_BYTES:
        raise RecipeError(
            f"{prefix}: expected at most {MAX_BYTES:,} characters, found {len(text):,}; "
            f"this does not look like a recipe"
        )
    try:
        try:
            return _read(_FastLoader, text, prefix)
        except _TooMuch:
            raise
        except yaml.YAMLError:
            if len(text) > _EXPLAINED:
                raise
            return _read(_Loader, text, prefix)
    except yaml.MarkedYAMLError as error:
        mark = _place(error)
        line = f", line {mark.line + 1}" if mark else ""
        written = text.splitlines()[mark.line : mark.line + 1] if mark else []
        raise RecipeError(f"{prefix}{line}: {_explain(error, ''.join(written))}") from None
    except yaml.reader.ReaderError as error:
        code = error.character if isinstance(error.character, int) else ord(error.character[:1])
        raise RecipeError(
            f"{prefix}: expected plain text, found the control character {code:#04x}; remove it"
        ) from None
    except yaml.YAMLError as error:
        raise RecipeError(f"{prefix}: this is not YAML: {error}") from None


def _read(kind: type[Any], text: str, prefix: str) -> Any:
    loader = kind(text)
    try:
        node = loader.get_single_node()
        return None if node is None else _Plain(loader, prefix).read(node, 0)
    finally:
        loader.dispose()


def _place(error: yaml.MarkedYAMLError) -> Any:
    """Return where what is wrong begins, which is not always where PyYAML noticed it."""
    if error.context_mark is not None and error.problem in (
        "could not find expected ':'",
        "found unexpected end of stream",
    ):
        return error.context_mark
    return error.problem_mark or error.context_mark


def _explain(error: yaml.MarkedYAMLError, written: str) -> str:
    """Say what is wrong with the line that is written so, in PyYAML's words and in plainer ones."""
    problem = (error.problem or error.context or "it cannot be read").removeprefix("but ")
    if isinstance(error, _TooMuch):
        return problem
    began, seen = error.context_mark, error.problem_mark
    hint = "; indent with spaces, not tabs" if r"'\t'" in problem else ""
    if problem == "mapping values are not allowed here":
        hint = "; is a colon missing in the line above, or this line indented too far?"
        if seen and ": " in written[: seen.column]:
            hint = "; a text with ': ' in it needs quotes"
    if problem.startswith("expected <block end>"):
        problem = "this line does not continue those above it"
        hint = "; indent it as its neighbours are"
        if re.match(r"\s*-[^\s-]", written):
            hint = "; a - that begins an entry of a list needs a space after it"
    if problem == "found unexpected end of stream":
        problem = "what is quoted from here on does not end"
    if "flow" in (error.context or "") and began and seen and began.line < seen.line:
        hint = f"; the bracket that opens in line {began.line + 1} is not closed"
    return f"this is not YAML: {problem}{hint}"


class _Plain:
    """Turns a node graph into plain data and counts the values made, aliases followed."""

    def __init__(self, loader: SafeConstructor, prefix: str) -> None:
        self.loader = loader
        self.prefix = prefix
        self.count = 0

    def read(self, node: yaml.Node, depth: int) -> Any:
        self.count += 1
        if self.count > MAX_NODES or depth > MAX_DEPTH:
            raise self._refuse(node, "expected fewer values; an alias (*name) repeats too much")
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self.read(each, depth + 1) for each in node.value]
        if isinstance(node, yaml.ScalarNode) and node.tag in _SCALARS:
            try:
                return self.loader.construct_object(node)
            except (ValueError, OverflowError, KeyError):
                raise self._refuse(
                    node, "expected a number of ordinary size, found one too long"
                ) from None
        raise self._refuse(node, f"expected plain data, found the tag {node.tag}; remove it")

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[Any, Any]:
        values: dict[Any, Any] = {}
        lines: dict[Any, int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._refuse(key_node, "expected a word as key, found a list or mapping")
            self.read(key_node, depth + 1)
            key = key_node.value
            if key in values:
                # not at the top: `bakeoff status` does without all that this imports
                from bakeoff.recipe.value_kinds import key_text

                text = f"the key {key_text(key)} stands here and in line {lines[key]}; remove one"
                raise self._refuse(key_node, text)
            values[key] = self.read(value_node, depth + 1)
            lines[key] = key_node.start_mark.line + 1
        return values

    def _refuse(self, node: yaml.Node, text: str) -> RecipeError:
        return RecipeError(f"{self.prefix}, line {node.start_mark.line + 1}: {text}")


_SCALARS = frozenset(f"{_TAG}{name}" for name in ("str", "int", "float", "bool", "null"))
