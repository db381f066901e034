"""What a search came to, in words.

Oracle: settings made up for the purpose. Cost: 1 s.

Run: pytest tests/report/words/test_about_search.py
"""

from dataclasses import replace

from bakeoff import recipe as recipes
from bakeoff.report.words import about_search
from bakeoff.storage.search_folder import SearchFolder
from tests.helpers.searches import searched_of


def test_what_was_chosen_in_words():
    searched = searched_of([0.97] * 3)
    assert about_search.budget(searched) == "3 settings by validation (random; 3.0 min of training)"
    assert about_search.chosen(searched) == (
        "mlp was chosen among 3 settings by validation (random; 3.0 min of training): "
        "learning_rate 0.003, units 30 and dropout 0.2, with 97.00 % on the validation images."
    )
    stopped = replace(searched.tried[1], state="pruned")
    partly = replace(searched, tried=(searched.tried[0], stopped, searched.tried[2]), as_good=1)
    assert about_search.others(partly) == (
        "By their predictions of the validation images, the other setting trained to the end "
        "cannot be told from it (exact McNemar test, one network each); 1 setting stopped early."
    )
    assert "the other setting trained to the end can be" in about_search.others(
        replace(partly, as_good=0)
    )
    assert "each of the 2 other settings trained to the end can be told" in about_search.others(
        searched
    )
    assert about_search.others(replace(partly, as_good=None)) == (
        "Whether other settings do as well cannot be told: trials of the search are gone from the "
        "study's folder; 1 setting stopped early."
    )
    alone = replace(searched, tried=(searched.tried[0], stopped))
    assert about_search.others(alone) == (
        "No other setting was trained to the end; 1 setting stopped early."
    )


def test_settings_that_are_the_same_are_counted_once():
    searched = searched_of([0.97] * 3)
    first = searched.tried[0]
    again = replace(searched, tried=(first, replace(first, number=1), searched.tried[2]))
    assert about_search.budget(again).startswith(
        "3 settings by validation (random, 2 of them different; "
    )
    assert about_search.budget(replace(again, tried=(first,))).startswith("1 setting by")


def test_a_setting_that_diverged_is_not_the_best_so_far(tmp_path):
    """It is never chosen, whatever it had reached."""
    layers = [{"dense": {"units": {"whole": [2, 9]}}}]
    raw = {"name": "s", "data": "digits", "models": {"mlp": {"layers": layers}}}
    recipe = recipes.parse(raw, origin="s", folder=tmp_path)
    folder = SearchFolder(tmp_path, "mlp")

    def ended(number, state, accuracy):
        folder.append(number, values={"layers[1].dense.units": 2 + number})
        folder.append(number, state=state, accuracy=accuracy)
        return about_search.under_way(tmp_path, recipe)

    (folder.path).mkdir(parents=True)
    assert ended(0, "diverged", 0.97) == ["mlp is searched: 1 of 40 settings tried."]
    one_more = ["mlp is searched: 2 of 40 settings tried; best so far 91.00 % on validation."]
    assert ended(1, "done", 0.91) == one_more
    assert ended(2, "lost", None) == one_more  # the next run tries it once more
