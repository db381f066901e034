"""The table of the page, cell by cell.

Oracle: the comparison. Cost: 3 s.

Run: pytest tests/report/page/test_results_table.py
"""

import csv
import io
from dataclasses import replace

import numpy as np

from bakeoff import report
from bakeoff.analysis.comparison import Finding
from bakeoff.report.page.class_tables import found_by_model
from bakeoff.report.page.results_table import results_table
from bakeoff.report.words import wording
from bakeoff.report.words.grouped_findings import grouped


def test_every_row_has_a_cell_for_every_head(study, timed):
    for comparison in (study, timed):
        table = results_table(comparison)
        rows = [*table["rows"], *table["baselines"]]
        assert {len(row.cells) for row in rows} == {len(table["heads"])}
        assert [row.name for row in table["rows"] if row.strong] == ["tiny"]


def test_where_none_is_recommended_the_mark_is_on_the_highest_mean(study):
    """The walk's choice, tiny, was said to have scored highest, below cnn."""
    headline = replace(study.headline, case="a baseline does as well", model=None)
    table = results_table(replace(study, headline=headline))
    assert study.recommended.model == "tiny" != study.recommended.best
    marked = [row.name for row in table["rows"] if row.strong]
    assert (marked, table["mark"]) == (["cnn"], "scored highest")


def test_where_time_counts_it_stands_beside_the_parameters(study, timed):
    assert "Image in a batch" not in results_table(study)["heads"]
    table = results_table(timed)
    assert table["heads"][:3] == ["Parameters", "Image in a batch", "Test accuracy"]
    shown = {row.name: row.cells[1].text for row in table["rows"]}
    assert shown == {"cnn": "0.02 ms", "tiny": "0.05 ms", "mlp": "0.052 ms"}


def test_each_number_stands_under_its_head(study):
    """In the table, the CSV and the model card: every score is another number here."""
    cnn, tiny, mlp = map(study.model, ("cnn", "tiny", "mlp"))
    cnn = replace(cnn, balanced_accuracy=mlp.accuracy, macro_f1=tiny.accuracy)
    models = tuple(cnn if each.name == "cnn" else each for each in study.models)
    changed = replace(study, models=models)
    table = results_table(changed)
    (row,) = (each for each in table["rows"] if each.name == "cnn")
    cells = {head: cell.value for head, cell in zip(table["heads"], row.cells, strict=True)}
    means = {
        "Test accuracy": cnn.accuracy,
        "Loss": cnn.loss,
        "Balanced accuracy": cnn.balanced_accuracy,
        "Macro F1": cnn.macro_f1,
    }
    found = {head: cells[head] for head in means}
    assert found == {head: repr(score.estimate.mean) for head, score in means.items()}
    assert float(cells["Selected epoch"]) == np.mean(cnn.selected_epochs)
    lines = csv.DictReader(io.StringIO(report.csv(changed)))
    line = next(each for each in lines if each["name"] == "cnn")
    for name in ("loss", "balanced_accuracy", "macro_f1"):
        assert float(line[name]) == getattr(cnn, name).estimate.mean
    card = report.model_card(changed, "cnn")
    assert f"| Macro F1 | {wording.scored(cnn.macro_f1.estimate)} |" in card
    assert f"| Balanced accuracy | {wording.scored(cnn.balanced_accuracy.estimate)} |" in card


def test_models_of_two_studies_of_one_name_are_told_apart(study):
    """Their names begin and end alike: rows, lists and columns showed the same one twice."""
    ends = ("flowers/studies/three-models/cnn", "gardens/studies/three-models/cnn", "mlp")
    names = ("/home/somebody/projects/" + end for end in ends)
    models = tuple(replace(m, name=name) for m, name in zip(study.models, names, strict=True))
    changed = replace(study, models=models, recommended=None, headline=None, race=None)
    rows = [row.short for row in results_table(changed)["rows"]]
    assert rows == [models[0].name, models[1].name, "/home/somebody/projects/mlp"]
    heads = found_by_model(changed).heads
    assert len(set(heads)) == 3
    found = [Finding("weak-classes", "info", model.name, "Weak.", "") for model in models[:2]]
    (group,) = grouped(replace(changed, findings=tuple(found)))
    assert group.text.endswith(f": {models[0].name} and {models[1].name}.")
