"""What goes wrong in silence with the user's own builders: fixed seeds, pixels scaled twice.

A check builds the model with a few seeds and looks at it; nothing is trained. What spoils a study
is refused; what may be meant is a remark, which the report shows as a finding.
"""

import random
from collections.abc import Sequence
from contextlib import suppress
from functools import cache, partial
from typing import Any, NamedTuple

from bakeoff.errors import RecipeError
from bakeoff.recipe.vocabulary.builder_remarks import (
    COMPILED,
    SAME_DRAWS,
    SAME_START,
    SOME_SAME_START,
)
from bakeoff.training.backend import as_planned, keras
from bakeoff.training.builders.first_weights import strange_pixels
from bakeoff.training.builders.networks_of_seeds import (
    difference,
    equal_weights,
    same_draws,
    same_start,
)
from bakeoff.training.builders.two_softmaxes import ends_in_two_softmaxes
from bakeoff.training.builders.user_builder import call_builder, make_weights, usable

_OWN_WAYS = ("train_step", "compute_loss")  # to train, in a class derived from keras.Model
_SEEDS = (1, 2)
_MORE_SEEDS = (0, 3, 4)  # a random choice among few networks may be the same for two seeds

Shape = tuple[int, int, int]


class _Drawn(NamedTuple):
    """A builder's model, and the state of Python's random numbers that the builder left behind."""

    model: keras.Model
    random_state: Any


@cache
def remarks(reference: str, input_shape: Shape, n_classes: int) -> tuple[str, ...]:
    """Return the codes of what is strange about the models that a builder gives, in fixed order.

    Parameters
    ----------
    reference : "file.py:function"
    input_shape : height, width, channels

    Raises
    ------
    RecipeError
        If the builder cannot be used; gives every seed the same initial weights, or one seed
        other weights each time; gives other seeds other networks; or if its model ends in two
        softmax layers or has a training step of its own.
    """
    try:
        return _remarks(reference, input_shape, n_classes)
    finally:
        as_planned()  # what the builder sets in Keras is not for the models after it


def _remarks(reference: str, input_shape: Shape, n_classes: int) -> tuple[str, ...]:
    draw = partial(_drawn, reference, input_shape, n_classes)
    given = draw(_SEEDS[0])
    _refuse_own_training(reference, given.model)
    model, predict = usable(given.model, reference, input_shape, n_classes)
    other, again = draw(_SEEDS[1]), draw(_SEEDS[0])
    others = [each.model for each in (other, *map(draw, _MORE_SEEDS))]
    _refuse_other_networks(reference, given.model, again.model, others)
    _refuse_other_weights(reference, given.model, again.model)
    if ends_in_two_softmaxes(model, predict, input_shape, n_classes):
        raise RecipeError(
            f"{reference}: expected one softmax at the end, found two, one after the other: remove "
            "one"
        )
    found = (
        strange_pixels(model, input_shape),
        _same_start(reference, given, other),
        SAME_DRAWS if same_draws(given.model, other.model) else None,
        COMPILED if given.model.compiled else None,
    )
    return tuple(each for each in found if each is not None)


def _drawn(reference: str, input_shape: Shape, n_classes: int, seed: int) -> _Drawn:
    model = call_builder(reference, input_shape, n_classes, seed=seed)
    state = random.getstate()
    with suppress(Exception):  # `usable` says what is wrong with it
        make_weights(model, input_shape)
    return _Drawn(model, state)


def _refuse_own_training(reference: str, model: keras.Model) -> None:
    own = [way for way in _OWN_WAYS if getattr(type(model), way) is not getattr(keras.Model, way)]
    if own:
        raise RecipeError(
            f"{reference}: expected a model that is trained as the recipe says, found one with its "
            f"own {own[0]}, which would not be used: remove it; losses of add_loss do count"
        )


def _refuse_other_networks(
    reference: str, model: keras.Model, again: keras.Model, others: Sequence[keras.Model]
) -> None:
    """Refuse a builder whose networks differ; `again` is of the same seed as `model`."""
    for each in (again, *others):
        unlike = difference(model, each, again)
        if unlike is not None:
            raise RecipeError(
                f"{reference}: expected the same network for every seed, found {unlike}: draw "
                "nothing about the network at random, and declare a model for each variant"
            )


def _refuse_other_weights(reference: str, model: keras.Model, again: keras.Model) -> None:
    if not equal_weights(model, again):
        raise RecipeError(
            f"{reference}: expected the same initial weights for the same seed, found others: "
            "remove from the builder what seeds by the clock or not at all (random.seed, "
            "set_random_seed, default_rng); Bakeoff sets the seed"
        )


def _same_start(reference: str, given: _Drawn, other: _Drawn) -> str | None:
    """Return the remark on two seeds that start alike, if any; refuse seeds of the builder's own.

    Keras draws the seeds of its initializers from Python's random numbers. So two seeds leave two
    states of them behind, unless the builder seeds them itself.
    """
    equal, drawn, redrawn = same_start(given.model, other.model)
    fixed = redrawn or (equal > 0 and given.random_state == other.random_state)
    all_equal = drawn > 0 and equal == drawn
    if all_equal and fixed:
        raise RecipeError(
            f"{reference}: expected other initial weights for every seed, found the same ones: "
            "remove set_random_seed and seed=… from the builder; Bakeoff sets the seed"
        )
    if all_equal:
        return SAME_START
    return SOME_SAME_START if fixed else None
