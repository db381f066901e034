"""A recipe's model in PyTorch: layers, initial weights and optimizer as Keras has them.

The same parameters, the same gradients. What is left out is what a PyTorch user would leave out:
the softmax is in the loss, and L2 regularization is `weight_decay`, which adds the same gradient.
Where strides leave an odd pixel of padding, it is on both sides, as PyTorch's users have it.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from bakeoff.recipe import Layer, ModelRecipe
from bakeoff.recipe.vocabulary.residual import RESIDUAL, shortcut

ACTIVATIONS: dict[str, Any] = {
    "linear": nn.Identity,
    "relu": lambda: nn.ReLU(inplace=True),
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "elu": nn.ELU,
}


class Rows(nn.Module):  # type: ignore[misc]
    """Flatten in the order of channels-last images: a view of them, no copy."""

    def forward(self, images: Any) -> Any:
        """Return (batch, height · width · channels)."""
        return images.permute(0, 2, 3, 1).flatten(1)


class Mean(nn.Module):  # type: ignore[misc]
    """Average over all pixels."""

    def forward(self, images: Any) -> Any:
        """Return (batch, channels)."""
        return images.mean((2, 3))


class Residual(nn.Module):  # type: ignore[misc]
    """Add the input of layers to what they put out."""

    def __init__(self, inner: nn.Module, short: nn.Module) -> None:
        super().__init__()
        self.inner, self.short = inner, short

    def forward(self, values: Any) -> Any:
        """Return the sum."""
        return self.inner(values) + self.short(values)


def parameters(network: nn.Module) -> int:
    """Return how many parameters there are, as Keras counts them: moving averages too."""
    tensors = [*network.parameters(), *network.buffers()]
    return sum(each.numel() for each in tensors if each.is_floating_point())


def build(model: ModelRecipe, channels: int, shape: tuple[int, int], n_classes: int) -> nn.Module:
    """Return the network for images of shape (batch, channels, height, width); logits come out.

    Raises ValueError for what has no counterpart here: this translates the benchmark's workloads.
    """
    modules, size = _stack(model.layers or (), (channels, *shape))
    if len(size) > 1:
        modules.append(Rows())
        size = (_count(size),)
    modules.append(_initial(nn.Linear(size[0], n_classes), model.output))
    return nn.Sequential(*modules)


def _stack(
    layers: Sequence[Layer], size: tuple[int, ...]
) -> tuple[list[nn.Module], tuple[int, ...]]:
    """Return the modules of layers, and the size that they leave."""
    modules: list[nn.Module] = []
    for layer in layers:
        if layer.kind == RESIDUAL:
            found = [_residual(layer, size)]
        elif layer.kind == "dense" and len(size) > 1:
            found = [Rows(), *_layer(layer.kind, layer.arguments, (_count(size),))]
        else:
            found = _layer(layer.kind, layer.arguments, size)
        modules += found
        size = _size_after(found, size)
    return modules, size


def _residual(layer: Layer, size: tuple[int, ...]) -> nn.Module:
    inner, after = _stack(layer.layers, size)
    found = shortcut((*size[1:], size[0]), (*after[1:], after[0]))
    short = _layer(found[0], found[1].plain(), size) if found else []
    return Residual(nn.Sequential(*inner), nn.Sequential(*short))


def _layer(kind: str, arguments: dict[str, Any], size: tuple[int, ...]) -> list[nn.Module]:
    if kind == "dense":
        linear = nn.Linear(size[0], arguments["units"], bias=arguments["use_bias"])
        return [_initial(linear, arguments), ACTIVATIONS[arguments["activation"]]()]
    if kind in ("conv2d", "depthwise_conv2d"):
        deep = kind != "conv2d"
        convolution = nn.Conv2d(
            size[0],
            size[0] if deep else arguments["filters"],
            tuple(arguments["kernel_size"]),
            stride=tuple(arguments["strides"]),
            padding=_padding(arguments),
            bias=arguments["use_bias"],
            groups=size[0] if deep else 1,
        )
        return [_initial(convolution, arguments), ACTIVATIONS[arguments["activation"]]()]
    if kind == "batch_normalization" and len(size) == 3:
        momentum = 1 - arguments["momentum"]
        return [nn.BatchNorm2d(size[0], eps=arguments["epsilon"], momentum=momentum)]
    if kind == "average_pooling2d" and arguments["padding"] == "valid":
        return [nn.AvgPool2d(tuple(arguments["pool_size"]), tuple(arguments["strides"]))]
    if kind == "global_average_pooling2d":
        return [Mean()]
    if kind == "elu":
        return [nn.ELU()]
    if kind == "max_pooling2d" and arguments["padding"] == "valid":
        return [nn.MaxPool2d(tuple(arguments["pool_size"]), tuple(arguments["strides"]))]
    if kind == "flatten":
        return [Rows()]
    if kind == "dropout":
        return [nn.Dropout(arguments["rate"])]
    if kind == "activation":
        return [ACTIVATIONS[arguments["activation"]]()]
    if kind == "p_re_lu" and len(size) == 1:
        return [nn.PReLU(size[0], init=0.0)]
    raise ValueError(f"expected a layer that is translated to PyTorch, found {kind} {arguments}")


def _initial(layer: Any, arguments: dict[str, Any]) -> nn.Module:
    kernel = "kernel" if "kernel_initializer" in arguments else "depthwise"
    usual = arguments[f"{kernel}_initializer"] == "glorot_uniform"
    if not usual or arguments["bias_regularizer"]:
        raise ValueError(
            f"expected Keras's usual initial weights and no penalty of biases: {layer}"
        )
    nn.init.xavier_uniform_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    penalty = arguments[f"{kernel}_regularizer"] or {}
    if penalty.get("l1"):
        raise ValueError(f"expected an L2 penalty, found L1: {layer}")
    layer.l2 = float(penalty.get("l2", 0.0))
    return layer


def _padding(arguments: dict[str, Any]) -> Any:
    if arguments["padding"] == "valid" or max(arguments["strides"]) == 1:
        return arguments["padding"]
    return tuple((side - 1) // 2 for side in arguments["kernel_size"])


def _count(size: tuple[int, ...]) -> int:
    count = 1
    for each in size:
        count *= each
    return count


def _size_after(modules: Sequence[nn.Module], size: tuple[int, ...]) -> tuple[int, ...]:
    with torch.no_grad():
        probe = torch.zeros(1, *size)
        for module in modules:
            probe = module.eval()(probe)
            module.train()
    return tuple(probe.shape[1:])


def optimizer(network: nn.Module, model: ModelRecipe, *, way: str) -> Any:
    """Return the optimizer; `way` is "fused", "foreach" or "single"."""
    declared = model.training.optimizer
    given = {name: value for name, value in declared.arguments.items() if value}
    kinds: dict[str, Any] = {
        "sgd": (torch.optim.SGD, {"momentum": "momentum", "nesterov": "nesterov"}),
        "rmsprop": (torch.optim.RMSprop, {"rho": "alpha", "epsilon": "eps"}),
        "adam": (torch.optim.Adam, {"epsilon": "eps", "beta_1": None, "beta_2": None}),
    }
    make, names = kinds[declared.kind]
    if set(given) - set(names):
        raise ValueError(f"expected arguments that are translated, found {sorted(given)}")
    settings = {names[name]: value for name, value in given.items() if names[name]}
    if "beta_1" in given:
        settings["betas"] = (given["beta_1"], given["beta_2"])
    return make(_groups(network), lr=1e-3, **settings, **_way(way))


def _way(way: str) -> dict[str, bool]:
    return {"fused": True} if way == "fused" else {"foreach": way == "foreach"}


def _groups(network: nn.Module) -> list[dict[str, Any]]:
    """Return the parameters by their penalty; the gradient of l2 · w² is 2 · l2 · w."""
    groups: dict[float, list[Any]] = {}
    for module in network.modules():
        for name, parameter in module.named_parameters(recurse=False):
            penalty = getattr(module, "l2", 0.0) if name == "weight" else 0.0
            groups.setdefault(penalty, []).append(parameter)
    return [{"params": group, "weight_decay": 2 * l2} for l2, group in groups.items()]
