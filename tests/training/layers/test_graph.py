"""How the layers of a model are connected.

Oracle: small models whose connections are written out. Cost: 1 s.
Run: pytest tests/training/layers/test_graph.py
"""

import keras
import pytest

from bakeoff.training.layers.graph import Graph, graph, is_functional, is_sequential


def dense(name):
    return keras.layers.Dense(3, name=name)


def names(found):
    pairs = {(a.name, b.name) for a, b in found.pairs}
    return [each.name for each in found.first], pairs, len(found.called_once)


def test_a_chain_is_the_same_written_in_both_ways():
    layers = [dense("a"), dense("b"), dense("c")]
    sequential = keras.Sequential([keras.Input((3,)), *layers])
    image = keras.Input((3,))
    functional = keras.Model(image, layers[2](layers[1](layers[0](image))))
    assert is_sequential(sequential) and is_functional(functional)
    expected = ["a"], {("a", "b"), ("b", "c")}
    assert names(graph(sequential))[:2] == names(graph(functional))[:2] == expected


def test_what_several_layers_use_has_no_next_layer():
    image, a, b, c = keras.Input((3,)), dense("a"), dense("b"), dense("c")
    first = a(image)
    model = keras.Model(image, c(keras.layers.Add(name="sum")([b(first), first])))
    assert names(graph(model))[:2] == (["a"], {("b", "sum"), ("sum", "c")})


def test_nor_has_what_the_model_returns_too_or_a_layer_that_is_called_twice():
    image, a, b = keras.Input((3,)), dense("a"), dense("b")
    inside = a(image)
    assert names(graph(keras.Model(image, [inside, b(inside)])))[1] == set()
    again = keras.Model(image, b(b(a(image))))
    assert names(graph(again))[1] == set()
    assert id(b) not in graph(again).called_once


@pytest.mark.parametrize("hidden", [None, {0: [object()]}])
def test_where_keras_hides_its_calls_nothing_is_known(monkeypatch, hidden):
    image = keras.Input((3,))
    model = keras.Model(image, dense("a")(image))
    monkeypatch.setattr(model, "_nodes_by_depth", hidden)
    assert graph(model) == Graph()


def test_a_class_of_the_users_own_is_neither():
    class Own(keras.Model):
        pass

    image = keras.Input((3,))
    own = Own(image, dense("a")(image))
    assert not is_functional(own) and not is_sequential(own)
    assert graph(own) == Graph()
