"""What a reader takes away: the headline and its reason, cautions, and the line under a table.

Oracle: by hand; of 3 runs that failed the rate is at least 0.05^(1/3) = 36 %. Cost: 1 s.

Run: pytest tests/report/words/test_conclusion.py
"""

from dataclasses import replace

import pytest

from bakeoff.analysis.comparison import Finding
from bakeoff.analysis.recommendation import Headline
from bakeoff.analysis.verdicts import Look
from bakeoff.report.words.conclusion import (
    cautions,
    footer,
    headline,
    mark,
    reason,
    times_opened,
)


def test_a_baseline_has_its_whole_name_in_the_headline(study):
    parts = ("No model is shown to be better than the baseline ", "logistic", ".", "Reason")
    level = Headline("a baseline does as well", None, ("logistic", "cnn"), *parts)
    assert headline(replace(study, headline=level)) == (
        "No model is shown to be better than the baseline ", "logistic regression", ".",
    )  # fmt: skip
    use = Headline("use", "logistic", ("logistic",), "Use ", "logistic", ".", "")
    assert headline(replace(study, headline=use)) == ("Use ", "logistic", ".")


def test_without_a_score_there_is_no_answer(study):
    nothing = replace(study, headline=None)
    assert headline(nothing) == ("Nothing has been scored yet.", "", "")
    assert (reason(nothing), mark(nothing)) == ("", "scored highest")


def test_the_reason_is_a_sentence_and_only_a_model_to_use_is_recommended(study):
    assert (headline(study), mark(study)) == (("Use ", "tiny", "."), "recommended")
    said = replace(study.headline, reason="It is the smallest")
    assert reason(replace(study, headline=said)) == "It is the smallest."
    level = replace(study.headline, case="a baseline does as well")
    assert mark(replace(study, headline=level)) == "scored highest"


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({}, []),
        (
            {"changed": ("cnn seed 1 (replaced)",)},
            ["Exploratory, and not all that was opened: left out are cnn seed 1 (replaced)."],
        ),
        (
            {"test_openings": 2},
            [
                "Exploratory: the test set was opened 2 times, so these verdicts were not decided "
                "before the test images were seen."
            ],
        ),
        (
            {"test_openings": 4, "planned_openings": 3, "look": Look(3, (3, 4, 5))},
            [
                "Exploratory: the test set was opened 4 times, 3 of them as the looks that were "
                "declared, so these verdicts were not decided before the test images were seen."
            ],
        ),
        (
            {"openings_elsewhere": 1, "shared_elsewhere": 1.0},
            ["Other studies of yours opened this same test set 1 time."],
        ),
        (
            {"openings_elsewhere": 6, "shared_elsewhere": 1.0, "partly_elsewhere": True},
            ["Other studies of yours opened this same test set, or a part of it, 6 times."],
        ),
        (
            {"openings_elsewhere": 2, "shared_elsewhere": 0.5},
            ["Other studies of yours opened some of its images 2 times."],
        ),
        (
            {"missing": ("cnn seed 1", "mlp seed 0")},
            ["Missing, and therefore not counted: cnn seed 1 and mlp seed 0."],
        ),
    ],
)
def test_what_a_reader_must_know_before_believing_it(study, known, said):
    assert cautions(replace(study, **known)) == said


def test_of_failed_runs_the_mean_is_told_with_them_and_without(study):
    mlp = study.model("mlp")

    def said(**known):
        return cautions(replace(study, models=(replace(mlp, **known),)))

    assert said(diverged=(0, 1, 2)) == ["mlp: training diverged with seeds 0–2."]
    told = (
        "mlp: 1 of 3 runs failed (seed 2; the failure rate lies in 0–91 %). Its mean accuracy is "
        "90.50 %"
    )
    assert said(failed=(2,), sound_accuracy=0.9025) == [
        f"{told} with them and 90.25 % without; verdicts count all runs."
    ]
    assert said(failed=(0, 1, 2), sound_accuracy=None) == [
        "mlp: 3 of 3 runs failed (seeds 0–2; the failure rate lies in 36–100 %). Its mean accuracy "
        "is 90.50 %, and no other run is left; verdicts count all runs."
    ]


def test_beside_findings_it_is_not_said_again(study):
    failed = replace(study.model("mlp"), diverged=(2,), failed=(2,))
    elsewhere = Finding("opened-elsewhere", "warning", None, "", "")
    known = {"openings_elsewhere": 2, "shared_elsewhere": 1.0, "models": (failed,)}
    told = replace(study, **known, findings=(elsewhere,), missing=("mlp seed 1",))
    assert cautions(told, found=True) == ["Missing, and therefore not counted: mlp seed 1."]
    assert len(cautions(told)) == 4
    unsaid = cautions(replace(told, findings=()), found=True)
    assert unsaid[0] == "Other studies of yours opened this same test set 2 times."


def test_the_line_under_a_table_says_what_the_numbers_rest_on(study):
    assert footer(study) == "digits: 4,000 test images, 3 seeds; test set opened once."
    assert footer(replace(study, test_openings=2)) == (
        "digits: 4,000 test images, 3 seeds; test set opened 2 times; verdicts are exploratory."
    )
    folds = replace(study, data={**study.data, "folds": 5})
    assert footer(folds) == (
        "digits: 4,000 images, each tested by networks that had not seen it, 3 repeats of 5 folds; "
        "models trained on 4/5 of the images; all images opened once."
    )


def test_a_declared_look_is_told_with_its_seeds(study):
    look = {"look": Look(2, (3, 4, 5)), "planned_openings": 3, "test_openings": 2}
    assert times_opened(replace(study, **look)) == (
        "at look 2 of 3, as declared (after 3, 4 and 5 seeds)"
    )
    assert times_opened(replace(study, **{**look, "test_openings": 4})) == "4 times"
