"""A trial that is trained again is the same in every byte, or the difference is told.

Oracle: the files of the first training. Cost: 15 s, most of it carrying out the study and training
two trials again. Run: pytest tests/study/test_retrain.py
"""

import re

import numpy as np
import pytest

from bakeoff.cli import main
from bakeoff.storage import array_files, formats
from bakeoff.study.retrain import Repeat
from tests.study.test_verify import recorded_files

pytestmark = pytest.mark.usefixtures("figures_undrawn")  # nothing here is looked at


def test_a_trial_trained_again_is_the_same_in_every_byte(tiny_study, capsys):
    before = {path: path.read_bytes() for path in recorded_files(tiny_study)}
    assert main(["verify", str(tiny_study), "--retrain", "mlp:1"]) == 0
    assert (
        capsys.readouterr().out.splitlines()[-1] == "mlp seed 1, trained again: every byte the same"
    )
    assert {path: path.read_bytes() for path in recorded_files(tiny_study)} == before


def test_a_machine_that_cannot_train_is_named(tiny_study, monkeypatch, capsys):
    monkeypatch.setattr("bakeoff.study.retrain.lacks", lambda: "expected this, found that: do so")
    assert main(["verify", str(tiny_study), "--retrain", "mlp:1"]) == 2
    assert capsys.readouterr().err == "bakeoff: expected this, found that: do so\n"


def test_a_trial_that_comes_out_differently(tiny_study, capsys):
    place = tiny_study / "trials" / "line" / "seed-0" / "weights.safetensors"
    weights = {name: np.array(array) for name, array in array_files.read_weights(place).items()}
    next(iter(weights.values())).flat[0] += 0.5
    place.write_bytes(array_files.weights_bytes(weights))
    environment = place.with_name("environment.json")
    recorded = formats.read_sealed_json(environment)
    environment.write_bytes(formats.sealed_json({**recorded, "jax": "0.1.2"}))
    assert main(["verify", str(tiny_study), "--retrain", "line:0"]) == 1
    said = capsys.readouterr().out.splitlines()[-1]
    accuracy = r"[0-9.]+ %"
    assert re.fullmatch(
        r"line seed 0, trained again: weights\.safetensors differ; weights up to 0\.5 apart; "
        rf"accuracy {accuracy} then, {accuracy} now; then jax 0\.1\.2, now [0-9.]+",
        said,
    )


def test_weights_of_other_shapes():
    repeat = Repeat("a seed 0", ("weights.safetensors",), None, (0.5, 0.25), ())
    assert repeat.sentence == (
        "a seed 0, trained again: weights.safetensors differ; weights of other shapes; accuracy "
        "50.00 % then, 25.00 % now"
    )


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (
            "cnn:0",
            "--retrain: expected MODEL:SEED with a model of the study (line, mlp), such as line:0, "
            "found 'cnn:0'",
        ),
        (
            "mlp",
            "--retrain: expected MODEL:SEED with a model of the study (line, mlp), such as line:0, "
            "found 'mlp'",
        ),
        (
            "mlp:7",
            "--retrain: expected a finished trial, found mlp seed 7, which is not; finished seeds "
            "of mlp: 0, 1",
        ),
    ],
)
def test_only_a_finished_trial_can_be_trained_again(
    finished_study, wanted, expected, capsys, monkeypatch
):
    monkeypatch.setattr("bakeoff.study.verify.verify", None)  # which may take minutes: not yet
    assert main(["verify", str(finished_study), "--retrain", wanted]) == 2
    assert capsys.readouterr().err == f"bakeoff: {expected}\n"


def test_other_images_are_refused(tiny_study, capsys):
    path = tiny_study / "study.json"
    study = formats.open_sealed_json(path.read_bytes(), path)
    now = study["data"]["hash"]
    study["data"]["hash"] = "0" * 64
    path.write_bytes(formats.sealed_json(study))
    assert main(["verify", str(tiny_study), "--retrain", "mlp:0"]) == 2
    assert capsys.readouterr().err == (
        f"bakeoff: {tiny_study}: expected the images it was trained with (SHA-256 000000000000…), "
        f"found others ({now[:12]}…): restore the data to train a trial again\n"
    )
