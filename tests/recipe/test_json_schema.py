"""The JSON Schema and docs/recipe.md, held against what is really read and printed.

Oracle: the parser; a small JSON Schema checker below, which knows the words that schema() uses.
Cost: 5 s. Run: pytest tests/recipe/test_json_schema.py
"""

import json
import re
import runpy
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings

from bakeoff.errors import RecipeError
from bakeoff.recipe import BASELINES, load, parse, shipped
from bakeoff.recipe.json_schema import schema
from bakeoff.recipe.parsing.parse_recipe import RESERVED
from tests.helpers.recipes_strategy import mappings
from tests.helpers.refused_recipes import LAYERS, MLP, RECIPES

DOCS = Path(__file__).parents[2] / "docs" / "recipe.md"
whole_schema = cache(schema)


@settings(max_examples=100, deadline=None)
@given(raw=mappings(max_epochs=3))
def test_the_schema_accepts_what_is_read(raw):
    check(whole_schema(), raw)
    check(whole_schema(), parse(raw, origin="x", folder=Path("/")).resolved())


@pytest.mark.parametrize("name", shipped())
def test_the_schema_accepts_the_shipped_recipes(name):
    path = Path(sys.modules["bakeoff"].__file__).parent / "recipe" / "shipped" / f"{name}.yaml"
    check(whole_schema(), yaml.safe_load(path.read_text(encoding="utf-8")))


OPEN = [  # models that leave choices open at every depth
    "layers: {choice: [[{dense: 3}], []]}",
    "layers: [{residual: {choice: [[{dense: 3}], [dropout: 0.2]]}}]",
    "layers: [{repeat: {whole: [1, 3], layers: [{choice: [{dense: 3}, {dense: 4}]}]}}]",
    "layers: [{repeat: {whole: [1, 2], layers: [{repeat: {whole: [1, 2], layers: [p_re_lu]}}]}}]",
    "layers: [{dense: {units: 3, kernel_regularizer: {l2: {log: [0.0001, 0.1]}}}}]",
    "layers: [{conv2d: {filters: 3, kernel_size: [{choice: [3, 5]}, 3]}}]",
    "{layers: [], output: {kernel_regularizer: {l2: {log: [0.0001, 0.1]}}}}",
    "{layers: [], output: {choice: [{use_bias: false}, {use_bias: true}]}}",
    "{layers: [], training: {choice: [{epochs: 3}, {epochs: 4}]}}",
    "{layers: [], training: {class_weight: {cat: {uniform: [1, 3]}}}}",
    "backbone: {choice: [mobilenet, mobilenet_v2]}",
    "backbone: {name: mobilenet, augment: {choice: [[random_flip], [random_rotation: 0.1]]}}",
]


@pytest.mark.parametrize("model", OPEN)
def test_the_schema_accepts_what_may_be_left_open(model):
    """An editor called a search for the strength of a regularizer wrong."""
    raw = {"name": "x", "data": "digits", "models": {"m": yaml.safe_load(model)}}
    assert parse(raw, origin="x", folder=Path("/")).models["m"].search
    check(whole_schema(), raw)


def test_the_schema_accepts_a_race_of_one_look():
    raw = {"name": "x", "data": "digits", "models": {"m": MLP}, "race": {"after": 3}}
    assert parse(raw, origin="x", folder=Path("/")).race
    check(whole_schema(), raw)


def by_form():
    """The changes that a schema can refuse: JSON has no 1.0 beside 1, and clashes are no form."""
    beyond = [{"title": "a\x07"}, {"split": {"validation": 1.0}}]
    beyond += [{"training": {"patience": 3}, "selection": "last"}]
    beyond += [{"models": {name: MLP}} for name in (*BASELINES, *RESERVED)]
    return [changes for changes, _ in RECIPES if changes not in beyond]


@pytest.mark.parametrize("changes", by_form())
def test_the_schema_refuses_what_is_refused(changes):
    raw = {"name": "x", "data": "digits", "models": {"mlp": MLP}, **changes}
    with pytest.raises(AssertionError):
        check(whole_schema(), raw)


@pytest.mark.parametrize("layer", [layer for layer, _ in LAYERS])
def test_the_schema_refuses_layers_that_are_refused(layer):
    raw = {"name": "x", "data": "digits", "models": {"mlp": {"layers": [layer]}}}
    with pytest.raises(AssertionError):
        check(whole_schema(), raw)


def test_the_schema_is_a_schema():
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(schema())
    json.dumps(schema(), allow_nan=False)


def test_the_documentation_has_every_layer_optimizer_and_default():
    """`make architecture` writes its tables again."""
    drawing = runpy.run_path(str(DOCS.with_name("draw_vocabulary.py")))
    page = DOCS.read_text(encoding="utf-8")
    assert page == drawing["drawn"](page)


