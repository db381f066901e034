"""What a watcher is told, and that hearing it needs no Keras.

Oracle: by hand. Cost: 1 s. Run: pytest tests/utils/test_events.py
"""

import inspect
import math
import subprocess
import sys
from dataclasses import replace

import pytest

from bakeoff.utils.events import EpochResult, OfTrial, Planned, Resumed, Watcher

EPOCH = EpochResult(0, 0.5, 0.8, 0.6, 0.55, 0.75, 0.001)


@pytest.mark.parametrize("name", ["loss", "val_loss", "val_cross_entropy"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_an_epoch_is_finite_if_all_its_losses_are(name, bad):
    assert EPOCH.finite
    assert not replace(EPOCH, **{name: bad}).finite
    none = {"val_loss": None, "val_cross_entropy": None, "val_accuracy": None}
    assert replace(EPOCH, **none).finite  # without validation images


def test_a_watcher_that_overrides_nothing_hears_all():
    watcher = Watcher()
    heard = {
        "begin": ("training", [Planned("cnn seed 0", 3, 1.0)]),
        "planned": (Planned("cnn seed 0", 4, 1.0),),
        "epoch": ("cnn seed 0", EPOCH),
        "resumed": ("cnn seed 0", Resumed((EPOCH,))),
        "told": ("cnn seed 0", EPOCH),
        **dict.fromkeys(("started", "finished", "lost", "note"), ("cnn seed 0",)),
    }
    methods = {n for n, _ in inspect.getmembers(Watcher, inspect.isfunction) if n[0] != "_"}
    assert heard.keys() == methods
    assert [getattr(watcher, name)(*words) for name, words in heard.items()] == [None] * len(heard)


class Hearing(Watcher):
    def __init__(self):
        self.heard = []

    def epoch(self, label, result):
        self.heard.append(("epoch", label, result))

    def resumed(self, label, resumed):
        self.heard.append(("resumed", label, resumed))


def test_what_a_job_tells_is_of_itself_or_of_one_of_its_trials():
    watcher, resumed = Hearing(), Resumed((EPOCH,))
    for event in (EPOCH, resumed, OfTrial("cnn seed 1", EPOCH), OfTrial("cnn seed 1", resumed)):
        watcher.told("cnn seed 0", event)
    assert watcher.heard == [
        ("epoch", "cnn seed 0", EPOCH),
        ("resumed", "cnn seed 0", resumed),
        ("epoch", "cnn seed 1", EPOCH),
        ("resumed", "cnn seed 1", resumed),
    ]


def test_who_only_watches_loads_neither_keras_nor_jax():
    code = "import sys, bakeoff.utils.events; print({'keras', 'jax', 'numpy'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
