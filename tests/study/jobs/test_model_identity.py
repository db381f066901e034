"""What makes a model another one: its settings and its builder's content, not where its file lies.

Oracle: recipes that differ in one thing. Cost: nothing.
Run: pytest tests/study/jobs/test_model_identity.py
"""

import re

import pytest

from bakeoff import recipe as recipes
from bakeoff.errors import RecipeError
from bakeoff.storage import formats
from bakeoff.study.jobs.model_identity import builder_hash, identity, is_identity


def declared(folder, model, **changes):
    document = {"name": "s", "data": "digits", "models": {"m": model}, **changes}
    recipe = recipes.parse(document, origin="test", folder=folder)
    return recipe.models["m"], recipe


def test_the_settings_and_the_selection_count(tmp_path):
    line = {"layers": []}
    same = identity(*declared(tmp_path, line, seeds=7, title="other"))
    assert identity(*declared(tmp_path, line)) == same
    others = [
        declared(tmp_path, {"layers": [{"dense": 3}]}),
        declared(tmp_path, line, training={"epochs": 3}),
        declared(tmp_path, line, selection="last"),
    ]
    assert len({same, *(identity(*each) for each in others)}) == 4


def test_of_a_builder_the_content_and_the_function_count_and_not_the_place(tmp_path):
    found = []
    for place, content, function in [
        ("a", "1", "f"),
        ("b", "1", "f"),
        ("c", "2", "f"),
        ("a", "1", "g"),
    ]:
        file = tmp_path / place / "mine.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)
        found.append(identity(*declared(tmp_path, {"python": f"{file}:{function}"})))
    assert found[0] == found[1] and len(set(found)) == 3


def test_the_hash_of_a_builder_is_that_of_its_file(tmp_path):
    file = tmp_path / "mine.py"
    file.write_bytes(b"x = 1")
    model, _ = declared(tmp_path, {"python": f"{file}:f"})
    assert builder_hash(model) == formats.sha256(b"x = 1")
    assert builder_hash(declared(tmp_path, {"layers": []})[0]) == ""
    file.unlink()
    with pytest.raises(RecipeError, match=f"found no file {re.escape(str(file))}"):
        builder_hash(model)


def test_what_a_builder_imports_counts_and_a_study_of_an_earlier_version_is_known(tmp_path):
    """Seeds of two networks made one model where a file beside the builder's was changed."""
    (tmp_path / "mine.py").write_text("from head import build")
    (tmp_path / "head.py").write_text("1")
    known = declared(tmp_path, {"python": f"{tmp_path}/mine.py:build"})
    recorded, earlier = identity(*known), identity(*known, imported=False)
    assert recorded != earlier
    assert is_identity(recorded, *known)
    assert is_identity(earlier, *known)
    assert not is_identity(None, *known)
    (tmp_path / "head.py").write_text("2")
    assert not is_identity(recorded, *known)
