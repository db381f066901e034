"""What a search leaves in the study's folder.

Oracle: by hand. Cost: nothing.

Run: pytest tests/storage/test_search_folder.py
"""

from bakeoff.storage.search_folder import Tried, best_first


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
