"""How far a study is.

Oracle: folders changed by hand; whole lines. Cost: 3 s with the suite's finished study.

Run: pytest tests/study/test_status.py
"""

import io
import json
import re
import shutil

from rich.console import Console

from bakeoff.storage.study_folder import StudyFolder, trial_lock
from bakeoff.study.jobs.checkpoint_names import PLACE
from bakeoff.study.status import status, table
from bakeoff.use.serve.live import Live


def test_status_of_a_finished_study(tiny_study, call):
    code, out, err = call("status", tiny_study)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "tiny: 4 of 4 trials done"
    assert [line.split()[:2] for line in lines[2:4]] == [["mlp", "0–1"], ["line", "0–1"]]
    assert lines[5:] == [
        "Validation scores: mean and range over the seeds that are done, on 288 images that also "
        "chose the epochs.",
        "The test set was opened once.",
        f"Nothing is missing; the table again: bakeoff compare {tiny_study}",
    ]


def test_no_number_is_cut_in_a_narrow_window(tiny_study):
    wide, narrow = (io.StringIO() for _ in range(2))
    for file, width in ((wide, 100), (narrow, 50)):
        Console(file=file, width=width).print(table(status(tiny_study)))
    numbers = re.findall(r"[0-9]+\.[0-9]+", wide.getvalue())
    assert len(numbers) >= 6 and all(each in narrow.getvalue() for each in numbers)


def test_status_counts_what_the_ledger_says(tiny_study, call):
    """B5: an opening that was begun and not finished was called sealed."""
    shutil.rmtree(tiny_study / "openings")
    out = call("status", tiny_study)[1]
    assert "The test set was opened once.\nTo go on: bakeoff run " in out
    assert json.loads(call("status", tiny_study, "--json")[1])["test_openings"] == 1


def test_status_tells_of_a_ledger_that_is_gone(tiny_study, call):
    """The number of openings stayed right, and nobody said that their lines were lost."""
    (tiny_study / "ledger.jsonl").unlink()
    out = call("status", tiny_study)[1]
    assert (
        "The test set was opened once.\nledger.jsonl lacks 1 opening: restore it, or run the "
        in out
    )
    run = call("run", tiny_study.parent / "tiny.yaml", "--out", tiny_study)
    assert run[0] == 0
    assert len(StudyFolder(tiny_study).read_ledger()) == 1
    assert "lacks" not in call("status", tiny_study)[1]


def test_status_names_opened_trials_that_are_gone(tiny_study, call):
    """B1."""
    shutil.rmtree(tiny_study / "trials" / "mlp" / "seed-1")
    assert (
        "No longer what was opened: mlp seed 1 (removed).\nTo go on: "
        in (call("status", tiny_study)[1])
    )
    assert json.loads(call("status", tiny_study, "--json")[1])["changed"] == [
        "mlp seed 1 (removed)"
    ]


def test_status_tells_begun_from_running(tiny_study, call):
    folder = StudyFolder(tiny_study)
    partial = folder.partial("mlp", 1)
    folder.trial("mlp", 1).rename(partial)
    (partial / "checkpoint-000007-0123456789abcdef.safetensors").touch()
    assert "1 (7 epochs)" in call("status", tiny_study)[1]
    with folder.lock("mlp.seed-1"):
        states = json.loads(call("status", tiny_study, "--json")[1])["trials"]
    assert [each["state"] for each in states] == ["finished", "running", "finished", "finished"]


def test_a_trial_runs_from_its_start_and_not_from_its_first_checkpoint(tiny_study, call):
    folder = StudyFolder(tiny_study)
    shutil.rmtree(folder.trial("mlp", 1))
    assert not folder.partial("mlp", 1).exists()
    with folder.lock(trial_lock("mlp", 1)):
        trials = json.loads(call("status", tiny_study, "--json")[1])["trials"]
        said = call("status", tiny_study)[1]
    assert {"model": "mlp", "seed": 1, "state": "running", "epochs": 0} in trials
    assert "running" in said and "missing" not in said.split("Validation")[0]
    trials = json.loads(call("status", tiny_study, "--json")[1])["trials"]
    assert {"model": "mlp", "seed": 1, "state": "missing", "epochs": 0} in trials


def test_the_live_page_has_the_scores_of_the_selected_epochs_as_status_has(tiny_study, call):
    folder = StudyFolder(tiny_study)
    trials = Live(folder).picture()["trials"]
    scores = [folder.read_trial(t["model"], t["seed"])["validation"]["accuracy"] for t in trials]
    assert [each["accuracy"] for each in trials] == scores
    assert any(each["accuracy"] != each["curves"]["accuracy"][-1] for each in trials)


def test_status_and_the_live_page_say_which_node_of_a_cluster_is_at_a_trial(tiny_study, call):
    folder = StudyFolder(tiny_study)
    shutil.rmtree(folder.trial("mlp", 1))
    partial = folder.partial("mlp", 1)
    partial.mkdir()
    (partial / PLACE).write_text('{"node": "box-2"}')
    with folder.lock(trial_lock("mlp", 1)):
        assert " 1 (on box-2) " in call("status", tiny_study)[1]
        trials = json.loads(call("status", tiny_study, "--json")[1])["trials"]
        picture = Live(folder).picture()
    assert [each["nodes"] for each in trials if "nodes" in each] == [["box-2"]]
    assert picture["running"] == ["mlp seed 1 on box-2"]
    assert [each["nodes"] for each in picture["trials"]] == [[], ["box-2"], [], []]
    (partial / PLACE).write_text("{}")  # cut short, or somebody else's
    with folder.lock(trial_lock("mlp", 1)):
        assert Live(folder).picture()["running"] == ["mlp seed 1"]
