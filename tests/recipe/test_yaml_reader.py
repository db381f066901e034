"""The line that a YAML error names is where the mistake begins.

Oracle: mistakes written here, each in a known line. Cost: 1 s.
Run: pytest tests/recipe/test_yaml_reader.py
"""

import pytest

from bakeoff.errors import RecipeError
from bakeoff.recipe.yaml_reader import read_yaml


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
        ("a: 1\nb: c: d\n", 2, "mapping values are not allowed here"),
        ("a:\n  b: 1\n c: 2\n", 3, "expected <block end>, but found '<block mapping start>'"),
    ],
)
def test_the_line_is_that_of_the_mistake(text, line, said):
    with pytest.raises(RecipeError) as error:
        read_yaml(text, origin="r.yaml")
    assert str(error.value) == f"recipe r.yaml, line {line}: this is not YAML: {said}"
