"""Plans against parameter counts worked out by hand and learning rates in words; under 3 s.

Run: pytest tests/study/planning/test_plan_view.py
"""

import pytest

from bakeoff.cli.output import show
from bakeoff.study.planning import plan as plans
from bakeoff.study.planning import plan_view
from bakeoff.training.native.load import Choice
from tests.helpers.plans import plan_for_a_known_machine, recipe_of


@pytest.fixture(autouse=True)
def _a_known_machine(monkeypatch):
    plan_for_a_known_machine(monkeypatch)


def printed(recipe, capsys):
    show(*plan_view.view(plans.plan(recipe)))
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_every_layer_is_shown_and_what_bakeoff_adds_is_marked(capsys):
    lines = printed(recipe_of(title="[bold]Two[/bold]"), capsys)
    assert lines[:4] == [
        "[bold]Two[/bold]",
        "digits: 1,149 train, 288 validation and 360 test images of 8×8×1, 10 classes; "
        "pixels from 0 to 16, divided by 16",
        "2 models × 3 seeds = 6 trials; selection: best-loss; baselines: majority, logistic",
        "Differences from about 2.6 points on are found in 80 % of such studies (360 test images; "
        "for networks that are about 97 % correct).",
    ]
    table = [line.split() for line in lines[13:20]]
    assert lines[12] == "cnn: 426 parameters (418 trainable)"
    assert table == [
        ["layer", "output", "parameters"],
        ["scale", "to", "[0,", "1]", "(added)", "8×8×1", "0"],
        ["conv2d", "4", "3×3,", "l2", "0.001", "6×6×4", "40"],
        ["batch_normalization", "6×6×4", "16"],
        ["max_pooling2d", "2", "3×3×4", "0"],
        ["flatten", "(added)", "36", "0"],
        ["dense", "10", "softmax", "(added)", "10", "370"],
    ]
    assert lines[20].startswith(
        "  4 epochs of 36 batches of 32, sgd, momentum 0.9, nesterov yes, learning rate 0.01; about"
    )
    assert lines[-1].startswith("On this machine, 2 trials at a time: about ")


def test_in_cross_validation_a_trial_is_all_its_folds_as_in_a_finished_study(capsys, monkeypatch):
    monkeypatch.setattr(plans, "trial_seconds", lambda *_, **__: 12.0)
    recipe = recipe_of({"m": {"layers": []}}, split={"folds": 5, "repeats": 3}, seeds=None)
    lines = printed(recipe, capsys)
    assert any(line.endswith("; about 60 s a trial of 5 folds") for line in lines)
    assert lines[-1].startswith("On this machine, 2 networks at a time: about ")
    document = plans.to_json(plans.plan(recipe))
    assert (document["trials"], document["networks"]) == (3, 15)
    assert document["models"][0]["seconds_per_trial"] == 60


def test_without_validation_images_none_are_counted(capsys):
    split = {"folds": 5, "repeats": 3, "validation": 0}
    recipe = recipe_of({"m": {"layers": []}}, split=split, seeds=None, selection="last")
    (said,) = [line for line in printed(recipe, capsys) if "15 networks" in line]
    assert "each trained on about 1,437 images and tested on the fold that is left out" in said


def test_a_python_builder_is_planned_without_its_layers(tmp_path, capsys):
    (tmp_path / "mine.py").write_text(
        "import keras\n"
        "def build(shape, n):\n"
        "    layers = [keras.Input(shape), keras.layers.Rescaling(1 / 255),\n"
        "              keras.layers.Flatten(),\n"
        "              keras.layers.Dense(n, 'softmax')]\n"
        "    return keras.Sequential(layers)\n"
    )
    models = {"own": {"python": f"{tmp_path}/mine.py:build"}, "line": {"layers": []}}
    lines = printed(recipe_of(models), capsys)
    path = tmp_path / "mine.py"
    said = f"own: built by {path}:build, so its layers are known only when it is built"
    assert said.replace(" ", "") in "".join(lines).replace(" ", "")  # wherever a long path is cut
    assert lines[-1] == ("No estimate of time and memory: not every model's layers are known yet.")
    text = " ".join(" ".join(lines).split())
    assert (
        "gets images of 8×8×1 with pixels in [0, 1], which it need not scale, and ends in" in text
    )
    warning = "Warning: it scales pixels once more before its first weights; remove that"
    assert warning in text
    document = plans.to_json(plans.plan(recipe_of(models)))
    assert document["models"][0]["layers"] is None
    assert document["models"][0]["remarks"] == [warning.removeprefix("Warning: ")]
    assert document["estimate"]["seconds"] is None


def test_too_little_memory_and_a_gpu_are_said(monkeypatch, capsys):
    monkeypatch.setattr(plan_view, "available_memory", lambda: 10**8)
    monkeypatch.setattr(plans, "default_device", lambda: "gpu")
    assert printed(recipe_of(), capsys)[-2:] == [
        "Only 0.1 GB of memory are free: a run trains fewer at a time.",
        "That is for the CPU; a run uses the GPU that is here, which is faster.",
    ]


def test_a_plan_says_why_it_is_slower_than_it_could_be(monkeypatch, capsys):
    recipe = recipe_of({"m": {"layers": [{"dense": 64}]}})
    remark = "there are no native kernels in this installation: install a C++ compiler"
    monkeypatch.setattr(plan_view, "choose", lambda: Choice(remark=remark))
    assert printed(recipe, capsys)[-1] == f"Slower than it could be: {remark}."
    monkeypatch.setattr(plan_view, "choose", Choice)
    assert not printed(recipe, capsys)[-1].startswith("Slower")


@pytest.mark.parametrize(
    ("sampler", "said"),
    [
        ("grid", "6 settings (grid); above stands one of them"),
        ("random", "8 settings (random), of 6 that there are (grid tries each once); above stands"),
    ],
)
def test_a_grid_is_no_larger_than_it_is(sampler, said, capsys):
    dense = {"units": {"choice": [2, 4, 8]}, "activation": {"choice": ["relu", "elu"]}}
    models = {"m": {"layers": [{"dense": dense}]}}
    recipe = recipe_of(models, search={"settings": 8, "sampler": sampler})
    assert any(f"on validation: {said}" in line for line in printed(recipe, capsys))


def test_a_search_takes_no_longer_than_its_minutes_and_one_setting(capsys):
    """It was said to try all its settings, and to take as long as they would."""
    models = {"m": {"layers": [{"dense": {"units": {"choice": [2, 4, 8]}}}]}}
    search = {"settings": 1000, "sampler": "random", "minutes": 0.5}
    limited = recipe_of(models, search=search)
    told = "at most 1,000 settings (random), of 3 that there are (grid tries each once), none begun"
    assert any(f"validation: {told} after 0.5 min; " in line for line in printed(limited, capsys))
    del search["minutes"]
    every = plans.plan(recipe_of(models, search=search)).seconds
    none = plans.plan(recipe_of({"m": {"layers": [{"dense": 4}]}})).seconds
    assert 30 < plans.plan(limited).seconds - none < 40 < every
