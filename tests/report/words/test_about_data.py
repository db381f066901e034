"""What the data are, in sentences.

Oracle: by hand, and sentences that were read aloud. Cost: 1 s.

Run: pytest tests/report/words/test_about_data.py
"""

from dataclasses import replace

from bakeoff.report.words.about_data import about_data, twins


def test_classes_and_the_size_of_images(study):
    assert about_data(study) == (
        "10 classes, every image at 8 × 8 pixels, grey. No image stands in two parts of "
        "the split, exactly or nearly."
    )
    assert twins(study) == []
    for shape, said in (([8, 12, 3], "8 × 12 pixels, in colour. "), ([8, 8, 2], " of 2 values. ")):
        data = {**study.data, "input_shape": shape}
        assert said in about_data(replace(study, data=data))
    assert about_data(replace(study, data={}, class_names=("a",))).startswith("1 class. No image ")


def test_copies_in_two_parts_are_counted_and_named(study):
    copies = {"exact": {"train-test": 1}, "near": {"train-validation": 2}}
    twin = {"kind": "exact", "parts": "train-test", "files": ["rose/a.jpg", "rose/b.jpg"]}
    twice = replace(study, duplicates=copies, data={**study.data, "twins": [twin]})
    assert about_data(twice).endswith(
        "1 test image has an exact copy in the training part. 2 validation images have a near-copy "
        "in the training part."
    )
    assert twins(twice) == ["rose/b.jpg (test) is rose/a.jpg (training)."]
    folds = replace(
        twice,
        data={**twice.data, "folds": 5},
        duplicates={"exact": {"train-test": 2}, "near": {"train-test": 0}},
    )
    assert about_data(folds).endswith("2 images have an exact copy in another fold.")
    assert twins(folds) == ["rose/b.jpg is rose/a.jpg, in another fold."]
    near = {**twin, "kind": "near"}
    assert twins(replace(twice, data={**twice.data, "twins": [near]})) == [
        "rose/b.jpg (test) is nearly rose/a.jpg (training)."
    ]
    none = replace(folds, duplicates={})
    assert about_data(none).endswith(" No image stands in two folds, exactly or nearly.")


def test_of_several_studies_the_numbers_are_those_of_the_first(study):
    several = replace(study, folders=2 * study.folders)
    assert (
        "Numbers of training and validation images are those of the first study; what all studies "
        "share is the test images. No image stands"
    ) in about_data(several)
