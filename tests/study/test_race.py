"""A race in a real study: who is dropped, what is trained, what the table and the ledger say.

The oracle: seeds trained, files written, and `analysis.race` on the answers that were saved.
Cost: 6 s, one study of small networks. Run:

    .venv/bin/pytest tests/study/test_race.py
"""

import io
import re
import shutil

import pytest
from rich.console import Console

from bakeoff.errors import DamagedFile
from bakeoff.report.words import about_race
from bakeoff.storage import race_looks
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.compare import compare
from bakeoff.study.create import prepare
from bakeoff.study.race import take_look
from bakeoff.study.status import sentences, status, to_json
from bakeoff.study.verify import verify
from bakeoff.utils.events import Watcher
from tests.helpers import small

pytestmark = pytest.mark.usefixtures("jobs_in_process")  # nothing here is looked at


MODELS = {
    "good": {"layers": [{"dense": {"units": 6, "activation": "relu"}}]},
    "idle": {"layers": [], "training": {"optimizer": {"sgd": 1e-6}}},
}
RACE = {"race": {"after": [3, 4]}, "seeds": 5, "models": MODELS, "baselines": []}


@pytest.fixture(scope="module")
def raced(tmp_path_factory):
    folder = tmp_path_factory.mktemp("race")
    npz = small.write_npz(folder / "small.npz", train=400)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("BAKEOFF_HOME", str(folder / "home"))
        result = small.carry_out(npz, folder / "study", **RACE)
        again = small.carry_out(npz, folder / "study", **RACE)
    return npz, result, again


def test_a_model_that_learns_nothing_is_dropped_and_the_other_trained_to_the_end(raced):
    _, result, _ = raced
    folder = result.folder
    assert folder.finished() == {"good": [0, 1, 2, 3, 4], "idle": [0, 1, 2]}
    assert race_looks.dropped_models(folder) == {"idle": 3}
    looks = race_looks.read_looks(folder)
    assert [(look["look"], look["after"], look["leader"]) for look in looks] == [
        (1, 3, "good"),
        (2, 4, "good"),
    ]
    assert looks[0]["level"] == pytest.approx(0.05 / (2 * 2 * 1))
    assert [look["delta"] for look in looks] == [0.005, 0.005]
    assert [s["model"] for s in looks[1]["standings"]] == ["good"]


def test_delta_is_the_margin_where_that_is_more(raced, tmp_path):
    """Who is dropped is shown to be worse by more than the margin and than give_up."""
    npz, result, _ = raced
    shutil.copytree(result.folder.path, tmp_path / "study")
    recipe = small.declare(npz, **{**RACE, "margin": 0.02})
    prepared = prepare(recipe, StudyFolder(tmp_path / "study"), device="cpu")
    take_look(prepared, range(5), of_looks=2, watcher=Watcher())
    assert [look["delta"] for look in race_looks.read_looks(prepared.folder)] == [
        *[0.005] * 2,
        0.02,
    ]


def test_dropped_models_stand_in_the_comparison_with_what_is_known_of_them(raced):
    _, result, _ = raced
    comparison = result.comparison
    assert [model.name for model in comparison.models] == ["good"]
    assert comparison.pairs == () and comparison.missing == ()
    (out,) = comparison.race.dropped
    assert (out.name, out.after, out.leader, out.not_trained) == ("idle", 3, "good", 2)
    assert out.validation_accuracy == tuple(
        result.folder.read_trial("idle", seed)["validation"]["accuracy"] for seed in range(3)
    )
    said = comparison.to_json()["race"]
    assert said["after"] == [3, 4] and said["not_trained"] == 2
    assert 0 < said["saved_share"] < 0.5
    sentence = about_race.about_race(comparison)
    assert re.fullmatch(
        r"Race, looking after 3 and 4 seeds: idle \(dropped after 3 seeds, [\d.]+ % on validation, "
        r"good [\d.]+ points better, p [<=] [\d.]+\)\. Not tested, in no verdict: their test "
        r"accuracy is not known\. 2 trials of 10 saved, about \d+ % of the training time\.",
        sentence,
    )
    assert "dropped by the race" in result.folder.report_file.read_text()
    console = Console(width=140, file=io.StringIO())
    console.print(result.table())
    printed = console.file.getvalue()
    assert re.search(r"^  idle +\d+ +dropped after 3 seeds", printed, re.MULTILINE)
    assert sentence in " ".join(printed.split())


