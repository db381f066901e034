"""How the layers of a Sequential or functional model are connected: what follows what."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache as once
from itertools import pairwise
from typing import Any

from bakeoff.training.backend import keras


@dataclass(frozen=True)
class Graph:
    """Connections of the layers of one model; layers of models nested in it are left out.

    first : layers that are called on the model's input
    pairs : each (layer, next layer) of which both are called once, and the second alone uses the
        output of the first
    called_once : layers that are called once, by id
    """

    first: tuple[Any, ...] = ()
    pairs: tuple[tuple[Any, Any], ...] = ()
    called_once: frozenset[int] = frozenset()


def is_sequential(model: Any) -> bool:
    """Say whether it is a plain keras.Sequential."""
    return type(model) is keras.Sequential


@once
def _functional_class() -> type:
    tensor = keras.Input((1,))
    return type(keras.Model(tensor, tensor))  # Keras has no public name for it


def is_functional(model: Any) -> bool:
    """Say whether it is keras.Model(inputs, outputs), and no subclass with code of its own."""
    return type(model) is _functional_class()


def has_its_own_call(model: Any) -> bool:
    """Say whether code of the user's connects a model's layers, so that nobody else can."""
    kinds: tuple[Any, ...] = (keras.Sequential, _functional_class())
    call: Any = type(model).call
    return call not in [kind.call for kind in kinds]


def all_layers(model: Any) -> Iterator[Any]:
    """Yield the layers of a model and of the models nested in it."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from all_layers(layer)
        else:
            yield layer


def graph(model: Any) -> Graph:
    """Return how a model's layers are connected; an empty graph where that cannot be known."""
    if is_sequential(model):
        layers = list(model.layers)
        once_each = frozenset(map(id, layers))
        return Graph(tuple(layers[:1]), tuple(pairwise(layers)), once_each)
    nodes = _nodes(model)
    if not nodes:
        return Graph()
    calls = Counter(id(node.operation) for node in nodes)
    users: dict[int, list[Any]] = {id(node): [] for node in nodes}
    for node in nodes:
        for parent in node.parent_nodes:
            users[id(parent)].append(node)
    returned = {id(tensor) for tensor in model.outputs}
    pairs, first = [], []
    for node in nodes:
        if node.is_input:
            first += [user.operation for user in users[id(node)]]
            continue
        others = users[id(node)]
        alone = len(others) == 1 and not any(id(each) in returned for each in node.outputs)
        if alone and calls[id(node.operation)] == calls[id(others[0].operation)] == 1:
            pairs.append((node.operation, others[0].operation))
    called_once = frozenset(key for key, count in calls.items() if count == 1)
    return Graph(tuple(first), tuple(pairs), called_once)


def _nodes(model: Any) -> list[Any]:
    """Return the calls of a functional model's layers, in order; none where Keras hides them."""
    by_depth = getattr(model, "_nodes_by_depth", None)  # private: without it nothing is fused
    if not is_functional(model) or not isinstance(by_depth, dict):
        return []
    nodes = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
    needed = ("operation", "parent_nodes", "is_input", "outputs")
    return nodes if all(hasattr(node, name) for node in nodes for name in needed) else []
