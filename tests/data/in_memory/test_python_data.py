"""Data given in Python: arrays, mappings, frames, and objects that act like torch's and tf.data's.

Oracle: the same digits in every dress give the same images and labels. Cost: 3 s.
Run: pytest tests/data/in_memory/test_python_data.py
"""

import enum
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from bakeoff.data.in_memory.python_data import from_python
from bakeoff.errors import DataError
from tests.helpers.arrays import from_arrays


@pytest.fixture(scope="module")
def arrays(digits):
    return digits.images[:60, ..., 0], digits.labels[:60]


class Torch:
    """A map-style data set: (image of shape (1, h, w) in [0, 1], label)."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.x)

    def __getitem__(self, place):
        return self.x[place][None] / np.float32(16), int(self.y[place])


class Rows(Torch):
    """Rows as Hugging Face's data sets give them, with Pillow's images."""

    def __getitem__(self, place):
        return {"image": Image.fromarray(self.x[place] * 15), "label": int(self.y[place])}


class Flow:
    """Batches, as tf.data gives them."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def as_numpy_iterator(self):
        for start in range(0, len(self.x), 32):
            yield self.x[start : start + 32, ..., None], self.y[start : start + 32]


class Tensor:
    """What a tensor of torch can do."""

    def __init__(self, values):
        self.values = values

    shape = property(lambda self: self.values.shape)
    dtype = property(lambda self: self.values.dtype)

    def detach(self):
        return self

    def cpu(self):
        return self.values


def test_all_dresses_give_the_same(arrays):
    x, y = arrays
    expected = from_arrays("arrays", x, y)
    for given in (
        (x, y),
        [x, y],
        {"images": x, "labels": y},
        {"data": x.reshape(60, 64), "images": x, "target": y, "DESCR": "text"},
        (Tensor(x), Tensor(y)),
        (x.tolist(), y.tolist()),
        Torch(x, y),
        Rows(x, y),
        Flow(x, y),
        expected,
    ):
        data = from_python(given)
        white = 255 / 15 if isinstance(given, Rows) else expected.maximum  # times 15, as pictures
        np.testing.assert_allclose(data.images / data.maximum, expected.images / white, rtol=1e-6)
        np.testing.assert_array_equal(data.labels, y)


def test_fractions_of_items_keep_their_digits(rng):
    x = rng.random((12, 4, 4), np.float32)
    x[0] = 1
    data = from_python([(image, k % 2) for k, image in enumerate(x)])
    np.testing.assert_array_equal(data.images[..., 0], x)


def test_a_mapping_may_state_the_scale(arrays):
    """Percent in bytes would be taken for dark pictures of up to 255."""
    x, y = arrays
    percent = (x / 16 * 100).astype(np.uint8)
    data = from_python({"x": percent, "y": y, "scale": 100})
    assert (data.maximum, data.notes) == (100, ())
    with pytest.raises(DataError, match=r"^scale: expected a number above 0, found -1$"):
        from_python({"x": percent, "y": y, "scale": -1})


def test_parts(arrays):
    x, y = arrays
    four = from_python((x[:40], y[:40], x[40:], y[40:]))
    for given in (
        ((x[:40], y[:40]), (x[40:], y[40:])),  # keras.datasets.mnist.load_data()
        (x[:40], x[40:], y[:40], y[40:]),  # train_test_split
        (x[:40].reshape(40, 64), x[40:].reshape(20, 64), y[:40], y[40:]),
        {"x_train": x[:40], "y_train": y[:40], "x_test": x[40:], "y_test": y[40:]},
    ):
        assert from_python(given).hash == four.hash
    six = from_python((x[:30], y[:30], x[30:40], y[30:40], x[40:], y[40:]))
    assert (six.validation_start, six.test_start) == (30, 40)
    assert six.hash != four.hash
    apart = (x[:30], x[30:40], x[40:], y[:30], y[30:40], y[40:])
    assert from_python(apart).hash == six.hash


