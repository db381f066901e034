"""Looks at the test set that a recipe declares: what is trained, opened and said at each.

Oracle: the folders and ledger lines of studies on small images in which one pair is plainly
different and another is not. Cost: 8 s. Run: pytest tests/study/opening/test_looks.py
"""

import json
import re
import shutil
from io import StringIO

import pytest
from rich.console import Console

from bakeoff.errors import RecipeError
from bakeoff.study.compare import compare
from bakeoff.study.planning.stages import seeds_in_words, stages_left
from bakeoff.study.status import sentences, status, to_json
from bakeoff.utils.events import Watcher
from tests.helpers.small import LINES, carry_out, declare, files

pytestmark = pytest.mark.usefixtures("module_home", "jobs_in_process")  # nothing here is looked at


MODELS = {  # blind always says one class: it is plainly worse than the others
    "plain": {"layers": []},
    "decayed": {"layers": [], "output": {"kernel_regularizer": {"l2": 0.0001}}},
    "blind": {
        "layers": ["global_average_pooling2d"],
        "training": {"optimizer": {"sgd": 1e-9}},
    },
}
LOOKS = {"looks": [3, 4, 5]}
TRAINING = {"epochs": 12, "batch_size": 16, "optimizer": {"adam": 0.03}}


class Notes(Watcher):
    def __init__(self):
        self.said = []

    def note(self, text):
        self.said.append(text)


@pytest.fixture(scope="module")
def carried(npz, tmp_path_factory):
    """A study of three looks, of which none settles the equal ones; and what was said meanwhile."""
    out, notes = tmp_path_factory.mktemp("study") / "looks", Notes()
    return carry_out(
        npz, out, seeds=LOOKS, models=MODELS, training=TRAINING, watcher=notes
    ), notes.said


def test_only_models_of_open_pairs_are_trained_further(carried):
    result, said = carried
    assert result.folder.finished() == {
        "blind": [0, 1, 2], "decayed": [0, 1, 2, 3, 4], "plain": [0, 1, 2, 3, 4],
    }  # fmt: skip
    assert [re.sub("decayed and plain|plain and decayed", "both", each) for each in said] == [
        "look 1 of 3: 2 of 3 pairs settled; up to 4 seeds of both come next",
        "look 2 of 3: 2 of 3 pairs settled; up to 5 seeds of both come next",
        "look 3 of 3: 2 of 3 pairs settled",
    ]


def test_what_a_race_left_alone_has_no_pair_to_settle(npz, tmp_path):
    """The run had ended with "0 of 0 pairs settled"."""
    models, notes = {name: MODELS[name] for name in ("plain", "blind")}, Notes()
    race, out = {"after": [3]}, tmp_path / "s"
    carry_out(npz, out, seeds=LOOKS, race=race, models=models, training=TRAINING, watcher=notes)
    assert notes.said[-1] == "look 1 of 3: one model is left, and no pair to settle"


def test_the_ledger_has_the_plan_and_nothing_is_exploratory(carried):
    result, _ = carried
    lines = result.folder.read_ledger()
    assert [line["looks"] for line in lines] == [[3, 4, 5]] * 3
    assert [line["seeds"] for line in lines] == [list(range(n)) for n in (3, 4, 5)]
    comparison = result.comparison
    assert (comparison.test_openings, comparison.planned_openings) == (3, 3)
    assert not comparison.exploratory and not comparison.missing
    assert not {"opened-again", "rules-changed", "missing-trials"} & {
        finding.code for finding in comparison.findings
    }
    document = comparison.to_json()
    assert document["looks"] == {"declared": [3, 4, 5], "look": 3}
    assert all("look 3 of 3" in pair["sentence"] for pair in document["comparisons"])
    text = " ".join((result.folder.path / "report.html").read_text(encoding="utf-8").split())
    assert "at look 3 of 3, as declared (after 3, 4 and 5 seeds)" in text
    assert "Looks at the test set after 3, 4 and 5 seeds are declared; 3 done." in sentences(
        status(result.folder.path)
    )


def test_each_look_has_its_share_of_five_percent(carried):
    comparison = carried[0].comparison
    pair = next(p for p in comparison.pairs if {p.a, p.b} == {"plain", "blind"})
    smallest = min(each.test.p for each in comparison.pairs)
    assert min(each.p_holm for each in comparison.pairs) == pytest.approx(3 * 3 * smallest)
    assert all(each.test.level == pytest.approx(1 - 0.05 / 3) for each in comparison.pairs)
    assert pair.verdict in ("better", "worse")
    # blind is too poor to be a candidate: the bound of the highest mean, shared by two rivals
    assert comparison.recommended.level == pytest.approx(1 - 0.05 / 3 / 2)


