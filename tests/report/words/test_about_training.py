"""What the curves of training show, in sentences.

Oracle: sentences that were read aloud. Cost: 1 s.

Run: pytest tests/report/words/test_about_training.py
"""

from dataclasses import replace

import numpy as np

from bakeoff.analysis.comparison import Finding
from bakeoff.report.words.about_training import about_curves, trajectory


def history(loss, validation, *, accuracy=0.9, val_accuracy=0.8):
    epochs = len(loss)
    return {
        "epoch": np.arange(float(epochs)),
        "loss": np.array(loss),
        "accuracy": np.full(epochs, accuracy),
        "val_loss": np.array(validation),
        "val_cross_entropy": np.array(validation),
        "val_accuracy": np.full(epochs, val_accuracy),
        "learning_rate": np.full(epochs, 0.001),
    }


def test_trajectories_in_words(study):
    def said(loss, validation, *findings, failed=(), **accuracies):
        model = replace(
            study.model("mlp"),
            seeds=(0,),
            histories=(history(loss, validation, **accuracies),),
            selected_epochs=(1,),
            diverged_epochs=(None,),
            failed=failed,
        )
        return trajectory(replace(study, findings=findings), model)

    over = Finding("over-fitting", "info", "mlp", "", "")
    assert said([2.0, 1.0, 0.5], [1.0, 0.8, 1.2], over) == [
        "Training loss went from 2.000 to 0.500 in 3 epochs (mean of 1 seed); validation loss was "
        "lowest, 0.800, in epoch 1 and had risen to 1.200 by epoch 2, while training loss went on "
        "falling: the sign of over-fitting.",
        "In the selected epochs it was correct on 90.00 % of the training images and 80.00 % of "
        "the validation images: a gap of 10.00 points.",
    ]
    assert said([2.0, 1.0, 0.5], [1.0, 0.8, 0.81])[0].endswith(
        "validation loss was lowest, 0.800, in epoch 1 and stayed near it, 0.810 in epoch 2."
    )
    assert said([2.0, 1.0, 0.05], [1.0, 0.8, 0.7])[0] == (
        "Training loss went from 2.000 to 0.0500 in 3 epochs (mean of 1 seed); validation loss was "
        "lowest, 0.700, in the last epoch, so more epochs might still have helped."
    )
    assert said([2.303, 2.302], [2.302, 2.301], failed=(0,))[0].endswith(
        "validation loss was lowest, 2.301, in the last epoch."
    )
    assert said([2.0, 1.0], [1.0, 0.8], accuracy=0.7)[1].endswith(
        "a gap of −10.00 points (training accuracy is measured during the epoch, with any dropout "
        "and augmentation at work)."
    )


def test_of_a_diverged_seed_only_the_losses_that_are_numbers_are_in_the_mean(study):
    ends = history([3.0, np.nan], [3.0, np.nan])
    model = replace(
        study.model("mlp"),
        seeds=(0, 1),
        histories=(history([2.0, 1.0], [2.0, 1.0]), ends),
        selected_epochs=(1, 0),
        diverged=(1,),
        diverged_epochs=(None, 1),
    )
    assert trajectory(study, model)[0].startswith(
        "Training loss went from 2.500 to 1.000 in 2 epochs (mean of those of 2 seeds whose loss "
        "was a number); "
    )


def test_a_diverged_seed_is_named_with_its_epoch(study):
    mlp = study.model("mlp")
    model = replace(mlp, diverged=(2,), diverged_epochs=(None, None, 3))
    assert trajectory(study, model)[-1] == (
        "Seed 2 diverged in epoch 3: its loss was no longer a number, and its last finite weights "
        "were kept."
    )
    assert not any("diverged" in text for text in trajectory(study, mlp))


def test_it_is_said_which_images_the_curves_were_measured_on(study, unvalidated):
    assert about_curves(study) == "Measured on the validation images after each epoch."
    assert about_curves(unvalidated) == (
        "Measured on the training images during each epoch: there are no validation images."
    )
    first, some = unvalidated.models[0], study.models[1:]
    assert about_curves(replace(study, models=(first, *some))) == (
        f"Measured on the training images during each epoch: for {first.name}; for the others on "
        "the validation images after each epoch."
    )
