"""An optimizer in a few words, as a plan says it: its name, what is unusual, its learning rate."""

from bakeoff.recipe import Optimizer, Phase
from bakeoff.recipe.vocabulary.optimizers import unusual_words
from bakeoff.utils.text import counted


def optimizer_words(optimizer: Optimizer) -> str:
    """Return an optimizer in a few words: "adam, learning rate 0.001"."""
    unusual = unusual_words(optimizer.kind, optimizer.arguments)
    if optimizer.arguments.get("nesterov") and not optimizer.arguments.get("momentum"):
        unusual[unusual.index("nesterov yes")] += " (without a momentum it does nothing)"
    phases = ", then ".join(_phase(phase) for phase in optimizer.learning_rate)
    return ", ".join([optimizer.kind, *unusual, f"learning rate {phases}"])


def _phase(phase: Phase) -> str:
    rule = {
        "constant": f"{phase.start:g}",
        "exponential": f"{phase.start:g}·exp({phase.rate or 0:g}·k)".replace("-", "−"),
        "linear": f"{phase.start:g} to {phase.end or 0:g}, linearly",
        "cosine": f"{phase.start:g} to {phase.end or 0:g} along a cosine",
    }[phase.kind]
    return rule if phase.epochs is None else f"{rule} for {counted(phase.epochs, 'epoch')}"