def test_a_missing_label_among_words_is_no_class(arrays):
    """NumPy makes the word nan of it."""
    pandas = pytest.importorskip("pandas")
    x, _ = arrays
    words = ["a", "b", float("nan"), "b"] * 15
    for labels in (words, np.array(words), pandas.Series(words), [each or None for each in words]):
        with pytest.raises(DataError, match=r"found 15 images without one, the first at \[2\]"):
            from_python((x, labels))
    with pytest.raises(DataError, match="found 15 images without one"):
        from_python(list(zip(x, words, strict=True)))


def test_a_frame_of_paths_and_labels(tmp_path, arrays):
    pandas = pytest.importorskip("pandas")
    x, y = arrays
    for number in range(20):
        Image.fromarray(x[number] * 15).save(tmp_path / f"{number}.png")
    paths = [tmp_path / f"{number}.png" for number in range(20)]
    frame = pandas.DataFrame({"path": paths, "label": [f"class {each}" for each in y[:20]]})
    data = from_python(frame)
    assert data.input_shape == (8, 8, 1)
    np.testing.assert_array_equal(data.labels, y[:20])
    assert data.notes == ("All pictures looked at are 8×8",)
    for name in ("image", "image_id"):  # HAM10000's metadata, with the paths added
        beside = frame.assign(**{name: [f"ISIC_{number}" for number in range(20)]})
        np.testing.assert_array_equal(from_python(beside).images, data.images)
    other = frame.rename(columns={"path": "image_name"}).assign(age=7, id=range(20))  # as in a CSV
    np.testing.assert_array_equal(from_python(other).labels, y[:20])
    valid = from_python(frame.assign(is_valid=False))
    assert valid.notes[1:] == ("ignored the columns is_valid",)
    with pytest.raises(DataError, match="expected a frame with the columns path and label"):
        from_python(frame.rename(columns={"label": "a", "path": "b"}).assign(c=1))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (3, "data: expected (x, y), (x_train, y_train, x_test, y_test), a mapping of arrays, a "),
        ((np.zeros(3),), "data: expected (x, y), "),
        ([(np.zeros((4, 4)), 1), (np.zeros((4, 5)), 0)] * 9, "data: expected images of one shape"),
        ({"x": np.zeros((3, 4, 4))}, "expected the arrays x and y"),
        (iter([]), "data: expected images and labels, found none"),
        (iter([1]), "data: expected (image, label) in every item, found int: give such pairs"),
    ],
)
def test_refusals(value, message):
    with pytest.raises(DataError) as error:
        from_python(value)
    assert str(error.value).startswith(message)


