"""What the user's own Python builder says: pixels scaled twice, equal starts, what is not used."""

from __future__ import annotations

from bakeoff.analysis.comparison import Comparison, Finding, ModelResult
from bakeoff.recipe.vocabulary.builder_remarks import (
    COMPILED,
    PIXELS_LOST,
    SAME_DRAWS,
    SAME_START,
    SCALES_AGAIN,
    SOME_SAME_START,
)


def scales_again(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Notice a builder that divides pixels which are in [0, 1] already."""
    if SCALES_AGAIN not in model.remarks:
        return None
    return Finding(
        code="scales-again",
        severity="serious",
        model=model.name,
        text=(
            f"{model.name} scales its pixels once more before its first weights: Bakeoff gives "
            "them in [0, 1], so it learned from almost black images."
        ),
        advice="Remove Rescaling or preprocess_input from the builder, or make it suit [0, 1].",
    )


def pixels_lost(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Notice a builder that makes all images alike before its first weights."""
    if PIXELS_LOST not in model.remarks:
        return None
    return Finding(
        code="pixels-lost",
        severity="serious",
        model=model.name,
        text=(
            f"The first weights of {model.name} get the same from a black, a white and a noisy "
            "image, so they cannot learn from pixels."
        ),
        advice=(
            "Remove what makes them alike from the builder. LayerNormalization does, for one: it "
            "subtracts each pixel's mean over its channels, so one channel becomes 0 everywhere."
        ),
    )


def same_initial_weights(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Notice a builder that gives several seeds the same initial weights."""
    every = SAME_START in model.remarks
    if not every and SOME_SAME_START not in model.remarks:
        return None
    which = "all its weights" if every else "some of its layers"
    return Finding(
        code="same-initial-weights",
        severity="serious",
        model=model.name,
        text=(
            f"The seeds of {model.name} start with {which} alike, so what they differ by is less "
            "than chance would have it: its intervals and verdicts rest on one draw of these "
            "weights."
        ),
        advice="Remove seed=… from the builder's initializers; Bakeoff sets the seed.",
    )


def same_random_draws(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Notice a builder whose layers draw at random by a seed of their own."""
    if SAME_DRAWS not in model.remarks:
        return None
    return Finding(
        code="same-random-draws",
        severity="warning",
        model=model.name,
        text=(
            f"Some layers of {model.name} draw the same random numbers with every seed (dropout, "
            "noise, augmentation), so the seeds differ by less than chance would have it."
        ),
        advice="Remove the seed of these layers from the builder; Bakeoff sets it.",
    )


def compiled(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Notice a builder that compiles its model: Bakeoff trains as the recipe says."""
    if COMPILED not in model.remarks:
        return None
    return Finding(
        code="compiled",
        severity="warning",
        model=model.name,
        text=(
            f"The builder of {model.name} compiles it with an optimizer and a loss, which were not "
            "used: it was trained as the recipe's training says."
        ),
        advice="Write the optimizer into the recipe, and take compile out of the builder.",
    )


def nothing_trained(model: ModelResult, comparison: Comparison) -> Finding | None:
    """Notice a builder that freezes all weights: what is scored is what it began with."""
    if model.trainable_parameters:
        return None
    return Finding(
        code="nothing-trained",
        severity="serious",
        model=model.name,
        text=(
            f"The builder of {model.name} leaves no weight to be trained, so its scores are those "
            "of the weights that it began with."
        ),
        advice="Unless that is meant, take trainable = False out of the builder.",
    )
