"""Pictures and numbers of data sets against pixels set by hand, and MNIST's known image 1918; 3 s.

Run: pytest tests/cli/test_look.py
"""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from bakeoff.cli import look, main
from bakeoff.cli.look import Loaded, Picture, numbers
from bakeoff.cli.new import new
from bakeoff.data import DataSet, own_parts
from bakeoff.errors import RecipeError, StorageError, UsageError
from tests.helpers.disks import largest_file


@pytest.fixture
def tiny():
    """Six images of 2 × 4 of two classes, the last two for test."""
    images = np.arange(6 * 2 * 4, dtype=np.uint8).reshape(6, 2, 4, 1)
    labels = np.array([1, 0, 0, 1, 0, 1])
    data = DataSet("tiny", images, labels, ("cat", "dog"), 47.0, 4, ("skipped 1 broken file: x",))
    return Loaded(data, {"train": np.arange(4), "test": np.arange(4, 6)}, False)


def printed(renderables, *, width=80, color_system=None):
    console = Console(
        width=width,
        file=io.StringIO(),
        color_system=color_system,
        force_terminal=color_system is not None,
        legacy_windows=False,
        _environ={},
    )
    for each in renderables:
        console.print(each, highlight=False, soft_wrap=isinstance(each, str))
    return console.file.getvalue()


# ── what is looked at ────────────────────────────────────────────────────────────────────────


def test_a_name_a_folder_a_file_or_a_recipe(tmp_path, digits):
    for kind in ("cat", "dog"):
        (tmp_path / "pets" / kind).mkdir(parents=True)
        Image.new("L", (5, 5), 200).save(tmp_path / "pets" / kind / "1.png")
    np.savez(tmp_path / "a.npz", x=np.zeros((4, 3, 3)), y=np.array([0, 1, 0, 1]))
    (tmp_path / "r.yaml").write_text("{name: r, data: digits, models: {m: {layers: []}}}")
    assert look.load("digits").data.hash == digits.hash
    assert look.load(str(tmp_path / "pets")).data.class_names == ("cat", "dog")
    assert look.load(str(tmp_path / "a.npz")).data.input_shape == (3, 3, 1)
    assert set(look.load("digits").parts) == {"all"}
    assert set(look.load(str(tmp_path / "r.yaml")).parts) == {"train", "validation", "test"}
    (tmp_path / "pets" / "study.json").touch()
    with pytest.raises(RecipeError, match=r"a study's folder; its recipe is .*/pets/recipe\.yaml$"):
        look.load(str(tmp_path / "pets"))


# ── the whole ────────────────────────────────────────────────────────────────────────────────


def test_the_overview_counts_and_leaves_the_test_images_alone(tiny):
    lines = printed(look.overview(tiny)).splitlines()
    assert lines[:2] == [
        "tiny: 4 train and 2 test images of 2×4×1, 2 classes; pixels from 0 to 47, divided by 47",
        "skipped 1 broken file: x",
    ]
    table = [line.split() for line in lines[3:7]]
    assert table == [
        ["class", "train", "test"],
        ["cat", "2", "1"],
        ["dog", "2", "1"],
        ["all", "4", "2"],
    ]
    grid = [line.split() for line in lines[8:-1]]
    assert [row[-2:] for row in grid[1::2]] == [["1", "2"], ["0", "3"]]
    assert lines[-1].endswith("Shown are training images; the test images are left alone.")


def test_without_a_test_part_it_says_so(digits):
    lines = printed(look.overview(look.load("digits"))).splitlines()
    assert lines[0] == (
        "digits: 1,797 images of 8×8×1, 10 classes; pixels from 0 to 16, divided by 16"
    )
    assert lines[2].split() == ["class", "images"]
    assert "There is no test part yet" in lines[-1]


def test_with_a_validation_part_alone_the_test_images_are_not_left_alone(tiny):
    """They are drawn of those that are shown, later: it was said that they are not."""
    data = replace(tiny.data, test_start=None, validation_start=4)
    lines = printed(look.overview(Loaded(data, own_parts(data), False))).splitlines()
    assert lines[0].startswith("tiny: 4 train and 2 validation images of 2×4×1")
    assert lines[-1].endswith(
        "There is no test part yet: a recipe's split draws one, some of these perhaps."
    )


