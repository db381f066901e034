"""Broken at random: thousands of damaged recipes, as text and as plain data; 5 s.

Oracle: a recipe is read, or refused with a RecipeError of one printable line, within two seconds
of one core; no other exception, no warning. What was read comes back equal from what `dump` writes.
BAKEOFF_FUZZ=100000 tries that many.

Run: pytest tests/robustness/test_recipe_fuzz.py
"""

import copy
import math
import os
import random
import re
import time
from datetime import date
from pathlib import Path

from bakeoff import recipe as recipes
from bakeoff.errors import RecipeError
from bakeoff.recipe.parsing.yaml_reader import read_yaml

CASES = int(os.environ.get("BAKEOFF_FUZZ", "1000"))
EVERYTHING = """\
name: everything
title: "Ünïcode: \\"quoted\\" # no comment"
data: {folder: images, size: [28, 28], color: rgb}
split: {validation: {first: 0.2}, test: 0.2, seed: 3}
seeds: [0, 7, 12]
selection: best-accuracy
training: &usual
  epochs: 15
  batch_size: 32
  optimizer: {adam: {learning_rate: 0.001, clipnorm: 1}}
baselines: [majority]
margin: 0.003
give_up: 1e-3
models:
  cnn:
    training:
      optimizer:
        sgd:
          momentum: 0.9
          learning_rate: [{epochs: 6, exponential: {start: 0.1, rate: -0.2}}, {constant: 5e-4}]
    layers:
      - conv2d: {filters: 8, kernel_size: [3, 5], padding: same, kernel_regularizer: {l2: 0.01}}
      - p_re_lu: {shared_axes: [1, 2]}
      - max_pooling2d
      - dropout: 0.25
      - dense: 64
    output: {kernel_initializer: he_normal}
  again: {layers: [flatten], training: *usual}
  mine: {python: "my models.py:build"}
"""
PIECES = (
    *("!!python/object/apply:os.system ['true']", "!!binary aGk=", "!!set {a, b}", "!x", "!!"),
    *("&a [*a]", "&a [1, 1]", "*usual", "*none", "<<: *usual", "&usual", "*", "? [a]", "? "),
    *("{", "}", "[", "]", ": ", "- ", "|\n  x", ">-\n", "---\n", "...\n", "%YAML 9.9\n", "# ", "'"),
    *('"', '"\\x00"', '"\\ud800"', '"\\U0001F600"', "\t", "\r", "\x00", "\x85", "\u2028", "\ufeff"),
    *("\u202e", "\x1b[31m", "null", "~", "true", "no", "1e999", "-.inf", ".nan", "0x10", "1_0"),
    *("0" * 400, "9" * 5000, "1:2:3", "2001-01-01", "a" * 70, "../../x", "{" * 60, "[" * 3000),
)
VALUES = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, 0.0, -0.0, 0.5, 1.0, 1e308, 5e-324),
    *(math.nan, math.inf, -math.inf, 1j, b"bytes", date(2001, 1, 1), "", " ", "x", "dense", "relu"),
    *(
        "0.5",
        "1e-3",
        "١",
        "²",
        "\ud800",
        "\x00",
        "a\nb",
        "../x",
        "x" * 5000,
        "file.py:f",
        "~nobody/x",
    ),
    *([], [[]], [None], [1] * 2000, {}, {"": {}}, {None: 1}, {1: 2}, {"l1": -1}, {"first": {}}),
    *((), (1, 2), range(3), {"a"}, object(), {"dense": {"units": True}}, {"x" * 300: 1}),
)


def wholes():
    """Good recipes; most of them the one with everything, which is short."""
    short = [text for text in map(dumped, recipes.shipped()) if len(text) < 3000]
    return [EVERYTHING] * 10 + short


def dumped(name):
    return recipes.dump(recipes.load(name))


