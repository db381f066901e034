"""What `bakeoff new` writes: it loads, fits the data, counts right, and overwrites nothing; 3 s.

That such a recipe also runs is tested with the folder of images below, for one epoch.
Run: pytest tests/cli/test_new.py
"""

import re
import sys

import numpy as np
import pytest
from PIL import Image

from bakeoff import recipe as recipes
from bakeoff.cli import first_models, main
from bakeoff.cli.new import new
from bakeoff.errors import DataError, UsageError
from bakeoff.study.planning.plan import plan
from tests.helpers.arrays import from_arrays


def write_pictures(folder, rng, *, classes=("cats", "dogs"), count=10, size=(40, 30), mode="L"):
    for label, kind in enumerate(classes):
        (folder / kind).mkdir(parents=True)
        for number in range(count):
            shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
            pixels = rng.integers(0, 100 + 100 * label, shape, dtype=np.uint8)
            Image.fromarray(pixels).save(folder / kind / f"{number}.png")


def test_a_folder_of_grey_pictures(tmp_path, rng, monkeypatch, capsys):
    write_pictures(tmp_path / "My Pets", rng)
    (tmp_path / "My Pets" / "cats" / "broken.png").write_bytes(b"no picture")
    monkeypatch.chdir(tmp_path)
    assert main(["new", "My Pets"]) == 0
    said = capsys.readouterr()
    assert said.out == (
        "my-pets.yaml written. Change it as you like; then:\n"
        "  bakeoff plan my-pets.yaml\n  bakeoff run my-pets.yaml\n"
    )
    assert said.err.startswith("skipped 1 broken file: cats/broken.png (")
    text = (tmp_path / "my-pets.yaml").read_text(encoding="utf-8")
    assert 'data: {folder: "My Pets", size: [30, 40], color: grey}\n' in text
    words = " ".join(line.removeprefix("# ") for line in text.splitlines() if line[0] == "#")
    assert "20 images of 2 classes: cats (10), dogs (10). All pictures looked at are 30×40" in words
    recipe = recipes.load("my-pets.yaml")
    assert list(recipe.models) == ["mlp", "small-cnn", "compact-cnn"]
    assert recipe.data.folder == tmp_path / "My Pets"
    planned = plan(recipe)
    assert planned.data.input_shape == (30, 40, 1)
    assert planned.trials == 15


@pytest.mark.usefixtures("its_jobs_in_process")
def test_such_a_recipe_runs(tmp_path, rng, monkeypatch, capsys):
    write_pictures(tmp_path / "pets", rng, count=20, size=(8, 8))
    monkeypatch.chdir(tmp_path)
    assert main(["new", "pets"]) == 0
    recipe = tmp_path / "pets.yaml"
    text = recipe.read_text(encoding="utf-8").replace("epochs: 60", "epochs: 1")
    recipe.write_text(text, encoding="utf-8")
    words = ["--seeds", "1", "--only", "mlp", "--only", "small-cnn", "--only", "compact-cnn"]
    assert main(["run", "pets.yaml", *words]) == 0
    assert "pets: 3 of 3 trials done\n" in capsys.readouterr().out


def test_coloured_pictures_of_many_sizes(tmp_path, rng):
    write_pictures(tmp_path / "a", rng, count=2, size=(300, 200), mode="RGB")
    for number, side in enumerate((90, 100, 110)):
        Image.new("RGB", (side, side)).save(tmp_path / "a" / "cats" / f"small-{number}.png")
    written = new(str(tmp_path / "a"), folder=tmp_path)
    text = written.path.read_text(encoding="utf-8")
    assert "data: {folder: a, size: [43, 64], color: rgb, fit: crop}" in text
    assert "Typical pictures looked at are 200×300" in text.replace("\n# ", " ")


@pytest.mark.parametrize("pretrained", [True, False])
def test_photographs_get_a_backbone_and_a_residual_network(tmp_path, rng, monkeypatch, pretrained):
    write_pictures(tmp_path / "a", rng, count=8, size=(50, 40), mode="RGB")
    for number in range(10):
        (tmp_path / "a" / "cats" / f"more-{number}.png").write_bytes(
            (tmp_path / "a" / "cats" / "0.png").read_bytes()
        )
    found = object() if pretrained else None
    monkeypatch.setattr(first_models, "measured_rate", lambda: 1e15)
    monkeypatch.setattr(first_models.importlib.util, "find_spec", lambda name: found)
    path = new(str(tmp_path / "a"), folder=tmp_path).path
    recipe = recipes.load(path)
    known = ["pretrained", "fine-tuned"] * pretrained
    assert list(recipe.models) == [*known, "residual-cnn", "small-cnn"]
    assert recipe.training.options.class_weight == "balanced"
    assert "the largest class has 2.2 times the training images" in path.read_text(encoding="utf-8")
    sizes = {
        model.recipe.name: model.architecture.trainable_parameters for model in plan(recipe).models
    }
    assert sizes["small-cnn"] < sizes["residual-cnn"] < 400_000
    assert sizes.get("pretrained", 2562) == 1280 * 2 + 2
    assert recipe.models["residual-cnn"].training.options.label_smoothing == 0.1


