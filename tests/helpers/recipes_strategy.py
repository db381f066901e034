"""Hypothesis strategies for random valid recipes: small models for 8×8×1 images, 10 classes.

`mappings()` draws the grammar as a user may write it, shorthand included;
`recipes()` the Recipe. One epoch unless `max_epochs` says more.
"""

from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from bakeoff.recipe import Recipe, parse

ACTIVATIONS = ["relu", "sigmoid", "tanh", "elu", "selu", "gelu", "silu", "softmax", "linear"]
ACTIVATIONS += ["swish", "relu6", "leaky_relu"]
INITIALIZERS = ["glorot_uniform", "he_normal", "lecun_uniform", "random_normal", "zeros", "ones"]

names = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,10}", fullmatch=True).filter(
    lambda name: name not in ("majority", "logistic", "baselines")
)
regularizers = st.one_of(
    st.none(),
    st.fixed_dictionaries({"l1": st.sampled_from([0.01, 1e-4])}),
    st.fixed_dictionaries({"l2": st.sampled_from([0.01, "1e-4"])}),
    st.just({"l1": 0.001, "l2": 0.002}),
)


def optional(**arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of these arguments."""
    return st.fixed_dictionaries({}, optional=arguments)


KERNEL = {
    "use_bias": st.booleans(),
    "kernel_initializer": st.sampled_from(INITIALIZERS[:4]),
    "bias_initializer": st.sampled_from(INITIALIZERS),
    "kernel_regularizer": regularizers,
    "bias_regularizer": regularizers,
}
outputs = optional(**KERNEL)
anywhere = st.one_of(
    st.sampled_from(
        ["dropout", "gaussian_noise", "batch_normalization", "activation", "leaky_re_lu", "elu"]
    ).flatmap(
        lambda kind: {
            "gaussian_noise": st.just({"gaussian_noise": 0.25}),
            "dropout": st.sampled_from([{"dropout": 0.25}, {"dropout": {"rate": 0}}]),
            "batch_normalization": st.one_of(
                st.just("batch_normalization"),
                optional(
                    momentum=st.sampled_from([0.9, 0.5]),
                    epsilon=st.just(0.01),
                    center=st.booleans(),
                    scale=st.booleans(),
                ).map(lambda arguments: {"batch_normalization": arguments}),
            ),
            "activation": st.sampled_from(ACTIVATIONS).map(lambda name: {"activation": name}),
            "leaky_re_lu": st.sampled_from(["leaky_re_lu", {"leaky_re_lu": 0.1}]),
            "elu": st.sampled_from(["elu", {"elu": {"alpha": 0.5}}]),
        }[kind]
    ),
)
augmentation = st.one_of(
    st.sampled_from(["random_flip", {"random_flip": "horizontal"}]),
    st.builds(
        lambda height, width, others: {
            "random_translation": {"height_factor": height, "width_factor": width, **others}
        },
        st.sampled_from([0, 0.1, 1]),
        st.sampled_from([0, 0.25]),
        optional(
            fill_mode=st.sampled_from(["reflect", "wrap", "constant", "nearest"]),
            interpolation=st.sampled_from(["nearest", "bilinear"]),
            fill_value=st.sampled_from([0, 0.5]),
        ),
    ),
)
augmentation = st.one_of(
    augmentation,
    st.sampled_from(
        [
            {"random_rotation": 0.1},
            {"random_zoom": {"height_factor": 0.2, "width_factor": 0.1, "fill_mode": "constant"}},
            {"random_contrast": 0.3},
            {"random_brightness": "1e-1"},
            {"cutout": {"size": 3, "fill_value": 0.5}},
        ]
    ),
)
dense = st.one_of(
    st.integers(1, 6).map(lambda units: {"dense": units}),
    st.builds(
        lambda units, others: {"dense": {"units": units, **others}},
        st.integers(1, 6),
        optional(activation=st.sampled_from([*ACTIVATIONS, None]), **KERNEL),
    ),
)


CONVOLUTIONS = st.sampled_from(["conv2d", "separable_conv2d"])
ACTIVATED = optional(activation=st.sampled_from(ACTIVATIONS), **KERNEL)


@cache
def whole(least: int, most: int) -> st.SearchStrategy[int]:
    """A whole number; strategies that are made once are looked through once."""
    return st.integers(least, most)


@cache
def p_re_lu(rank: int) -> st.SearchStrategy[dict[str, Any]]:
    """An activation whose weights may be shared along some of an image's axes."""
    axes = st.lists(st.integers(1, rank), min_size=1, unique=True)
    return optional(
        shared_axes=st.one_of(st.none(), axes),
        alpha_initializer=st.sampled_from(INITIALIZERS),
        alpha_regularizer=regularizers,
    )


@cache
def pairs(height: int, width: int) -> st.SearchStrategy[tuple[int, int]]:
    """A window's size on images of this size."""
    free = st.tuples(whole(1, min(3, height)), whole(1, min(3, width)))
    return st.one_of(free, whole(1, min(3, height, width)).map(lambda n: (n, n)))


PADDINGS = st.sampled_from(["valid", "same"])
STRIDES = st.one_of(st.none(), st.integers(1, 2).map(lambda n: (n, n)))
KINDS = ["anywhere", "p_re_lu", "flatten", "dense"]
WINDOWED = ["conv2d", "max_pooling2d", "average_pooling2d", "global_average_pooling2d"]
WINDOWED += ["augmentation", "depthwise_conv2d", "global_max_pooling2d", "residual"]
KIND = {1: st.sampled_from(KINDS), 3: st.sampled_from(KINDS + WINDOWED)}


@st.composite
def layers(draw: st.DrawFn, *, limit: int = 5) -> list[Any]:
    """Layers that fit on 8×8×1 images."""
    shape: tuple[int, ...] = (8, 8, 1)
    chosen = []
    for _ in range(draw(whole(0, limit))):
        kind = draw(KIND[len(shape)])
        if kind == "augmentation":
            chosen.append(draw(augmentation))
        elif kind == "anywhere":
            chosen.append(draw(anywhere))
        elif kind == "p_re_lu":
            chosen.append({"p_re_lu": draw(p_re_lu(len(shape)))})
        elif kind == "dense":
            chosen.append(draw(dense))
            shape = (1,)
        elif kind == "flatten":
            chosen.append("flatten")
            shape = (1,)
        elif kind in ("global_average_pooling2d", "global_max_pooling2d"):
            chosen.append(kind)
            shape = (1,)
        elif kind == "depthwise_conv2d":
            chosen.append({kind: {"kernel_size": 3, "padding": "same"}})
        elif kind == "residual":
            filters = draw(whole(1, 4))
            convolution = {"filters": filters, "kernel_size": 3, "padding": "same"}
            inside = [draw(anywhere), {draw(CONVOLUTIONS): convolution}, "layer_normalization"]
            chosen.append({kind: inside})
            shape = (*shape[:2], filters)
        else:
            layer, shape = draw(windows(kind, shape))
            chosen.append(layer)
    return chosen


@st.composite
def windows(
    draw: st.DrawFn, kind: str, shape: tuple[int, ...]
) -> tuple[dict[str, Any], tuple[int, ...]]:
    """A convolution or pooling that fits on `shape`, and the shape after it."""
    height, width, channels = shape
    padding = draw(PADDINGS)
    size = draw(pairs(height, width))
    strides = draw(STRIDES)
    used = strides or ((1, 1) if kind == "conv2d" else size)
    arguments: dict[str, Any] = {"padding": padding}
    if strides:
        arguments["strides"] = strides[0]
    arguments["kernel_size" if kind == "conv2d" else "pool_size"] = (
        size[0] if size[0] == size[1] else list(size)
    )
    if kind == "conv2d":
        channels = draw(whole(1, 4))
        arguments["filters"] = channels
        arguments |= draw(ACTIVATED)
    if padding == "same":
        after = [-(-n // stride) for n, stride in zip((height, width), used, strict=True)]
    else:
        after = [
            (n - window) // stride + 1
            for n, window, stride in zip((height, width), size, used, strict=True)
        ]
    return {kind: arguments}, (*after, channels)


@cache
def phases(epochs: int) -> st.SearchStrategy[Any]:
    """A learning rate for `epochs` epochs: a number or phases."""
    rule: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
        [
            {"constant": 0.001},
            {"exponential": {"start": 0.002, "rate": -0.1}},
            {"linear": {"start": 0.01, "end": 0}},
            {"cosine": {"start": "1e-2", "end": 0.001}},
        ]
    )
    one = st.tuples(rule, st.booleans()).map(
        lambda drawn: [{**drawn[0], **({"epochs": epochs} if drawn[1] else {})}]
    )
    many = st.tuples(rule, rule).map(lambda two: [{"epochs": 1, **two[0]}, two[1]])
    return st.one_of(st.sampled_from([0.001, "1e-2", 1]), one, many if epochs > 1 else one)


OWN: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "sgd": {"momentum": st.sampled_from([0.0, 0.9]), "nesterov": st.booleans()},
    "rmsprop": {"rho": st.just(0.8), "centered": st.booleans()},
    "adam": {"beta_1": st.just(0.8), "amsgrad": st.booleans(), "clipnorm": st.just(1)},
    "adamw": {"weight_decay": st.sampled_from([0.0, 0.01]), "epsilon": st.just(1e-6)},
    "nadam": {"use_ema": st.booleans(), "ema_momentum": st.just(0.9)},
    "lion": {"beta_2": st.just(0.9), "global_clipnorm": st.just(1)},
}


@cache
def optimizers(epochs: int = 1) -> st.SearchStrategy[Any]:
    """An optimizer in any of its forms."""
    return st.one_of([_optimizer(kind, epochs) for kind in OWN])


def _optimizer(kind: str, epochs: int) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.just(kind),
        st.sampled_from([{kind: 0.01}, {kind: None}]),
        optional(learning_rate=phases(epochs), **OWN[kind])
        .filter(lambda given: "use_ema" in given or "ema_momentum" not in given)
        .map(lambda arguments: {kind: arguments}),
    )


