"""Words of a command line taken as they are, as text or a path, or by an option's own reader.

Typer's newer versions read every word by pydantic, whose import takes longer than `bakeoff status`
may take; older ones have nothing to replace here.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, get_args


class _Plain:
    """What typer asks to make a parameter's value of the words that were given for it."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self._read = read

    def coerce(self, value: Any, *, param: Any, ctx: Any) -> Any:
        several = param.multiple or param.nargs == -1
        if value is None:
            return () if several else None
        return [self._read(each) for each in value] if several else self._read(value)


def take_words_plainly(commands: Any) -> None:
    """Let the commands of a group read their words without pydantic."""
    for command in (commands, *commands.commands.values()):
        for parameter in command.params:
            _take_plainly(parameter)
        command.get_help_option = partial(_help_option, command.get_help_option)


def _help_option(made_by: Callable[[Any], Any], context: Any) -> Any:
    """Return a command's --help, which comes into being when it is asked for."""
    option = made_by(context)
    if option is not None:
        _take_plainly(option)
    return option


def _take_plainly(parameter: Any) -> None:
    if not hasattr(parameter, "get_runtime_param"):  # an older typer
        return
    declared = parameter.type_descriptor
    kind = (get_args(declared.annotation) or (declared.annotation,))[0]
    read = declared.parameter_info.parser or _READERS.get(kind)
    if read is not None:
        parameter.get_runtime_param = partial(_Plain, read)


_READERS = {str: str, Path: Path, bool: bool}