class Items:
    """A data set of torch's kind."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        if self.items[index] is None:
            raise ValueError("no such picture")
        return self.items[index]


def test_an_image_as_high_as_its_one_hot_label_is_long_is_no_batch():
    images = np.arange(8 * 8 * 8 * 3).reshape(8, 8, 8, 3) % 255
    data = from_python(Items(list(zip(images, np.eye(8), strict=True))))
    assert (data.images.shape, data.labels.tolist()) == ((8, 8, 8, 3), list(range(8)))
    batch = Items([(images[:4], np.eye(8)[:4]), (images[4:], np.eye(8)[4:])])
    np.testing.assert_array_equal(from_python(batch).images, data.images)


def test_transparent_pictures_lie_on_white():
    clear = Image.new("RGBA", (4, 4))
    clear.putpixel((0, 0), (255, 0, 0, 255))
    data = from_python(Items([(clear, 0), (Image.new("LA", (4, 4)).convert("RGBA"), 1)]))
    assert data.images[0, 0, :2].tolist() == [[255, 0, 0], [255, 255, 255]]


def test_a_frame_may_say_the_parts_and_must_not_lack_labels(tmp_path, arrays):
    pandas = pytest.importorskip("pandas")
    for number in range(6):
        Image.fromarray(arrays[0][number] * 15).save(tmp_path / f"{number}.png")
    paths = [str(tmp_path / f"{number}.png") for number in range(6)]
    frame = pandas.DataFrame(
        {"path": paths, "label": [0.0, 1.0] * 3, "split": ["train"] * 4 + ["test"] * 2}
    )
    data = from_python(frame)
    assert (data.test_start, data.class_names) == (4, ("0", "1"))
    assert data.notes[-1] == "read from the column split (parts)"
    frame.loc[1, "label"] = None
    with pytest.raises(DataError) as error:
        from_python(frame.drop(columns="split"))
    assert str(error.value) == (
        "labels: expected a label for every image, found 1 image without one, the first of "
        f"{paths[1]}: label it, or leave it out"
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            (
                np.ma.masked_array(
                    np.ones((2, 4, 4)), mask=np.eye(4)[None] > 0 * np.ones((2, 1, 1))
                ),
                [0, 1],
            ),
            "data: expected arrays without gaps, found one with masked values: fill them "
            "(x.filled(0)), or leave those images out",
        ),
        (
            ([np.zeros((4, 4)), np.zeros((4, 5))], [0, 1]),
            "data: expected arrays, found a list of things of several shapes: give images of one "
            "shape as one array, apart from their labels",
        ),
        (
            Items([(np.zeros((4, 4)), 0), None]),
            "data: expected (image, label) in every item, found ValueError at item 1 (no such "
            "picture): mend or leave it out",
        ),
    ],
)
def test_what_would_be_read_wrong_or_raise_something_else(value, message):
    with pytest.raises(DataError) as error:
        from_python(value)
    assert str(error.value) == message


def test_text_as_h5py_gives_it_is_labels():
    labels = np.array([b"cat", b"dog", b"dog", b"cat"], dtype=object)
    found = from_python((np.zeros((4, 2, 2), np.uint8), labels))
    assert found.class_names == ("cat", "dog")


def test_whole_numbers_kept_as_objects_are_labels():
    labels = np.array([0, 1, 1, 0], dtype=object)
    assert from_python((np.ones((4, 3, 3)), labels)).labels.tolist() == [0, 1, 1, 0]


def test_members_of_an_enum_are_labels_by_their_values():
    x = np.arange(0, 252, 7, dtype=np.uint8).reshape(4, 3, 3)
    number = enum.Enum("number", "ONE TWO")
    text = enum.Enum("text", {"CAT": "kitten", "CAR": "car"}, type=str)
    labels = [text.CAT, text.CAR, text.CAR, text.CAT]
    for given in (
        (x, labels),
        (x, np.array(labels, object)),
        list(zip(x, labels, strict=True)) * 2,
    ):
        assert from_python(given).class_names == ("car", "kitten")
    assert from_python((x, [number.ONE, number.TWO] * 2)).class_names == ("1", "2")


@pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="NumPy 1 has no StringDType")
def test_text_of_any_length_is_labels():
    x = np.arange(0, 252, 7, dtype=np.uint8).reshape(4, 3, 3)
    labels = np.array(["a", "bb", "a", "bb"], dtype=np.dtypes.StringDType())
    assert from_python((x, labels)).class_names == ("a", "bb")


@pytest.mark.parametrize(
    ("names", "cure"),
    [
        (
            ("pics", "kinds"),
            "say which they are, as in {'x': data['NAME'], 'y': data['NAME']}",
        ),
        (
            ("x_train", "y_train", "x_val", "y_val"),
            "to test on x_val, write {'x_train': data['x_train'], 'y_train': data['y_train'], "
            "'x_test': data['x_val'], 'y_test': data['y_val']}; to have a test part drawn from "
            "all of x_train, write {'x': data['x_train'], 'y': data['y_train']}",
        ),
        (
            ("x_train", "y_train", "x_test"),
            "name those to use, as in {'x': data['NAME'], 'y': data['NAME']}",
        ),
        (
            ("inputs", "data", "label"),
            "say which it is, as in {'x': data['inputs'], 'y': data['NAME']}",
        ),
    ],
)
def test_what_to_do_about_a_mapping_is_said_in_python(arrays, names, cure):
    """It was said in a recipe's words: {npz: …, keys: …}."""
    images, labels = arrays
    given = {name: labels if name[0] in "ykl" else images for name in names}
    with pytest.raises(DataError) as error:
        from_python(given)
    assert str(error.value).partition(": ")[2] == cure