def damaged(text, chance):
    for _ in range(chance.choice([1, 1, 1, 2, 6])):
        place = chance.randrange(len(text) + 1)
        lines = text.splitlines(keepends=True) or [""]
        line = chance.randrange(len(lines))
        match chance.randrange(10):
            case 0:
                text = text[:place] + chance.choice(PIECES) + text[place:]
            case 1:
                text = text[:place] + text[place + chance.randrange(1, 20) :]
            case 2:
                text = text[:place] + chr(chance.randrange(1, 0x250)) + text[place + 1 :]
            case 3:
                lines.insert(chance.randrange(len(lines) + 1), lines[line])
                text = "".join(lines)
            case 4:
                del lines[line]
                text = "".join(lines)
            case 5:
                lines[line] = " " * chance.randrange(4) + lines[line].lstrip(" ")
                text = "".join(lines)
            case _:
                words = re.split(r"(\w[\w.-]*)", text)
                at = min(2 * chance.randrange(len(words) // 2 + 1) + 1, len(words) - 1)
                words[at] = chance.choice(
                    [chance.choice(PIECES), chance.choice(words[1::2] or [""])]
                )
                text = "".join(words)
    return text


def as_bytes(text, chance):
    content = text.encode("utf-8", "surrogatepass")
    if chance.random() < 0.1:
        place = chance.randrange(len(content) + 1)
        content = content[:place] + chance.randbytes(chance.randrange(1, 9)) + content[place:]
    return content if chance.random() < 0.99 else text.encode("utf-16", "surrogatepass")


def places(value, found):
    """Every (container, key) in plain data."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in pairs:
        found.append((value, key))
        if isinstance(each, dict | list):
            places(each, found)
    return found


def edited(mapping, chance):
    mapping = copy.deepcopy(mapping)
    for _ in range(chance.choice([1, 1, 2, 5])):
        all_places = places(mapping, [])
        if not all_places:
            break
        container, key = chance.choice(all_places)
        match chance.randrange(4):
            case 0 | 1:
                container[key] = copy.deepcopy(chance.choice(VALUES))
            case 2:  # what stands elsewhere
                other, at = chance.choice(all_places)
                container[key] = copy.deepcopy(other[at])
            case 3 if isinstance(container, dict):
                new = chance.choice([*"abx", "dense", "epochs", "", None, 3, "x" * 99, "a\nb"])
                container[new] = container.pop(key)
            case _:
                del container[key]
    return mapping


def outcome(read, case):
    """Read a recipe; return it, or None where it was refused as it must be."""
    start = time.process_time()
    try:
        found = read()
    except RecipeError as error:
        found, text = None, str(error)
        assert text.isprintable(), f"case {case}: {text!r}"
        assert len(text) < 1000, f"case {case}: {text!r}"
    assert time.process_time() - start < 2, f"case {case}"
    return found


def comes_back(found):
    text = recipes.dump(found)
    again = recipes.parse(
        read_yaml(text, origin="dumped"), origin="dumped", folder=Path("/elsewhere")
    )
    assert again == found


def test_damaged_text(tmp_path):
    chance = random.Random(0)
    path = tmp_path / "recipe.yaml"
    texts = wholes()
    read = 0
    for case in range(CASES // 4):
        path.write_bytes(as_bytes(damaged(chance.choice(texts), chance), chance))
        found = outcome(lambda: recipes.load(path), case)
        if found is not None:
            read += 1
            comes_back(found)
    assert CASES // 200 < read < CASES // 8


def test_damaged_data():
    chance = random.Random(0)
    mappings = [read_yaml(text, origin="x") for text in wholes()]
    read = 0
    for case in range(3 * CASES // 4):
        mapping = edited(chance.choice(mappings), chance)
        found = outcome(
            lambda mapping=mapping: recipes.parse(mapping, origin="x", folder=Path("/here")), case
        )
        if found is not None:
            read += 1
            comes_back(found)
    assert CASES // 100 < read < CASES // 4
