"""What a search leaves in the study's folder.

Oracle: by hand. Cost: nothing.

Run: pytest tests/storage/test_search_folder.py
"""

from types import SimpleNamespace

import pytest

from bakeoff.errors import StudyError
from bakeoff.recipe.types import Search
from bakeoff.storage import atomic, formats
from bakeoff.storage.search_folder import Opening, SearchFolder, Tried, best_first, declared

TRAINING = SimpleNamespace(resolved=lambda: {"epochs": 2})


def test_settings_are_ranked_by_accuracy_then_loss_then_number_and_only_whole_ones():
    tried = [
        Tried(0, {}, state="done", accuracy=0.9, cross_entropy=0.5),
        Tried(1, {}, state="done", accuracy=0.9, cross_entropy=0.4),
        Tried(2, {}, state="pruned", accuracy=0.99, cross_entropy=0.1),
        Tried(3, {}, state="done", accuracy=0.9, cross_entropy=0.4),
        Tried(4, {}, state="lost"),
        Tried(5, {}),
    ]
    assert [each.number for each in best_first(tried)] == [1, 3, 0]


def searched(folder, rate=0.1):
    """What search.json says of a search of a builder's learning rate."""
    training = {"optimizer": {"adam": {"learning_rate": {"log": [0.001, rate]}}}}
    space = {"python": f"{folder}/mine.py:build", "training": training}
    model = SimpleNamespace(search=Search(space=space), training=TRAINING)
    recipe = SimpleNamespace(models={"mine": model}, selection="best-loss")
    return {**declared(recipe, "mine"), "split": "0" * 64, "data": "1" * 64}


def test_a_search_says_by_which_rules_it_was_begun(tmp_path):
    folder, other = SearchFolder(tmp_path, "mine"), SearchFolder(tmp_path, "other")
    folder.begin(searched("/home/ann"))
    assert (folder.opening(), folder.pruning_after()) == (Opening(3, every=3), 3)
    before = {k: v for k, v in folder.read().items() if k not in ("first", "pruning_after")}
    for first, opening in (({"first": "middle"}, Opening(1)), ({}, Opening())):
        document = formats.sealed_json({**before, **first})
        atomic.write_file(folder.path / "search.json", document)
        folder.begin(searched("/home/ann"))  # as versions before began it
        assert (folder.opening(), folder.pruning_after()) == (opening, 5)
    other.begin({**searched("/home/ann"), "sampler": "random"})
    assert (other.opening(), other.pruning_after()) == (Opening(), 3)


def test_ten_settings_are_drawn_at_random_whatever_the_rules():
    drawn = [[n for n in range(40) if each.draws(n)] for each in
             (Opening(), Opening(1), Opening(3, every=3))]  # fmt: skip
    assert drawn == [[*range(10)], [*range(1, 11)], [*range(3, 33, 3)]]


def test_a_search_goes_on_where_its_builder_has_moved(tmp_path):
    folder = SearchFolder(tmp_path, "mine")
    folder.begin(searched("/home/ann"))
    assert folder.read()["space"]["python"] == "mine.py:build"
    folder.begin(searched("/home/bob"))
    old = {**folder.read(), "space": {**folder.read()["space"], "python": "/ann/mine.py:build"}}
    atomic.write_file(folder.path / "search.json", formats.sealed_json(old))
    folder.begin(searched("/home/bob"))  # as versions before 0.2 wrote it
    with pytest.raises(StudyError, match="expected the choices that this search was begun with"):
        folder.begin(searched("/home/bob", rate=0.2))
