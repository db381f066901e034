"""What every word of a recipe has in common: its arguments, and the kinds of value they take.

A class derived from Arguments declares one word: field names and defaults are Keras's own, the
annotations say what may be written. Messages, the JSON Schema and the documentation's tables are
made from them.
"""

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict

from bakeoff.recipe.value_kinds import Choice, Flag, Number, OrNull, Pair, Regularizer, Whole

ACTIVATION_NAMES = (
    *("relu", "sigmoid", "tanh", "elu", "selu", "gelu", "silu", "softmax", "linear"),
    *("relu6", "leaky_relu", "softplus", "mish", "hard_sigmoid", "hard_silu"),
)
ACTIVATION_ALIASES = (("swish", "silu"), ("hard_swish", "hard_silu"))
INITIALIZER_NAMES = (
    *("glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform"),
    *("lecun_normal", "random_uniform", "random_normal", "truncated_normal", "zeros", "ones"),
)

ActivationName = Annotated[
    str, Choice(ACTIVATION_NAMES, "an activation", null="linear", aliases=ACTIVATION_ALIASES)
]
Initializer = Annotated[str, Choice(INITIALIZER_NAMES, "an initializer")]
RegularizerArgument = Annotated[dict[str, float] | None, OrNull(Regularizer())]
Padding = Annotated[str, Choice(("valid", "same"), "a padding")]
Size = Annotated[tuple[int, int], Pair(1, 1024)]
OptionalSize = Annotated[tuple[int, int] | None, OrNull(Pair(1, 1024))]
Side = Annotated[int, Whole(1, 1024)]
Units = Annotated[int, Whole(1, 1_000_000)]
Filters = Annotated[int, Whole(1, 100_000)]
Toggle = Annotated[bool, Flag()]
Positive = Annotated[float, Number(0, 1e6, above=True)]
FromZero = Annotated[float, Number(0, 1e6)]
UnitInterval = Annotated[float, Number(0, 1)]
BelowOne = Annotated[float, Number(0, 1, below=True)]
OptionalFromZero = Annotated[float | None, OrNull(Number(0, 1e6))]
OptionalPositive = Annotated[float | None, OrNull(Number(0, 1e6, above=True))]


class Frozen(BaseModel):
    """A validated value that does not change; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Arguments(Frozen):
    """Arguments of one layer, optimizer or phase; `main` may be written without its name."""

    main: ClassVar[str | None] = None

    def plain(self) -> dict[str, Any]:
        """Return all arguments, defaults written out, as plain values."""
        return self.model_dump()

    def given(self) -> dict[str, Any]:
        """Return only the arguments that were given."""
        return self.model_dump(include=self.model_fields_set)
