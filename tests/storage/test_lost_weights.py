"""Weights that were deleted.

Oracle: a finished study from whose folders files were removed; whole messages. Cost: 2 s with the
suite's finished study. Run: pytest tests/storage/test_lost_weights.py
"""

import json

from bakeoff.storage import lost_weights
from bakeoff.storage.study_folder import StudyFolder


def test_status_and_compare_say_whose_weights_were_deleted(tiny_study, call, monkeypatch):
    """Newcomer: "the weights deleted, `status` and `compare` say all is well"."""
    monkeypatch.chdir(tiny_study.parent)
    place = tiny_study / "trials" / "mlp" / "seed-1"
    (place / "weights.safetensors").unlink()
    said = (
        "The weights are gone of mlp seed 1: restore what was in "
        f"{place.relative_to(tiny_study.parent)}, or remove that folder and run the recipe again, "
        "which trains anew.\n"
    )
    out = call("status", tiny_study)[1]
    assert f"{said}To go on: bakeoff run " in out and "Nothing is missing" not in out
    assert json.loads(call("status", tiny_study, "--json")[1])["without_weights"] == ["mlp seed 1"]
    code, table, remarks = call("compare", tiny_study)
    assert (code, remarks) == (0, said) and "mlp" in table


def test_many_are_told_in_one_sentence(tiny_study):
    folder = StudyFolder(tiny_study)
    assert lost_weights.without_weights(folder) == ()
    assert lost_weights.advice(folder, ()) == ""
    for model in ("mlp", "line"):
        for seed in (0, 1):
            (folder.trial(model, seed) / "weights.safetensors").unlink()
    lost = lost_weights.without_weights(folder)
    assert sorted(lost) == [("line", 0), ("line", 1), ("mlp", 0), ("mlp", 1)]
    said = lost_weights.advice(folder, lost)
    assert said.startswith("The weights are gone of ") and said.count("\n") == 0
    assert "remove those folders and run the recipe again, which trains anew." in said