def test_the_complete_example_of_the_documentation_loads(tmp_path):
    text = DOCS.read_text(encoding="utf-8")
    example = text.split("```yaml\n")[1].split("```")[0]
    path = tmp_path / "example.yaml"
    path.write_text(example, encoding="utf-8")
    recipe = load(path)
    given = yaml.safe_load(example)
    assert set(given) == set(recipe.resolved())


def test_the_error_examples_of_the_documentation_are_what_is_printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = DOCS.read_text(encoding="utf-8").split("## What an error looks like")[1]
    cases = text.split("```yaml\n")[1:]
    assert len(cases) >= 4
    for case in cases:
        recipe, printed = case.split("```")[0], case.split("```text\n")[1].split("```")[0]
        Path("my.yaml").write_text(recipe, encoding="utf-8")
        with pytest.raises(RecipeError) as caught:
            load("my.yaml")
        assert str(caught.value) == printed.strip()


def check(rule, value, whole=None):
    """Assert that `value` fits the JSON Schema `rule`, as far as schema() uses the language."""
    whole = whole or rule
    if "$ref" in rule:
        check(whole["$defs"][rule["$ref"].rsplit("/", 1)[1]], value, whole)
    known = {"$schema", "$defs", "$ref", "title", "description", "default", *CHECKS}
    hold(set(rule) <= known, set(rule) - known)
    for word, argument in rule.items():
        if word in CHECKS:
            CHECKS[word](argument, value, rule, whole)


def hold(whether, *seen):
    """Assert it; of plain assertions pytest would write an explanation for each of `anyOf`."""
    if not whether:
        raise AssertionError(*seen)


def is_type(name, value):
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return {
        "object": isinstance(value, dict),
        "array": isinstance(value, list),
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "null": value is None,
        "number": number,
        "integer": number and value == int(value),
    }[name]


def check_type(names, value, *_):
    wanted = [names] if isinstance(names, str) else names
    hold(any(is_type(name, value) for name in wanted), names, value)


def fits(rule, value, whole):
    try:
        check(rule, value, whole)
    except AssertionError:
        return False
    return True


def check_properties(properties, value, _, whole):
    for key in properties.keys() & value.keys() if isinstance(value, dict) else ():
        check(properties[key], value[key], whole)


def check_additional(allowed, value, rule, whole):
    for key in value.keys() - rule.get("properties", {}).keys() if isinstance(value, dict) else ():
        hold(allowed is not False, key)
        check(allowed, value[key], whole)


def check_limit(kinds, holds):
    def check_one(limit, value, *_):
        if any(is_type(kind, value) for kind in kinds):
            hold(holds(value, limit), limit, value)

    return check_one


def matches(value, pattern):
    return re.search(pattern, value)


CHECKS = {
    "type": check_type,
    "enum": lambda options, value, *_: check_enum(options, value),
    "const": lambda only, value, *_: check_enum([only], value),
    "properties": check_properties,
    "additionalProperties": check_additional,
    "propertyNames": lambda rule, value, _, whole: [check(rule, key, whole) for key in value],
    "required": check_limit(["object"], lambda value, keys: set(keys) <= set(value)),
    "minProperties": check_limit(["object"], lambda value, n: len(value) >= n),
    "maxProperties": check_limit(["object"], lambda value, n: len(value) <= n),
    "items": lambda rule, value, _, whole: [
        check(rule, each, whole) for each in (value if isinstance(value, list) else ())
    ],
    "minItems": check_limit(["array"], lambda value, n: len(value) >= n),
    "maxItems": check_limit(["array"], lambda value, n: len(value) <= n),
    "uniqueItems": check_limit(["array"], lambda value, _: len(set(value)) == len(value)),
    "minLength": check_limit(["string"], lambda value, n: len(value) >= n),
    "maxLength": check_limit(["string"], lambda value, n: len(value) <= n),
    "pattern": check_limit(["string"], matches),
    "minimum": check_limit(["number"], lambda value, n: value >= n),
    "maximum": check_limit(["number"], lambda value, n: value <= n),
    "exclusiveMinimum": check_limit(["number"], lambda value, n: value > n),
    "exclusiveMaximum": check_limit(["number"], lambda value, n: value < n),
    "anyOf": lambda rules, value, _, whole: check_count(rules, value, whole, range(1, 99)),
    "oneOf": lambda rules, value, _, whole: check_count(rules, value, whole, range(1, 2)),
}


def check_enum(options, value):
    hold(any(value == each and type(value) is type(each) for each in options), options, value)


def check_count(rules, value, whole, wanted):
    hold(sum(fits(rule, value, whole) for rule in rules) in wanted, rules, value)
