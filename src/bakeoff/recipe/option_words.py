"""The options of a choice in words: by the names they begin with, in full where these are alike."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any


def tell_apart(options: Sequence[Any]) -> list[str]:
    """Return each option in a few words, and written out where another has the same few."""
    few = [option_words(each) for each in options]
    shared = Counter(few)
    return [
        words if shared[words] == 1 else _in_full(option)
        for words, option in zip(few, options, strict=True)
    ]


def option_words(option: Any) -> str:
    """Return an option in a few words: itself, or the name that it begins with."""
    if isinstance(option, Mapping):
        if len(option) > 1:  # none of its keys is the name of it
            return _in_full(option)
        name, inner = next(iter(option.items()), ("none", {}))
        plain = inner is not None and not isinstance(inner, Mapping | list | tuple)
        return f"{name} {inner}" if plain else str(name)
    if isinstance(option, list | tuple):
        return " + ".join(option_words(each) for each in option) or "none"
    if isinstance(option, bool):
        return str(option).lower()
    return "none" if option is None else str(option)


def _in_full(option: Any, *, inside: bool = False) -> str:
    """Return an option with all that it says: "sgd (learning_rate 0.1, momentum 0.9)"."""
    if isinstance(option, Mapping) and option:
        if list(option.values()) in ([None], [{}]):
            return option_words(option)
        text = ", ".join(f"{key} {_in_full(each, inside=True)}" for key, each in option.items())
    elif isinstance(option, list | tuple) and len(option) > 1:
        layers = any(isinstance(each, Mapping | str) for each in option)
        text = (" + " if layers else ", ").join(_in_full(each) for each in option)
    elif isinstance(option, list | tuple) and option:
        return _in_full(option[0], inside=inside)
    else:
        return option_words(option)
    return f"({text})" if inside else text