def test_fine_tuning_that_takes_long_is_only_proposed(tmp_path, rng, monkeypatch):
    write_pictures(tmp_path / "a", rng, count=8, size=(50, 40), mode="RGB")
    monkeypatch.setattr(first_models.importlib.util, "find_spec", lambda name: object())
    for rate, begins in (
        (1e15, "  fine-tuned:  # the same, its last blocks fine-tuned, slowly; about"),
        (1e6, "  # The same, its last blocks fine-tuned, would take about"),
    ):
        monkeypatch.setattr(first_models, "measured_rate", lambda rate=rate: rate)
        text = new(str(tmp_path / "a"), folder=tmp_path).path.read_text(encoding="utf-8")
        assert begins in text
        (tmp_path / "a.yaml").unlink()
    assert "\n  # fine-tuned:\n  #   backbone: {name: efficientnet_lite0, from: block_11" in text


def test_train_and_test_folders(tmp_path, rng):
    write_pictures(tmp_path / "pets" / "train", rng)
    write_pictures(tmp_path / "pets" / "test", rng, count=3)
    text = new(str(tmp_path / "pets"), folder=tmp_path).path.read_text(encoding="utf-8")
    assert "split: {validation: 0.2}  # shares, or numbers of images; the test part is the" in text


@pytest.mark.parametrize(
    ("trained", "tested", "weighed"),
    [((50, 10), (5, 45), "5.0 times"), ((30, 30), (50, 5), None)],
)
def test_classes_are_weighed_by_their_training_images(tmp_path, trained, tested, weighed):
    arrays = {}
    for part, counts in (("train", trained), ("test", tested)):
        arrays[f"y_{part}"] = np.repeat([0, 1], counts)
        arrays[f"x_{part}"] = np.arange(sum(counts) * 25, dtype=np.uint8).reshape(-1, 5, 5)
    np.savez(tmp_path / "a.npz", **arrays)
    text = new(str(tmp_path / "a.npz"), folder=tmp_path).path.read_text(encoding="utf-8")
    found = re.search(r"class_weight: balanced  # the largest class has (.* times)", text)
    assert (found and found[1]) == weighed


def test_a_folder_that_lies_elsewhere_is_named_in_full(tmp_path, rng):
    write_pictures(tmp_path / "far" / "pets", rng)
    (tmp_path / "here").mkdir()
    written = new(str(tmp_path / "far" / "pets"), folder=tmp_path / "here")
    assert recipes.load(written.path).data.folder == tmp_path / "far" / "pets"


@pytest.mark.parametrize(
    ("folder", "name"),
    [("Été 2024", "ete-2024"), ("Große Blätter", "grosse-blatter"), ("листья", "images")],
)
def test_a_name_keeps_its_letters_and_the_path_is_relative(tmp_path, rng, folder, name):
    write_pictures(tmp_path / folder, rng, count=3)
    written = new(str(tmp_path / folder), folder=tmp_path)
    assert written.path.name == f"{name}.yaml"
    assert f'data: {{folder: "{folder}", ' in written.path.read_text(encoding="utf-8")
    assert recipes.load(written.path).data.folder == tmp_path / folder


def test_what_to_install_is_named_as_bakeoff_was_installed(monkeypatch):
    monkeypatch.setattr(sys, "prefix", "/home/ada/.local/share/pipx/venvs/bakeoff")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    coloured = np.full((4, 32, 32, 3), (40, 200, 30), np.uint8)
    photographs = from_arrays("leaves", coloured, np.arange(4) % 2)
    written = first_models.models(photographs, networks=5)
    assert "#   pipx install --force 'bakeoff[pretrained]'\n" in written


def test_an_npz_file_and_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labels = np.arange(40) % 4
    np.savez(tmp_path / "Mine_1.npz", x=np.zeros((40, 2, 2)), y=labels)
    written = new("Mine_1.npz", folder=tmp_path)
    assert written.path.name == "mine_1.yaml"
    recipe = recipes.load(written.path)
    assert recipe.data.npz == tmp_path / "Mine_1.npz"
    assert list(recipe.models) == ["small-mlp", "mlp"]  # 2 × 2 pixels are too few to convolve
    assert plan(recipe).trials == 10
    digits = new("digits", folder=tmp_path)  # not the name of the shipped recipe, and its folder
    assert digits.path.name == "my-digits.yaml"
    assert recipes.load(digits.path).name == "my-digits"


def test_too_few_images_are_remarked(tmp_path, rng):
    write_pictures(tmp_path / "few", rng, count=1)
    written = new(str(tmp_path / "few"), folder=tmp_path)
    assert written.notes[-1] == (
        "before it can run: class cats has 1 image; a stratified split needs at least 2 of every "
        "class: add images of it, or take the class out"
    )


