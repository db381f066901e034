"""`bakeoff predict` in this process, on the tiny finished study.

Oracle: the rows of `result.predict`, which tests/study/winner/test_predictions.py
checks. Cost: 8 s. Run: pytest tests/use/test_predict.py
"""

import csv
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from bakeoff.storage.split_file import read_split
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.compare import compare
from bakeoff.study.run import run
from bakeoff.study.winner.trained_model import trained_model
from bakeoff.use.predict import predict_files
from bakeoff.utils.text import probability
from tests.helpers import small


@pytest.fixture(scope="module")
def pictures(digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for place in range(3):
        image = np.round(digits.images[place, ..., 0] * (255 / 16)).astype(np.uint8)
        Image.fromarray(image).save(folder / f"{place}.png")
    return folder


def test_table_csv_and_json_say_the_same(call, finished_study, pictures):
    expected = compare([finished_study]).predict(pictures).rows()
    words = ("predict", finished_study, pictures)
    code, out, err = call(*words)
    assert (code, out.split()[:3]) == (0, ["image", "class", "probability"])
    assert all(probability(row["probability"]) in out for row in expected)
    assert err.startswith("mlp, seed ") and "the leading model" in err
    code, out, _ = call(*words, "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert (code, [row["class"] for row in rows]) == (0, [row["class"] for row in expected])
    code, out, _ = call(*words, "--json")
    document = json.loads(out)
    assert [each["class"] for each in document["predictions"]] == [r["class"] for r in expected]
    assert [len(each["probabilities"]) for each in document["predictions"]] == [10, 10, 10]
    assert {each["unlike_training"] for each in document["predictions"]} == {False}


def test_paths_on_standard_input(call, finished_study, pictures, monkeypatch):
    names = "".join(f"{pictures / str(place)}.png\n" for place in range(3))
    monkeypatch.setattr("sys.stdin", io.StringIO(names))
    code, out, _ = call("predict", finished_study, "-", "--csv", "--ensemble")
    assert (code, len(out.splitlines())) == (0, 4)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert call("predict", finished_study, "-") == (
        2,
        "",
        "bakeoff: expected paths of pictures on standard input, found none\n",
    )


def test_a_broken_picture_costs_its_row_and_the_exit_code(call, finished_study, pictures, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"nothing")
    code, out, err = call("predict", finished_study, pictures, broken, "--csv")
    assert (code, len(out.splitlines())) == (1, 4)
    assert err.startswith(f"{broken}: not an image that can be read here\n")
    assert call("predict", finished_study, broken) == (
        2,
        "",
        f"bakeoff: {broken}: not an image that can be read here\n",
    )


def test_a_link_in_a_folder_that_leads_nowhere_costs_its_row(
    call, finished_study, pictures, tmp_path
):
    (tmp_path / "0.png").write_bytes((pictures / "0.png").read_bytes())
    link = tmp_path / "1.png"
    link.symlink_to("nowhere")
    code, out, err = call("predict", finished_study, tmp_path, "--csv")
    assert (code, len(out.splitlines())) == (1, 2)
    assert err.startswith(f"{link}: cannot be read: No such file or directory\n")


def test_test_images_of_the_study_are_told(call, finished_study, digits, tmp_path):
    test = read_split(StudyFolder(finished_study))["test"]
    np.savez(tmp_path / "test.npz", x=digits.images[test])
    code, _, err = call("predict", finished_study, tmp_path / "test.npz", "--csv")
    assert code == 0
    assert re.search(
        r"^at least \d+ of them are test images of this study: its report says how well these are "
        r"predicted, and no ledger counts this look at them$",
        err,
        re.MULTILINE,
    )


@pytest.mark.usefixtures("its_jobs_in_process")
def test_the_ensemble_is_worth_what_was_opened_and_no_more(tmp_path):
    npz = small.write_npz(tmp_path / "data.npz")
    run(small.declare(npz), out=tmp_path / "study", workers=1)
    models = {**small.MODELS, "late": {"layers": [{"dense": 2}]}}
    more = small.declare(npz, seeds=3, models=models)
    run(more, out=tmp_path / "study", workers=1, keep_sealed=True)
    folder = StudyFolder(tmp_path / "study")
    Image.new("L", (6, 6)).save(tmp_path / "one.png")

    def remarks(name):
        trained = trained_model(folder, model=name, ensemble=True)
        files = [str(tmp_path / "one.png")]
        found = predict_files(trained, files, adapt="never", standard_input=io.StringIO())
        return " | ".join(found.remarks)

    assert "on the test images seeds 0 and 1 averaged are correct in" in remarks("mlp")
    assert "on the test images" not in remarks("late")


WRONG = [
    (["--json", "--csv"], "predict: expected one form, found --json and --csv: choose one"),
    (["--adapt", "yes"], "--adapt: expected auto, always or never, found 'yes'"),
    (["--seed", "x"], "--seed: expected a whole number, found 'x'"),
]


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_wrong_words(call, finished_study, pictures, words, message):
    assert call("predict", finished_study, pictures, *words) == (2, "", f"bakeoff: {message}\n")