def test_no_line_is_wider_than_the_window(digits):
    for width in (40, 80, 200):
        text = printed(look.overview(look.load("digits")), width=width)
        assert max(map(len, text.splitlines()[1:-1])) <= width


# ── one image ────────────────────────────────────────────────────────────────────────────────


def test_numbers_are_aligned():
    assert numbers(np.array([[0, 255], [7, 30]], dtype=np.uint8)) == "  0 255\n  7  30"
    assert numbers(np.array([[0.5, 1.0]], dtype=np.float32)) == "0.50 1.00"


def test_an_image_of_the_test_part_says_so(tiny):
    text = printed(look.image(tiny, 5))
    assert text.splitlines()[:2] == [
        "tiny image 5: dog (test part)",
        "A test image. Looking trains nothing, but what you decide after looking has used it.",
    ]
    assert text.endswith("40 41 42 43\n44 45 46 47\n")
    assert "A test image" not in printed(look.image(tiny, 0))


def test_a_colour_image_is_printed_channel_by_channel():
    images = np.zeros((2, 1, 2, 3), dtype=np.uint8)
    images[0, 0, 1] = (10, 20, 30)
    data = DataSet("rgb", images, np.array([0, 1]), ("a", "b"), 255.0, None)
    text = printed(look.image(Loaded(data, {"all": np.arange(2)}, False), 0))
    assert text.endswith("red:\n 0 10\ngreen:\n 0 20\nblue:\n 0 30\n")


@pytest.mark.parametrize("position", [-1, 6])
def test_there_is_no_such_image(tiny, position):
    with pytest.raises(UsageError, match="--image: expected a position from 0 to 5, found"):
        look.image(tiny, position)


def test_a_picture_without_colours_is_a_ramp_from_dark_to_light():
    pixels = np.array([[0, 255, 128], [0, 255, 128]], dtype=np.uint8)
    picture = Picture(np.repeat(pixels[..., None], 3, axis=2), 64)
    assert printed([picture]) == " @+\n"


def test_a_picture_in_colours_has_two_pixels_in_a_character():
    pixels = np.zeros((3, 1, 3), dtype=np.uint8)
    pixels[0] = (1, 2, 3)
    pixels[1] = (4, 5, 6)
    pixels[2] = (7, 8, 9)
    drawn = printed([Picture(pixels, 64)], color_system="truecolor")
    assert drawn == ("\x1b[38;2;1;2;3;48;2;4;5;6m▀\x1b[0m\n\x1b[38;2;7;8;9;48;2;0;0;0m▀\x1b[0m\n")


def test_a_large_picture_is_averaged():
    pixels = np.zeros((4, 4, 3), dtype=np.uint8)
    pixels[:2, :2] = 200
    pixels[0, 0] = 0
    drawn = printed([Picture(pixels, 2)], color_system="truecolor")
    assert drawn.startswith("\x1b[38;2;150;150;150;48;2;0;0;0m▀")


# ── a file ───────────────────────────────────────────────────────────────────────────────────


def test_saving_one_image_and_the_grid(tiny, tmp_path):
    look.save(tiny, tmp_path / "one.png", position=5)
    with Image.open(tmp_path / "one.png") as image:
        assert image.size == (320, 160)
        assert image.getpixel((319, 159)) == (255, 255, 255)
    look.save(tiny, tmp_path / "all.png")
    with Image.open(tmp_path / "all.png") as image:
        factor = 320 // 46
        assert image.size == (46 * factor, 6 * factor)
        pixels = np.asarray(image)[::factor, ::factor]
    expected = np.full((6, 46, 3), 255, np.uint8)
    for label, positions in enumerate(([1, 2], [0, 3])):  # of training, class by class
        for column, position in enumerate(positions):
            grey = np.round(tiny.data.images[position] / 47 * 255)
            expected[4 * label : 4 * label + 2, 6 * column : 6 * column + 4] = grey
    np.testing.assert_array_equal(pixels, expected)


def test_a_picture_that_the_disk_has_no_room_for_is_not_begun(tiny, tmp_path):
    with largest_file(100), pytest.raises(StorageError, match=r"one\.png: file too large: "):
        look.save(tiny, tmp_path / "one.png", position=5)
    assert list(tmp_path.iterdir()) == []