@cache
def trainings(epochs: int) -> st.SearchStrategy[dict[str, Any]]:
    """A training block that always gives the epochs."""
    return st.fixed_dictionaries(
        {"epochs": st.just(epochs)},
        optional={
            "batch_size": st.integers(16, 64),
            "optimizer": optimizers(epochs),
            "label_smoothing": st.sampled_from([0, 0.1]),
            "mixup": st.sampled_from([None, 0.2]),
            "class_weight": st.sampled_from([None, "balanced"]),
        },
    )


@cache
def models(epochs: int = 1) -> st.SearchStrategy[dict[str, Any]]:
    """One declared model."""
    return st.fixed_dictionaries(
        {"layers": layers()}, optional={"output": outputs, "training": trainings(epochs)}
    )


fractions = st.sampled_from([0.1, 0.25, "2e-1", 100])
validations = st.one_of(
    fractions, fractions.map(lambda n: {"first": n}), fractions.map(lambda n: {"last": n})
)


@cache
def _written(epochs: int) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "name": names,
            "data": st.just("digits"),
            "training": trainings(epochs),
            "models": st.dictionaries(names, models(epochs), min_size=1, max_size=3),
        },
        optional={
            "title": st.text(
                st.characters(exclude_categories=["Cs", "Cc"]), min_size=0, max_size=30
            ),
            "split": optional(
                validation=validations, test=fractions, seed=st.integers(0, 2**31 - 1)
            ),
            "seeds": st.one_of(
                st.integers(1, 12),
                st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=4, unique=True),
            ),
            "selection": st.sampled_from(["best-loss", "best-accuracy", "last"]),
            "baselines": st.lists(st.sampled_from(["majority", "logistic"]), unique=True),
            "margin": st.sampled_from([0.01, 0.5]),
            "give_up": st.sampled_from([0.01, "1e-3"]),
            "prefer": st.sampled_from(["parameters", "time"]),
        },
    )


@st.composite
def mappings(draw: st.DrawFn, *, max_epochs: int = 1) -> dict[str, Any]:
    """A valid recipe for the digits data, as a user may write it."""
    recipe = draw(_written(draw(whole(1, max_epochs))))
    if recipe.get("selection") == "last" and draw(st.booleans()):
        recipe["split"] = {"validation": 0}
    return recipe


def recipes(*, max_epochs: int = 1) -> st.SearchStrategy[Recipe]:
    """A valid Recipe for the digits data."""
    return mappings(max_epochs=max_epochs).map(
        lambda raw: parse(raw, origin="drawn", folder=Path("/"))
    )