def test_a_mapping_without_arrays_is_told_what_it_may_hold(arrays):
    """As Hugging Face's DatasetDict."""
    with pytest.raises(DataError, match=r"^data: expected .*, found a mapping with train and test"):
        from_python({part: list(zip(*arrays, strict=True)) for part in ("train", "test")})


def test_a_frame_of_images_is_no_frame_of_paths(arrays):
    """The file was looked for by all the numbers of an image: OSError."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"image": list(arrays[0] * 15), "label": arrays[1]})
    with pytest.raises(DataError) as error:
        from_python(frame)
    assert str(error.value) == (
        "data: expected the paths of files in the column image, found ndarray: give images and "
        "labels as (list(frame['image']), frame['label'])"
    )
    assert from_python((list(frame["image"]), frame["label"])).input_shape == (8, 8, 1)
    frame["image"] = "x" * 5000
    with pytest.raises(DataError, match="expected files in the column image, found no …xxx"):
        from_python(frame)


def test_several_data_sets_are_told_what_to_do(arrays):
    """(train, test) as torchvision and tfds give them: they were lists of several shapes."""
    with pytest.raises(DataError) as error:
        from_python((Torch(*arrays), Torch(*arrays)))
    assert str(error.value) == (
        "data: expected one data set, found 2: give the one of training images alone, and "
        "split.test takes a test part from it; or read the images and labels of all into arrays, "
        "(x_train, y_train, x_test, y_test)"
    )
    with pytest.raises(DataError, match="set, found a mapping with train and test: give the one"):
        from_python({"train": Torch(*arrays), "test": Torch(*arrays)})  # as a DatasetDict


def test_what_fetch_openml_gives(arrays):
    """Its `categories` and `target_names` name no classes: it was refused for other objects."""
    x, y = arrays
    labels = np.array([str(each) for each in y], dtype=object)
    given = {"data": x.reshape(len(x), -1), "target": labels, "target_names": ["class"]}
    data = from_python({**given, "categories": {}, "frame": None, "feature_names": ["pixel1"]})
    assert np.array_equal(data.labels, y)
    assert data.class_names == tuple("0123456789")


def test_a_missing_label_is_no_class(arrays):
    """STL-10's unlabelled images, whose label is -1, were a class, and the names were lost."""
    x, y = arrays
    given = Torch(x, np.where(y == 0, -1, y))
    given.classes = list("abcdefghij")
    with pytest.raises(DataError) as error:
        from_python(given)
    assert str(error.value) == (
        f"labels: expected 0 to 9, as there are names of classes, found -1 for {sum(y == 0)} "
        "images, which says that there is no label: leave these out"
    )


class Column(Sequence):
    """A column as Hugging Face's datasets gives it since version 4: a sequence, and no array."""

    def __init__(self, values):
        self.values = values

    def __len__(self):
        return len(self.values)

    def __getitem__(self, index):
        return self.values[index]


def test_columns_of_a_data_set_are_images_and_labels(arrays):
    x, y = arrays
    pictures = [Image.fromarray(each * 15) for each in x[:20]]
    data = from_python((Column(pictures), Column(y[:20].tolist())))
    np.testing.assert_array_equal(data.images[..., 0], x[:20] * 15)


@pytest.mark.parametrize("names", [{"cat": 0, "dog": 1}, ["a"], {0: "cat", 1: "dog"}], ids=str)
def test_names_of_classes_that_do_not_fit_are_not_dropped(arrays, names):
    x, y = arrays
    with pytest.raises(DataError):
        from_python({"x": x[:20], "y": y[:20] % 2, "class_names": names})


def test_labels_of_minus_one_and_one_may_have_names(arrays):
    class Given:
        classes = ("neg", "pos")
        data, targets = arrays[0][:20], np.tile([-1, 1], 10)

        def __len__(self):
            return 20

        def __getitem__(self, index):
            return self.data[index], self.targets[index]

    assert from_python(Given()).class_names == ("-1", "1")


def test_a_row_of_no_class_is_told(arrays):
    rows = np.eye(2, dtype=int)[arrays[1][:20] % 2]
    rows[3] = 0
    with pytest.raises(DataError, match=r"with rows of no class: leave these images out$"):
        from_python((arrays[0][:20], rows))
