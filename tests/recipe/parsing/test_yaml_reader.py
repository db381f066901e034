"""YAML as it is read: keys as they are written, and errors in the line in which the mistake begins.

Oracle: the text of the keys; mistakes written here, each in a known line. Cost: 1 s.
Run: pytest tests/recipe/parsing/test_yaml_reader.py
"""

import pytest

from bakeoff.errors import RecipeError
from bakeoff.recipe.parsing.yaml_reader import read_yaml


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("name: x\ndata digits\nseeds: 3\n", 2, "could not find expected ':'"),
        ("name: x\ndata:digits\nseeds: 3\n", 2, "could not find expected ':'"),
        ("a: 1\nname: 'x\nmodels: 1\nb: 2\n", 2, "what is quoted from here on does not end"),
        (
            "a: 1\nm: {b: 1,\n  c: [1, 2\nd: 3\n",
            4,
            "expected ',' or ']', but got ':'; the bracket that opens in line 3 is not closed",
        ),
        (
            "a: 1\nb: c: d\n",
            2,
            "mapping values are not allowed here; a text with ': ' in it needs quotes",
        ),
        *(
            (
                text,
                2,
                "mapping values are not allowed here; is a colon missing in the line above, or "
                "this line indented too far?",
            )
            for text in (
                "name clothes\ndata: digits\n",
                "seeds: 5\n  data: digits\n",
                "mlp\n  training: {epochs: 3}\n",
            )
        ),
        (
            "a:\n  b: 1\n c: 2\n",
            3,
            "this line does not continue those above it; indent it as its neighbours are",
        ),
        (
            "a:\n  - dense: 64\n  -dropout: 0.25\n  - dense: 32\n",
            3,
            "this line does not continue those above it; a - that begins an entry of a list needs "
            "a space after it",
        ),
    ],
)
def test_the_line_is_that_of_the_mistake(text, line, said):
    with pytest.raises(RecipeError) as error:
        read_yaml(text, origin="r.yaml")
    assert str(error.value) == f"recipe r.yaml, line {line}: this is not YAML: {said}"


def test_keys_are_text_as_they_are_written():
    """A class called 1.10 was taken for one called 1.1, and 1_000 for 1000."""
    text = "{1.10: a, 1_000: b, +3: c, true: d, 'x y': e, 007: f, ~: 1.10}"
    keys = ["1.10", "1_000", "+3", "true", "x y", "007", "~"]
    assert read_yaml(text, origin="r.yaml") == dict(zip(keys, [*"abcdef", 1.1], strict=True))
    with pytest.raises(RecipeError) as error:
        read_yaml("a:\n  3: 1\n  '3': 2\n", origin="r.yaml")
    assert str(error.value) == (
        "recipe r.yaml, line 3: the key 3 stands here and in line 2; remove one"
    )
