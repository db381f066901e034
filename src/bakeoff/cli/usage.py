"""What the command line says of a wrong command line: one line, with the nearest known word.

The parser's own errors are read by their attributes, not their classes, which have moved between
its versions.
"""

import os
from collections.abc import Sequence
from typing import Any

from bakeoff.errors import UsageError
from bakeoff.utils.text import shell_command

# What other tools call it, the command that does it, and what that does.
_DOES = (
    (
        "train fit start resume continue go benchmark",
        "run",
        "trains what is missing, opens the test set and compares",
    ),
    ("evaluate eval test score", "run", "opens the test set once all trials are done"),
    ("infer classify inference", "predict", "says what the winner sees in pictures"),
    ("init create make generate scaffold", "new", "writes a recipe for your images"),
    ("list ls examples", "recipes", "lists the recipes that come along"),
    (
        "summary dry-run check validate estimate",
        "plan",
        "shows layers, counts and time, and trains nothing",
    ),
    ("results table leaderboard diff", "compare", "prints the table of a study"),
    ("progress ps jobs", "status", "says how far a study is"),
    ("show view data inspect explore", "look", "shows a data set"),
    ("html plot open", "report", "writes report.html again"),
    ("info env debug", "doctor", "looks whether this machine is ready"),
)

# What people look for among the options of `run` and what stands in the recipe.
_DECLARED = (
    *("epochs", "epoch", "batch-size", "learning-rate", "lr", "optimizer", "data", "split"),
    *("models", "seeds", "selection", "baselines", "margin", "give-up", "prefer", "race", "search"),
)


_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"  # what editors make of hyphens


def check_command(words: Sequence[str], command: Any) -> None:
    """Raise UsageError if the first word is no command of the group `command`, or one is empty."""
    if "" in words:  # a path of "" is the current folder
        raise UsageError("expected words, found an empty one: is a variable of the shell unset?")
    for word in words:
        bare = word.lstrip(_DASHES)
        dashes = word.removesuffix(bare).strip("-")
        if dashes and bare[:1].isalpha() and not os.path.exists(word):
            raise UsageError(f"expected --{bare}, found {word!r}: a dash where two hyphens belong")
    known = list(command.commands)
    if not words or words[0].startswith("-") or words[0] in known:
        return
    raise UsageError(f"expected a command, found {words[0]!r}: {_other(words[0], known)}")


def _other(word: str, known: Sequence[str]) -> str:
    """Return the command that does what `word` asks for."""
    if word.endswith((".yaml", ".yml")):
        return f"did you mean {shell_command('run', word)}?"
    asked = word.casefold().replace("_", "-")
    if asked in ("help", "version"):
        return f"did you mean bakeoff --{asked}?"
    for words, does, what in _DOES:
        if asked in words.split() and does in known:
            return f"{does} {what}"
    return _nearest(asked, known)


def as_usage_error(error: Exception, words: Sequence[str]) -> UsageError | None:
    """Return a parser's error as one of ours; None for any other error."""
    if not hasattr(error, "format_message") or isinstance(error, UsageError):
        return None
    context = getattr(error, "ctx", None)
    named = words[0] if words and not words[0].startswith("-") else ""
    command = context.command_path if context else f"bakeoff {named}".strip()
    option = getattr(error, "option_name", None)
    parameter = getattr(error, "param", None)
    kind = type(error).__name__
    if kind == "NoSuchOption" and option and context:
        text = f"unknown option {option}; {_other_option(option, context)}"
    elif "requires an argument" in str(error):
        text = f"expected a value of {option}, found nothing; {command} --help shows what it takes"
    elif "does not take a value" in str(error):
        text = f"expected {option} without a value, found one: leave out '=' and what follows"
    elif kind == "MissingParameter" and parameter is not None:
        hint = parameter.human_readable_name if parameter.metavar is None else parameter.metavar
        if parameter.opts[0].startswith("--"):
            hint = f"{parameter.opts[0]} {hint}"
        text = f"expected {hint}, found nothing: {parameter.help or 'give it'}".rstrip(".")
    elif "unexpected extra argument" in str(error):
        text = f"expected no more, found also {str(error).rpartition('(')[2].rstrip(')')}"
    else:
        text = f"{error.format_message().strip().rstrip('.')}; {command} --help shows what it takes"
    return UsageError(f"{command.removeprefix('bakeoff').strip()}: {text}".removeprefix(": "))


def _options(context: Any) -> list[str]:
    return [
        name
        for parameter in context.command.get_params(context)
        for name in parameter.opts
        if name.startswith("--")
    ]


def _other_option(option: str, context: Any) -> str:
    bare = option.removeprefix("--").replace("_", "-")
    if context.command.name in ("run", "tune", "plan") and bare in _DECLARED:
        return "that stands in the recipe"
    return _nearest(option, _options(context), prefix="--")


def _nearest(word: str, known: Sequence[str], *, prefix: str = "") -> str:
    """Return the word nearest to `word`; the `prefix` that all begin with makes none nearer."""
    from difflib import get_close_matches

    bare = [each.removeprefix(prefix) for each in known]
    close = get_close_matches(word.removeprefix(prefix), bare, n=1, cutoff=0.6)
    if close:
        return f"did you mean {prefix}{close[0]}?"
    return f"known: {', '.join(known)}"