def test_saving_refuses_what_it_should(tiny, tmp_path):
    (tmp_path / "there.png").touch()
    for name, message in (
        ("a.jpg", "--save: expected a name that ends in .png, found"),
        ("there.png", "--save: expected a new file, found"),
        ("no/a.png", "--save: expected a folder to save in, found no"),
    ):
        with pytest.raises(UsageError, match=message):
            look.save(tiny, tmp_path / name)
    with pytest.raises(UsageError, match="--image: expected a position from 0 to 5, found 6"):
        look.save(tiny, tmp_path / "b.png", position=6)
    assert [path.name for path in tmp_path.iterdir()] == ["there.png"]


# ── the documents' own figures ───────────────────────────────────────────────────────────────


def test_image_1918_of_mnist(mnist, capsys):
    assert main(["look", "mnist", "--image", "1918"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "mnist image 1918: 6 (train part)"
    matrix = [[int(cell) for cell in line.split()] for line in lines[-28:]]
    assert matrix[5][:14] == [0, 0, 0, 0, 0, 0, 0, 6, 160, 252, 252, 252, 211, 0]
    assert np.array_equal(matrix, mnist.images[1918, ..., 0])


def test_the_class_counts_of_mnist(mnist, capsys):
    assert main(["look", "mnist"]) == 0
    lines = capsys.readouterr().out.splitlines()
    counts = [line.split()[1] for line in lines[3:13]]
    expected = "5,923 6,742 5,958 6,131 5,842 5,421 5,918 6,265 5,851 5,949"
    assert counts == expected.split()


def test_pictures_that_stand_twice_are_named_by_their_files(tmp_path, rng):
    for number, name in enumerate(("cat/1", "cat/2", "dog/1", "dog/7", "dog/8")):
        path = tmp_path / "pets" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (30, 20), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        if number in (0, 2):
            (path.parent / "9.png").write_bytes(path.read_bytes())
    (tmp_path / "pets/dog/3.png").write_bytes((tmp_path / "pets/cat/2.png").read_bytes())
    lines = printed(look.overview(look.load(str(tmp_path / "pets")))).splitlines()
    assert lines[:7] == [
        "pets: 8 images of 30×20×1, 2 classes; pixels from 0 to 255, divided by 255",
        "All pictures looked at are 30×20; they are brought to 30×20×1.",
        "1 picture also found under another class, such as cat/2.png (cat) and dog/3.png (dog): "
        "the pixels are the same, so one of the labels is wrong",
        "3 images stand more than once, 1 of them in several classes:",
        "  cat/2.png (cat) = dog/3.png (dog)",
        "  cat/1.png (cat) = cat/9.png (cat)",
        "  dog/1.png (dog) = dog/9.png (dog)",
    ]


def test_of_many_copies_a_few_are_named_and_the_others_counted(tmp_path, rng):
    for number in range(7):
        for name in ("cat", "dog"):
            path = tmp_path / "pets" / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            value = 200 if name == "cat" else 100 + number
            Image.new("L", (8, 8), value).save(path)
    lines = printed(look.overview(look.load(str(tmp_path / "pets"))), width=120).splitlines()
    named = " = ".join(f"cat/{number}.png (cat)" for number in range(4))
    assert f"  {named} and 3 more" in lines


def test_pixels_that_differ_by_less_than_a_byte_are_no_copies(rng):
    images = (0.5 + rng.random((6, 4, 4, 1)) / 1000).astype(np.float32)
    data = DataSet("faint", images, np.arange(6) % 2, ("cat", "dog"), 1.0, None)
    assert "more than once" not in printed(look.overview(Loaded(data, own_parts(data), False)))


def test_a_folder_called_like_a_published_set_is_noted(tmp_path, rng, monkeypatch):
    """One's own photographs of digits: what is looked at are scikit-learn's."""
    monkeypatch.chdir(tmp_path)
    assert look.load("digits").data.notes == ()
    for name in ("a", "b"):
        (tmp_path / "digits" / name).mkdir(parents=True)
        pixels = rng.integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "digits" / name / "1.png")
    note = "digits is the published data set, not the folder here: for that, write ./digits"
    assert look.load("digits").data.notes == (note,)
    assert new("digits", folder=tmp_path).notes == (note,)
    assert look.load("./digits").data.class_names == ("a", "b")
