"""What options and arguments take, where several commands have them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from bakeoff.errors import UsageError
from bakeoff.utils.text import listed


def whole(option: str) -> Callable[[str], int]:
    """Return a reader of a whole number; UsageError for anything else."""

    def read(text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise UsageError(f"{option}: expected a whole number, found {text!r}") from None

    return read


def one_of(option: str, *words: str) -> Callable[[str], str]:
    """Return a reader of one of some words; UsageError for anything else."""

    def read(text: str) -> str:
        if text not in words:
            raise UsageError(f"{option}: expected {listed(words, last='or')}, found {text!r}")
        return text

    return read


def one_form(command: str, forms: Mapping[str, bool]) -> str | None:
    """Return the one form of output that was chosen, None for the usual one; refuse several."""
    chosen = [name for name, wanted in forms.items() if wanted]
    if len(chosen) > 1:
        raise UsageError(f"{command}: expected one form, found {listed(chosen)}: choose one")
    return chosen[0] if chosen else None


OnOption = Annotated[
    str | None,
    typer.Option(
        metavar="ray[://HOST:PORT]",
        help="For a Ray cluster: the one named, or RAY_ADDRESS's, or one on this machine.",
        show_default="this machine",
    ),
]
RecipeArgument = Annotated[
    str, typer.Argument(metavar="RECIPE", help="A recipe's path, or the name of a shipped one.")
]
StudyArgument = Annotated[
    Path, typer.Argument(metavar="STUDY", help="A study's folder, such as studies/digits.")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output instead.")
]
OutOption = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="The study's folder.", show_default="studies/NAME"),
]


def workers_option(what: str) -> Any:
    """Return the option --workers of a command that does so many of `what` at a time."""
    return typer.Option(
        metavar="N",
        parser=whole("--workers"),
        help=f"{what} at a time.",
        show_default="one a core; one on a GPU",
    )


DeviceOption = Annotated[
    str | None,
    typer.Option(
        metavar="cpu|gpu",
        parser=one_of("--device", "cpu", "gpu"),
        help="Where to train.",
        show_default="gpu where JAX has one",
    ),
]
