"""Which trials are still what was opened.

Oracle: a study whose trials are removed and exchanged here. Cost: 1 s.
Run: pytest tests/storage/test_opened_weights.py
"""

import shutil

import pytest

from bakeoff.errors import StorageError
from bakeoff.storage.opened_weights import Changed, changed_trials, seen_trials, weights_of
from tests.helpers.fake_study import write_study


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path / "s", seeds=(0, 1))


def opening(study):
    found = study.read_opening(study.openings()[-1])
    return {**found, "weights": weights_of(study, found["models"], found["baselines"])}


def test_nothing_has_changed_at_first(study):
    found = opening(study)
    assert found["weights"].keys() >= {"cnn/seed-0", "cnn/seed-1", "baselines/logistic"}
    assert changed_trials(study, found, study.read_ledger()) == []


def test_removed_and_exchanged_trials_are_told_apart(study):
    found = opening(study)
    shutil.rmtree(study.trial("cnn", 0))
    shutil.rmtree(study.trial("mlp", 0))
    shutil.copytree(study.trial("mlp", 1), study.trial("mlp", 0))
    changed = changed_trials(study, found, study.read_ledger())
    assert sorted(changed, key=lambda each: each.model) == [
        Changed("cnn", 0, "removed"),
        Changed("mlp", 0, "replaced"),
    ]
    assert changed[0].label.endswith(" seed 0 (removed)") or changed[1].label.endswith("(removed)")


def test_without_hashes_the_time_of_the_opening_decides(study):
    """Version 0.1.0 recorded none."""
    found = study.read_opening(study.openings()[-1])
    assert "weights" not in found
    (line,) = study.read_ledger()
    assert changed_trials(study, found, [line]) == []
    early = {**line, "time": "2025-01-01T00:00:00+00:00"}
    assert {each.how for each in changed_trials(study, found, [early])} == {"replaced"}


def test_a_manifest_that_was_changed_is_damage(study):
    found = opening(study)
    path = study.trial("cnn", 0) / "manifest.json"
    path.write_bytes(path.read_bytes()[:-2] + b" }")
    with pytest.raises(StorageError):
        changed_trials(study, found, study.read_ledger())


def test_seen_are_the_trials_that_the_ledger_names():
    lines = [
        {"models": {"a": [0, 1]}},
        {"models": {"a": [2], "b": [0]}},
        {"models": {"c": [0]}, "restored": True},  # perhaps of an older study of this name
    ]
    assert seen_trials(lines) == {"a": {0, 1, 2}, "b": {0}}
