"""Numbers, layers and names as a reader sees them.

Oracle: by hand. Cost: 1 s.

Run: pytest tests/report/words/test_wording.py
"""

from dataclasses import replace
from math import nan

from bakeoff.analysis.estimates import Estimate
from bakeoff.report.words import wording
from bakeoff.utils.text import (
    counted,
    duration,
    listed,
    p_value,
    percent,
    ratio,
    signed_points,
    whole_numbers,
)


def test_numbers_are_written_as_people_write_them():
    assert percent(0.98765) == "98.77 %"
    assert signed_points(-0.00415) == "−0.41"
    assert signed_points(0.02) == "+2.00"
    assert [duration(t) for t in (None, 0.42, 41.2, 310.0, 5400.0, 9000.0)] == [
        *("–", "0.4 s", "41 s", "5.2 min", "90 min", "2.5 h"),
    ]
    assert whole_numbers((0, 1, 2, 3, 7, 9, 10)) == "0–3, 7, 9, 10"
    assert whole_numbers((0, 1, 3), shortest=2) == "0–1, 3"
    assert listed(["a"]) == "a"
    assert listed("abc") == "a, b and c"
    assert counted(1, "class", "classes") == "1 class"
    assert p_value(0.0004) == "< 0.001"
    estimate = Estimate(0.5, 0.4, 0.6, 10, 1, None, "wilson", 0.1, None, None)
    assert wording.interval(estimate) == "40.00–60.00 %"
    few = replace(estimate, low=nan, high=nan, method="none")
    assert wording.scored(few) == "50.00 % (no interval)"  # not "nan–nan %"


def test_layers_are_told_in_a_line_each():
    settings = {
        "layers": [
            {"conv2d": {"filters": 32, "kernel_size": [3, 3], "strides": [1, 1], "padding": "same",
                        "activation": "relu", "kernel_regularizer": None}},
            {"max_pooling2d": {"pool_size": [2, 2], "strides": [2, 2], "padding": "valid"}},
            "flatten",
            {"dropout": {"rate": 0.25}},
            {"dense": {"units": 64, "activation": "linear", "kernel_regularizer": {"l2": 0.001}}},
            {"residual": [{"activation": {"activation": "relu6"}}]},
        ],
        "training": {"epochs": 5, "batch_size": 128,
                     "optimizer": {"rmsprop": {"learning_rate": 0.001}}},
    }  # fmt: skip
    assert wording.layers(settings) == [
        "conv2d 32 3×3 same relu",
        "max_pooling2d 2",
        "flatten",
        "dropout 0.25",
        "dense 64, l2 0.001",
        "residual: the input of these is added to their output",
        "– activation relu6",
    ]
    assert wording.training(settings) == "rmsprop, learning rate 0.001, batches of 128, 5 epochs"
    sgd = {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "clipnorm": None}
    told = {**settings, "training": {"optimizer": {"sgd": sgd}}}
    assert wording.training(told) == "sgd, momentum 0.9, nesterov yes, learning rate 0.1"
    told = {**settings, "output": {"use_bias": True, "kernel_regularizer": {"l2": 0.0008}}}
    assert wording.layers(told) == [*wording.layers(settings), "softmax output, l2 0.0008"]
    for plain in ({"use_bias": True}, {"of another version": 1}):
        assert wording.layers({**settings, "output": plain}) == wording.layers(settings)
    assert wording.layers({"backbone": "efficientnet_lite0", "layers": []}) == [
        "backbone efficientnet_lite0, frozen, first trained on ImageNet (ILSVRC 2012): 1,281,167 "
        "photographs from the web in 1,000 classes: a test image that stands in there is not unseen"
    ]
    backbone = {"name": "efficientnet_lite0", "trainable": True, "learning_rate": 1e-5}
    told = "backbone efficientnet_lite0, fine-tuned with a learning rate of at most 0.00001, first "
    assert wording.layers({"backbone": backbone})[0].startswith(told)
    later = {**backbone, "trainable": None, "from": "block_14"}
    assert " fine-tuned from block_14 on with " in wording.layers({"backbone": later})[0]
    theirs = {"study": "s", "model": "cnn", "from": 3, "learning_rate": 1e-4}
    assert wording.layers({"backbone": {**theirs, "network": {"seen": "digits"}}}) == [
        "backbone cnn of another study, fine-tuned from layer 3 on with a learning rate of at most "
        "0.0001, first trained on digits: a test image that stands in there is not unseen"
    ]
    assert wording.layers({"python": "my_models.py:build"}) == ["built by my_models.py:build"]


def test_ratios_stay_readable():
    assert ratio(407_050, 55_298) == "7.36"
    assert ratio(10_000, 5) == "2,000"
    assert ratio(5, 5) == "1"
    assert ratio(5, 0) == ""