def test_why_few_images_are_not_cross_validated_is_said(tmp_path, rng):
    write_pictures(tmp_path / "few", rng, count=6)
    write_pictures(tmp_path / "few", rng, classes=("emus",), count=3)
    why = (
        "# Few images: 5 folds would test all of them, but need 5 of every class, and emus has 3. "
        "Add\n# images or leave such classes out, and write split: {folds: 5, repeats: 5} in place "
        "of split and\n# seeds.\nsplit: {validation: 0.2, test: 0.2}"
    )
    assert why in new(str(tmp_path / "few"), folder=tmp_path).path.read_text("utf-8")
    (tmp_path / "few.yaml").unlink()
    tuned = new(str(tmp_path / "few"), folder=tmp_path, tune=True)  # takes one split in any case
    assert "Few images" not in tuned.path.read_text("utf-8")


def test_a_class_without_images_does_not_stand_against_folds(tmp_path, rng):
    """As where a few classes of many were kept; it was said to have too few images."""
    x = rng.integers(0, 256, (40, 8, 8), dtype=np.uint8)
    names = np.array(["cat", "dog", "emu"])
    np.savez(tmp_path / "pets.npz", x=x, y=np.arange(40) % 2, class_names=names)
    written = new(str(tmp_path / "pets.npz"), folder=tmp_path)
    assert "split: {folds: 5, repeats: 5}" in written.path.read_text("utf-8").splitlines()
    assert written.notes == ("no image of the class emu",)


def test_a_validation_part_of_the_datas_own_is_told(tmp_path, rng):
    write_pictures(tmp_path / "cats-and-dogs", rng)
    parts = ["train"] * 7 + ["val"] * 3
    rows = [
        f"{kind}/{number}.png,{kind},{parts[number]}"
        for kind in ("cats", "dogs")
        for number in range(10)
    ]
    table = tmp_path / "cats-and-dogs" / "labels.csv"
    table.write_text("\n".join(["file,label,split", *rows]), encoding="utf-8")
    assert (
        "split: {validation: 0.2, test: 0.2}  # shares, or numbers of images; the validation part "
        "is the data's own, so that validation is not used\n"
    ) in new(str(table), folder=tmp_path).path.read_text("utf-8")


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "mnist.yaml").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError) as caught:
        new("mnist", folder=tmp_path)
    assert str(caught.value) == (
        "mnist.yaml: expected to write a new file, found one there already: rename or remove it"
    )


def test_an_empty_folder_and_a_misspelt_name(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="expected a sub-folder for each of at least 2 classes"):
        new(str(tmp_path / "empty"), folder=tmp_path)
    with pytest.raises(UsageError, match="found 'fashion-mnits'; did you mean fashion-mnist"):
        new("fashion-mnits", folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_a_recipe_to_tune_leaves_choices_open(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["new", "digits", "--tune"]) == 0
    assert capsys.readouterr().out == (
        "my-digits.yaml written. Change it as you like; then:\n"
        "  bakeoff plan my-digits.yaml\n"
        "  bakeoff tune my-digits.yaml\n"
        "  bakeoff run my-digits.yaml\n"
    )
    recipe = recipes.load("my-digits.yaml")
    assert recipe.split.folds is None
    for model in recipe.models.values():
        assert (model.search.settings, model.search.sampler) == (20, "random")
    names = [each.place for each in recipe.models["cnn"].search.dimensions]
    assert names == [
        "training.optimizer.adam.learning_rate",
        "layers[1].conv2d.filters",
        "layers[3].dense.units",
        "layers[4].dropout",
    ]


def test_a_folder_that_is_called_like_a_home_is_not_read_as_one(tmp_path, rng, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_pictures(tmp_path / "~pets", rng)
    written = new("./~pets", folder=tmp_path)
    assert recipes.load(written.path).data.folder == tmp_path / "~pets"


WORDS_OF_YAML = ["null", "true", "1e3", "0x1", "2024", "~", "a: b", "#x", "-", "'", '"', "trail "]


@pytest.mark.parametrize("name", WORDS_OF_YAML)
def test_a_name_that_yaml_reads_otherwise_is_quoted(tmp_path, rng, name):
    write_pictures(tmp_path / name, rng, count=5)
    recipe = recipes.load(new(str(tmp_path / name), folder=tmp_path).path)
    assert recipe.data.folder == tmp_path / name
    assert isinstance(recipe.name, str)


@pytest.mark.parametrize(("name", "said"), [("tab\tx", "tab\\tx"), ("nl\nx", "nl\\nx")])
def test_a_name_that_no_recipe_can_hold_is_refused(tmp_path, rng, name, said):
    write_pictures(tmp_path / name, rng, count=5)
    with pytest.raises(UsageError) as caught:
        new(str(tmp_path / name), folder=tmp_path)
    assert str(caught.value) == (
        f"{said}: expected a path of printable characters, found tabs, line breaks or others that "
        "a recipe cannot hold: rename it"
    )
    assert not list(tmp_path.glob("*.yaml"))
