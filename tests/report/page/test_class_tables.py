"""Tables by class: the worst classes first, the darker the more is missed.

Oracle: the comparison's own numbers. Cost: 3 s. Run: pytest tests/report/page/test_class_tables.py
"""

from dataclasses import replace

import numpy as np
import pytest

from bakeoff.analysis.class_scores import class_scores
from bakeoff.report.page.class_tables import (
    MOST_CLASSES,
    Cell,
    about_found_by_model,
    by_class,
    found_by_model,
)


def test_every_class_and_model_has_its_share_found(study):
    table = found_by_model(study)
    assert table.heads == tuple(model.name for model in study.models)
    assert table.left_out == 0
    names = [name for name, _, _ in table.rows]
    assert sorted(names) == sorted(study.class_names)
    means = []
    for name, images, cells in table.rows:
        k = study.class_names.index(name)
        assert images == f"{(study.labels == k).sum():,}"
        for cell, model in zip(cells, study.models, strict=True):
            assert float(cell.value) == model.per_class_accuracy[k].mean
            assert cell.tip.startswith(f"{model.name} · {name} · 95 % interval ")
        means.append(np.mean([float(cell.value) for cell in cells]))
    assert means == sorted(means)


def test_the_darkest_cell_is_the_one_that_misses_most(study):
    cells = [cell for _, _, row in found_by_model(study).rows for cell in row]
    worst = min(cells, key=lambda cell: float(cell.value))
    assert worst.shade == max(cell.shade for cell in cells) == 10
    assert all(isinstance(cell, Cell) and 0 <= cell.shade <= 10 for cell in cells)


def test_the_caption_says_that_models_are_left_out(study):
    many = replace(study, models=study.models * 5)
    assert len(found_by_model(many).heads) == 12
    said = " Of 15 models, the 12 with the highest accuracy."
    assert about_found_by_model(many) == about_found_by_model(study) + said


def test_one_model_has_precision_recall_and_areas_the_lowest_f1_first(study):
    name = study.models[0].name
    scores = class_scores(study, name)
    table = by_class(study, tuple(scores))
    assert table.heads == ("Precision", "Recall", "F1", "ROC area", "PR area")
    f1 = [float(cells[2].value) for _, _, cells in table.rows]
    assert f1 == sorted(f1)
    many = by_class(study, (*[scores[0]] * (MOST_CLASSES + 3), None))
    assert (len(many.rows), many.left_out) == (MOST_CLASSES, 3)
    k = scores[0].index
    first = next(cells for name, _, cells in table.rows if name == study.class_names[k])
    assert float(first[1].value) == pytest.approx(scores[0].recall.mean)
