"""The learning rate of every epoch, from the phases that a recipe declares."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bakeoff.recipe.value_kinds import Misfit
from bakeoff.recipe.vocabulary.arguments import Frozen


class Phase(Frozen):
    """A stretch of epochs with one learning-rate rule; `epochs` None means to the end.

    k counts epochs from the phase's start, n is its length. constant: start. exponential:
    start·exp(rate·k). linear: start + (end − start)·k/(n − 1). cosine: end + (start − end)·(1 +
    cos(π·k/(n − 1)))/2. The last two reach `end` in the last epoch, a phase of one epoch included.
    """

    kind: Literal["constant", "exponential", "linear", "cosine"]
    epochs: int | None = None
    start: float
    rate: float | None = None
    end: float | None = None

    def rates(self, length: int) -> NDArray[np.float64]:
        """Return the learning rates of `length` epochs, shape (length,)."""
        k = np.arange(length, dtype=np.float64)
        if self.kind == "constant":
            return np.full(length, self.start)
        if self.kind == "exponential":
            return self.start * np.exp((self.rate or 0.0) * k)
        way = k / (length - 1) if length > 1 else np.ones(length)
        left = 1 - way if self.kind == "linear" else (1 + np.cos(np.pi * way)) / 2
        end = self.end or 0.0
        return np.asarray(end + (self.start - end) * left)

    def resolved(self) -> dict[str, Any]:
        """Return the phase in the recipe's grammar, as plain data."""
        names = ("start", "rate", "end")
        values = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        epochs = {} if self.epochs is None else {"epochs": self.epochs}
        return {**epochs, self.kind: self.start if self.kind == "constant" else values}


def phase_lengths(phases: Sequence[Phase], epochs: int) -> list[int]:
    """Return the number of epochs of each phase; Misfit unless they cover `epochs` exactly."""
    for number, phase in enumerate(phases[:-1], start=1):
        if phase.epochs is None:
            raise Misfit("only the last phase may leave out epochs", inside=f"[{number}]")
    lengths = [phase.epochs or 0 for phase in phases]
    covered = sum(lengths)
    last = phases[-1]
    if last.epochs is None and covered < epochs:
        lengths[-1] = epochs - covered
    elif last.epochs is None:
        raise Misfit(
            f"expected epochs left for the last phase, found {covered} of {epochs} taken by the "
            f"phases before it: shorten them"
        )
    elif covered < epochs:
        raise Misfit(
            f"expected phases for {epochs} epochs, found {covered}: leave epochs out of the last "
            f"phase, and it runs to the end"
        )
    elif covered > epochs:
        raise Misfit(f"expected phases for {epochs} epochs, found {covered}: shorten a phase")
    return lengths


def learning_rates(phases: Sequence[Phase], epochs: int) -> NDArray[np.float64]:
    """Return the learning rate of every epoch, float64, shape (epochs,).

    Raises Misfit (a ValueError) if the phases do not cover `epochs` exactly or a rate is too large
    to be a number.
    """
    lengths = phase_lengths(phases, epochs)
    with np.errstate(over="ignore"):
        parts = [phase.rates(n) for phase, n in zip(phases, lengths, strict=True)]
    for number, part in enumerate(parts, start=1):
        if not part.max() <= 1e6:
            raise Misfit(
                f"expected learning rates up to 1e+06, found {part.max():.3g}: give a smaller rate",
                inside=f"[{number}]",
            )
    return np.concatenate(parts)