def test_the_opening_and_the_ledger_hold_the_survivors_and_name_the_dropped(raced):
    _, result, _ = raced
    (line,) = result.folder.read_ledger()
    assert line["models"] == {"good": [0, 1, 2, 3, 4]}
    assert line["race"] == {"after": [3, 4], "dropped": {"idle": 3}}


def test_running_again_trains_nothing_and_status_says_who_was_dropped(raced):
    _, result, again = raced
    assert again.comparison.test_openings == 1
    assert len(race_looks.look_folders(result.folder)) == 2
    now = status(result.folder.path)
    assert now.finished == len(now.trials) == 8
    assert "The race dropped idle after 3 seeds." in sentences(now)
    assert to_json(now)["dropped"] == {"idle": 3}
    assert verify(result.folder).differences == ()
    assert verify(result.folder).notes == ()


def test_a_look_that_was_changed_is_noticed(raced, tmp_path):
    _, result, _ = raced
    path = StudyFolder(result.folder.path).path / "race" / "1" / "race.json"
    content = path.read_bytes()
    try:
        path.write_bytes(content.replace(b'"dropped": true', b'"dropped": false'))
        assert [str(path) in each for each in verify(result.folder).differences] == [True]
    finally:
        path.write_bytes(content)


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("race", "race/1: missing, though the ledger knows that a look dropped idle after 3 seeds"),
        ("race/1", "race/1: missing, though look 2 is there"),
        ("trials/idle/seed-1", "trials/idle/seed-1: missing, though the race's look 1 used it"),
    ],
)
def test_a_part_of_a_race_that_is_gone_is_named(raced, tmp_path, gone, said):
    _, result, _ = raced
    place = tmp_path / "study"
    shutil.copytree(result.folder.path, place)
    shutil.rmtree(place / gone)
    found = verify(StudyFolder(place)).differences
    assert any(each.startswith(f"{place}/{said}: restore it") for each in found), found
    if gone.startswith("race"):  # or the table would call its trials missing
        with pytest.raises(DamagedFile, match=re.escape(said)):
            compare([place])


def test_a_model_that_was_tested_is_dropped_no_more(raced, tmp_path):
    """Its test result is known: dropping it now would choose what the table shows."""
    npz, _, _ = raced
    small.carry_out(npz, tmp_path / "study", **{**RACE, "seeds": 2, "race": None})
    found = small.carry_out(npz, tmp_path / "study", **RACE)
    assert found.folder.finished() == {"good": [0, 1, 2, 3, 4], "idle": [0, 1, 2, 3, 4]}
    assert race_looks.dropped_models(found.folder) == {}


def test_looks_left_out_by_fewer_seeds_keep_their_share_of_the_level(raced, tmp_path):
    """With --seeds 4 one look took all 5 %, and the second, later, half of them once more."""
    npz, _, _ = raced
    kept = {**RACE, "models": {"good": MODELS["good"], "idle": MODELS["good"]}}
    for seeds in (4, None):
        found = small.carry_out(
            npz, tmp_path, options={"seeds": seeds, "keep_sealed": True}, **kept
        )
    levels = [look["level"] for look in race_looks.read_looks(found.folder)]
    assert levels == pytest.approx([0.05 / (2 * 2 * 1)] * 2)


def test_a_look_declared_when_all_of_the_level_is_spent_drops_nothing(raced, tmp_path):
    npz, _, _ = raced
    first = {**RACE, "race": {"after": [3]}, "seeds": 4}
    equal = {"good": MODELS["good"], "idle": MODELS["good"]}
    small.carry_out(npz, tmp_path, options={"keep_sealed": True}, **{**first, "models": equal})
    notes = []
    watcher = Watcher()
    watcher.note = notes.append
    changed = {**RACE, "models": equal}
    options = {"keep_sealed": True}
    found = small.carry_out(npz, tmp_path, options=options, watcher=watcher, **changed)
    assert [look["level"] for look in race_looks.read_looks(found.folder)] == [0.025, 0.0]
    assert notes[-1] == (
        "race: the look after 4 seeds drops nothing: earlier looks, when fewer were declared, have "
        "used up the 5 % that all share"
    )
