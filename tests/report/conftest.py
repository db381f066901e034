"""Studies that reports are made of, and the page of one."""

import json
from dataclasses import replace

import numpy as np
import pytest

from bakeoff import report
from bakeoff.analysis.compare import compare
from bakeoff.analysis.preference import order
from bakeoff.report.plots.figure import Figure
from tests.helpers import fake_study
from tests.helpers.pages import CLASSES, TITLE, parse

_draw = Figure.svg
_DRAWN: dict[str, str] = {}


def _drawn(figure):
    spec = json.dumps(figure.spec)
    if spec not in _DRAWN:
        _DRAWN[spec] = _draw(figure)
    return _DRAWN[spec]


@pytest.fixture(scope="module", autouse=True)
def _drawn_once():
    """Draw equal figures once: many pages are of the same study."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Figure, "svg", _drawn)
        yield


@pytest.fixture
def drawn_anew(monkeypatch):
    """Draw each figure all the same."""
    monkeypatch.setattr(Figure, "svg", _draw)


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    return compare(
        [
            fake_study.write_study(
                tmp_path_factory.mktemp("report") / "study",
                {
                    "cnn": fake_study.FakeModel(accuracy=(0.952, 0.95, 0.954), parameters=30_000),
                    "tiny": fake_study.FakeModel(
                        accuracy=(0.951, 0.952, 0.95), parameters=7_500, confused={(3, 4): 0.5}
                    ),
                    "mlp": fake_study.FakeModel(
                        accuracy=(0.9, 0.905, 0.91), parameters=10_000, seconds=8.0
                    ),
                },
                title=TITLE,
                class_names=CLASSES,
                seeds=(0, 1, 2),
                n_test=4000,
                give_up=0.01,
            )
        ]
    )


@pytest.fixture(scope="session")
def timed(study):
    """The same study where time counts: cnn is the fastest, mlp as slow as tiny."""
    seconds = {"cnn": 2e-5, "tiny": 5e-5, "mlp": 5.2e-5}
    models = tuple(replace(m, batch_prediction_seconds=seconds[m.name]) for m in study.models)
    sizes = {model.name: model.parameters for model in models}
    return replace(study, models=models, order=order(sizes, seconds, prefer="time"))


@pytest.fixture(scope="module")
def unvalidated(study):
    """The same study without validation images: their columns hold no number."""

    def without(model):
        lost = [{**h, "val_accuracy": h["val_accuracy"] * np.nan} for h in model.histories]
        lost = [{**h, "val_cross_entropy": h["val_accuracy"]} for h in lost]
        return replace(model, histories=tuple(lost))

    return replace(study, models=tuple(map(without, study.models)))


@pytest.fixture(scope="module")
def page(study):
    return report.html(study)


@pytest.fixture(scope="module")
def parsed(page):
    return parse(page)


@pytest.fixture(scope="session")
def single(tmp_path_factory):
    """One seed, an opening too many, nothing to validate on."""
    return compare(
        [
            fake_study.write_study(
                tmp_path_factory.mktemp("single") / "study",
                seeds=(4,),
                n_test=300,
                n_validation=0,
                selection="last",
                openings=2,
            )
        ]
    )