def test_run_again_it_does_nothing_and_another_plan_is_told(npz, carried, tmp_path):
    place = shutil.copytree(carried[0].folder.path, tmp_path / "looks")
    before = files(place, "trials", "openings")
    again = carry_out(npz, place, seeds=LOOKS, models=MODELS, training=TRAINING)
    assert files(place, "trials", "openings") == before and not again.comparison.exploratory
    assert [pair.p_holm for pair in again.verdicts] == [p.p_holm for p in carried[0].verdicts]
    other = carry_out(npz, place, seeds={"looks": [3, 5]}, models=MODELS, training=TRAINING)
    said = next(f.text for f in other.comparison.findings if f.code == "rules-changed")
    assert "the seeds are looked at after 3 and 5, and were looked at after 3, 4 and 5" in said
    assert other.comparison.exploratory
    text = StringIO()
    Console(file=text, width=100).print(other.table())
    assert (
        "Verdicts, exploratory, at the level of look 3 of 3 (pairwise 98.33 % intervals, "
        "Holm-adjusted p)"
    ) in " ".join(text.getvalue().split())
    assert (
        "Looks at the test set after 3, 4 and 5 seeds were declared when it was first opened, and "
        "3 of them done; the recipe has looks after 3 and 5 seeds now."
    ) in sentences(status(place))


def test_killed_while_it_looks_the_table_is_of_the_look_before(npz, carried, tmp_path):
    """The ledger has the third look; what can be compared is the second."""
    place = shutil.copytree(carried[0].folder.path, tmp_path / "looks")
    shutil.rmtree(place / "openings" / "3")
    found = compare([place]).comparison
    assert found.look.text == "look 2 of 3" and not found.exploratory
    assert "--seeds" not in " ".join(each.advice for each in found.findings)
    now = status(place)
    assert sentences(now)[-1].startswith("To go on: bakeoff run ")
    declared = "Looks at the test set after 3, 4 and 5 seeds are declared; 2 done."
    assert declared in sentences(now)
    assert to_json(now)["looks"] == {"declared": [3, 4, 5], "look": 2}
    again = carry_out(npz, place, seeds=LOOKS, models=MODELS, training=TRAINING)
    assert again.comparison.look.text == "look 3 of 3" and not again.comparison.exploratory


def test_sealed_it_trains_for_the_first_look_and_settled_it_stops_there(npz, tmp_path):
    two = {name: MODELS[name] for name in ("plain", "blind")}
    how = {"seeds": LOOKS, "training": TRAINING}
    first = {"blind": [0, 1, 2], "plain": [0, 1, 2]}
    sealed = carry_out(npz, tmp_path / "s", models=two, options={"keep_sealed": True}, **how)
    assert sealed.sealed and sealed.folder.finished() == first
    assert {trial.state for trial in status(tmp_path / "s").trials} == {"finished"}
    notes = Notes()
    opened = carry_out(npz, tmp_path / "s", models=two, watcher=notes, **how)
    assert notes.said == ["look 1 of 3: 1 of 1 pair settled"]
    assert opened.folder.finished() == first and not opened.comparison.missing


def test_stopped_between_two_looks_it_says_how_to_go_on(npz, tmp_path, monkeypatch):
    monkeypatch.setattr("bakeoff.study.run.still_open", lambda *_, **__: ())
    equal = {name: MODELS[name] for name in ("plain", "decayed")}
    out = tmp_path / "stopped"
    result = carry_out(npz, out, seeds=LOOKS, models=equal, training=TRAINING)
    assert "--seeds" not in " ".join(each.advice for each in result.findings)
    said = sentences(status(out))
    assert said[-2].startswith("Where a pair is not separated the next look follows: bakeoff run ")
    assert said[-1] == f"Else nothing is missing; the table again: bakeoff compare {out}"


def test_a_study_goes_on_at_its_newest_look(npz):
    recipe = declare(npz, seeds=LOOKS)
    assert [len(each.seeds) for each in stages_left(recipe, [])] == [3, 4, 5]
    assert [len(each.seeds) for each in stages_left(recipe, LINES[:2])] == [4, 5]
    assert all(each.opens for each in stages_left(recipe, []))


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        ({"looks": [5]}, "seeds.looks: expected 2 to 10 different numbers of seeds, ascending, "
         "such as [5, 10, 20], found [5]"),
        ({"looks": [5, 3]}, "seeds.looks: expected 2 to 10 different numbers of seeds, ascending, "
         "such as [5, 10, 20], found [5, 3]"),
        ({"looks": [2, 5]}, "seeds.looks[1]: expected a whole number from 3 to 1,000, found 2"),
        ({"look": [3, 5]}, "seeds.look: unknown key; known: looks"),
    ],
)  # fmt: skip
def test_what_looks_may_not_be(npz, seeds, message):
    with pytest.raises(RecipeError) as error:
        declare(npz, seeds=seeds)
    assert message in str(error.value)


def test_looks_come_back_from_the_resolved_recipe(npz):
    recipe = declare(npz, seeds=LOOKS)
    assert recipe.seeds == (0, 1, 2, 3, 4) and recipe.looks == (3, 4, 5)
    again = declare(npz, **json.loads(json.dumps({"seeds": recipe.resolved()["seeds"]})))
    assert again.looks == recipe.looks


def test_a_plan_says_that_it_may_take_fewer(npz):
    assert seeds_in_words(declare(npz, seeds=LOOKS)) == "up to 5 seeds (looks after 3, 4 and 5)"
    assert seeds_in_words(declare(npz, seeds=3)) == "3 seeds"
    race = declare(npz, seeds=9, race={"after": [3, 5]})
    assert seeds_in_words(race) == "up to 9 seeds (a race after 3 and 5)"
