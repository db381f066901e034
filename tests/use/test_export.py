"""Exported folders: what is in them, what is refused, and that they are used without Bakeoff.

Oracle: the study's saved validation predictions; the example program beside each file.
Cost: 20 s, most of it processes that import Keras. Run: pytest tests/use/test_export.py
"""

import hashlib
import json
import re
import sys
from dataclasses import replace
from shutil import copytree

import numpy as np
import pytest
from PIL import Image

from bakeoff.data.image_files.image_file import decode_file
from bakeoff.errors import DamagedFile, StudyError, UsageError
from bakeoff.storage.split_file import read_split
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.compare import compare
from bakeoff.study.winner.trained_model import trained_model
from bakeoff.use.export import example as examples
from bakeoff.use.export import export as exporting
from bakeoff.use.export.export import FORMATS, export
from tests.helpers import small
from tests.helpers.png import chunk
from tests.helpers.scripts import printed as run_scripts


@pytest.fixture(scope="module")
def result(finished_study):
    return compare([finished_study])


@pytest.fixture(scope="module")
def pictures(digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for place in range(3):
        pixels = np.round(digits.images[place, ..., 0] * (255 / 16)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{place}.png")
    return [str(folder / f"{place}.png") for place in range(3)]


def chosen(result, format):
    return result.trained("mlp", ensemble=format in ("onnx", "litert"))


@pytest.fixture(scope="module")
def exported(result, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    return {each: export(chosen(result, each), each, out=folder / each) for each in FORMATS}


@pytest.fixture(scope="module")
def printed(exported, pictures):
    """Return what the example programs print, all run in one process without Bakeoff."""
    scripts = [done.folder / "example.py" for done in exported.values()]
    return dict(zip(exported, run_scripts(scripts, pictures), strict=True))


@pytest.mark.parametrize("format", FORMATS)
def test_an_export_is_used_without_bakeoff(result, exported, printed, pictures, format, digits):
    done = exported[format]
    assert (done.images, done.part) == (288, "validation images")
    assert done.largest_difference < 1e-5
    manifest = json.loads((done.folder / "manifest.json").read_bytes())
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((done.folder / name).read_bytes()).hexdigest() == digest
    assert set(manifest["files"]) | {"manifest.json"} == {p.name for p in done.folder.iterdir()}
    assert json.loads((done.folder / "classes.json").read_bytes()) == list(digits.class_names)
    expected = chosen(result, format).per_seed(digits.images[:3]).mean(axis=0)
    assert printed[format].splitlines() == [
        f"{path} {row.argmax()} {row.max():.1%}"
        for path, row in zip(pictures, expected, strict=True)
    ]


def turned_late(path, picture, exif):
    """Write a PNG whose EXIF follows its pixels."""
    picture.save(path)
    content, end = path.read_bytes(), chunk(b"IEND", b"")
    tiff = exif.tobytes().removeprefix(b"Exif\0\0")
    path.write_bytes(content.removesuffix(end) + chunk(b"eXIf", tiff) + end)


def odd_pictures(folder):
    """Write pictures whose pixels depend on what is done to them first; return their paths."""
    rng = np.random.default_rng(0)
    plain = Image.fromarray(rng.integers(0, 256, (33, 47, 3), np.uint8))
    veil = Image.fromarray(rng.integers(0, 256, (33, 47), np.uint8))
    clear = plain.convert("RGBA")
    clear.putalpha(veil)
    exif = Image.Exif()
    for orientation in (2, 3, 5, 6, 8):
        exif[274] = orientation
        plain.save(folder / f"turned{orientation}.png", exif=exif)
    plain.resize((470, 330)).save(folder / "large.jpg", exif=exif)
    plain.save(folder / "turned.tif", tiffinfo={274: 6})
    turned_late(folder / "late.png", plain, exif)
    xmp = b'<rdf:Description tiff:Orientation="6"/>'  # which is not followed
    plain.save(folder / "xmp.webp", lossless=True, xmp=xmp)
    plain.save(folder / "xmp.jpg", xmp=xmp)
    plain.convert("P").save(folder / "palette.gif")
    plain.convert("1").save(folder / "bits.png")
    plain.convert("CMYK").save(folder / "cmyk.jpg")
    clear.save(folder / "clear.png")
    clear.convert("LA").save(folder / "clear-grey.png")
    deep = Image.fromarray(rng.integers(0, 4096, (9, 12), np.uint16))
    deep.save(folder / "deep.png")
    deep.save(folder / "inverted.tif", tiffinfo={262: 0})
    Image.fromarray(rng.integers(0, 256, (3, 200), np.uint8)).save(folder / "strip.png")
    return sorted(folder.iterdir())


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("color", ["grey", "rgb"])
def test_the_example_sees_what_the_training_images_showed(fit, color, tmp_path, monkeypatch):
    (tmp_path / "pictures").mkdir()
    paths = odd_pictures(tmp_path / "pictures")
    how = {
        **{"height": 21, "width": 16, "channels": 1 if color == "grey" else 3, "fit": fit},
        **{"dtype": "uint8", "white": 255, "maximum": 255, "white_of_16_bits": 4095},
        "least_top_of_16_bits": 0,
    }
    (tmp_path / "preprocessing.json").write_text(json.dumps(how))
    (tmp_path / "classes.json").write_text("[]")
    monkeypatch.chdir(tmp_path / "pictures")  # neither where it is, nor with whole paths
    monkeypatch.setattr("sys.argv", ["../example.py", *(path.name for path in paths)])
    names = {"__file__": "../example.py"}
    exec(examples._PIXELS, names)
    for path, found in zip(paths, names["images"], strict=True):
        expected = decode_file(path, size=(21, 16), color=color, fit=fit, white=4095).pixels
        np.testing.assert_array_equal(found, expected, err_msg=path.name)
    fractions = tmp_path / "pictures" / "fractions.tif"
    Image.fromarray(np.ones((9, 9), np.float32)).save(fractions)  # it was taken for black
    signed = Image.fromarray(np.array([[-1000, 4000]], np.int32))
    signed.save(tmp_path / "pictures" / "signed.tif")  # -1000 was taken for nearly white
    for arguments, said in (
        (["signed.tif"], r"signed\.tif: not on the scale of .* from -1000 to 4000"),
        (
            ["fractions.tif"],
            r"fractions\.tif: not an image that can be read here: values with fractions",
        ),
        ([], r"^expected pictures: python example.py PICTURE"),
        (
            ["../classes.json"],
            r"classes\.json: not an image that can be read here: cannot identify",
        ),
        (["nowhere.png"], r"nowhere\.png: not an image that can be read here: .*No such file"),
    ):
        monkeypatch.setattr("sys.argv", ["../example.py", *arguments])
        with pytest.raises(SystemExit, match=said):
            monkeypatch.chdir(tmp_path / "pictures")
            exec(examples._PIXELS, {"__file__": "../example.py"})
    monkeypatch.setattr("sys.argv", ["../example.py", *(path.name for path in paths)])
    for scale in ({"white_of_16_bits": 2000}, {"least_top_of_16_bits": 16384}):
        (tmp_path / "preprocessing.json").write_text(json.dumps({**how, **scale}))
        with pytest.raises(
            SystemExit, match=r"(deep\.png|inverted\.tif): not on the scale of the study"
        ):
            monkeypatch.chdir(tmp_path / "pictures")
            exec(examples._PIXELS, {"__file__": "../example.py"})


@pytest.mark.usefixtures("its_jobs_in_process")
def test_pictures_keep_their_grey_where_training_images_have_none(tmp_path, rng, monkeypatch):
    """The example made black and white of them, and the network another class."""
    np.savez(tmp_path / "masks.npz", x=rng.integers(0, 2, (60, 8, 8)), y=np.arange(60) % 2)
    only = {"models": {"line": {"layers": []}}, "seeds": 1, "baselines": []}
    found = small.carry_out(tmp_path / "masks.npz", tmp_path / "study", workers=1, **only)
    exported = export(found.trained("line"), "onnx")
    file = tmp_path / "grey.png"
    Image.fromarray(rng.integers(0, 256, (8, 8)).astype(np.uint8)).save(file)
    monkeypatch.setattr("sys.argv", ["example.py", str(file)])
    monkeypatch.chdir(tmp_path)
    names = {"__file__": str(exported.folder / "example.py")}
    exec(examples.example("onnx"), names)
    expected = found.predict(file, adapt="never").probabilities
    np.testing.assert_allclose(names["probabilities"], expected, atol=1e-5)


def test_the_readme_has_the_scores_and_the_lines_that_matter(result, monkeypatch):
    text = exporting._readme(result.trained("mlp"), "onnx")
    assert text.startswith("# tiny: mlp, seed ")
    assert 'onnxruntime.InferenceSession("model.onnx")' in text and "## Scores" in text


def test_the_readme_of_a_model_that_was_trained_since_the_opening(result):
    trained = result.trained("mlp")
    late = replace(trained, recipe=trained.recipe.model_copy(update={"name": "late"}))
    text = "has not been opened with this model: nothing is known of its accuracy.\n"
    assert exporting._readme(late, "onnx").endswith(text)


def test_a_file_that_predicts_otherwise_is_not_exported(result, tmp_path, monkeypatch):
    other = result.trained("mlp", seed=1)
    monkeypatch.setattr(
        exporting, "onnx_model",
        lambda program, name: real(exporting_program(other), name=name),
    )  # fmt: skip
    message = r"expected an exported file that predicts as the study does, found .*: nothing was"
    with pytest.raises(StudyError, match=message):
        export(result.trained("mlp", seed=0), "onnx", out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


real = exporting.onnx_model


def exporting_program(trained):
    from bakeoff.use.export.program import program_of

    return program_of(trained.keras_model(), "uint8")


def test_other_images_are_not_held_against_the_saved_validation(result, digits):
    """Where the data is gone, training images stand in, which may be as many."""
    trained = result.trained("mlp", seed=0)
    images = digits.images[read_split(trained.folder)["train"][:288]]
    expected = trained.per_seed(images).mean(axis=0)
    np.testing.assert_array_equal(exporting._expected(trained, images, saved=False), expected)
    kept = exporting._expected(trained, images, saved=True)
    assert kept.shape == expected.shape and np.abs(kept - expected).max() > 0.1


def test_the_images_of_the_check_are_called_what_they_are(result, monkeypatch):
    """Of a study without validation images it was said that they are not at hand."""
    trained = result.trained("mlp", seed=0)
    assert exporting._images(trained)[1] == exporting.VALIDATION

    monkeypatch.setattr(exporting, "recorded_data", lambda _: None)
    found = exporting._images(trained)[1]
    assert found == "training images, since the validation part is not at hand"
    data = {**trained.study["data"], "validation": 0}
    without = replace(trained, study={**trained.study, "data": data})
    assert exporting._images(without)[1] == "training images, since there are no others"


def test_a_split_that_was_changed_gives_no_validation_images(result, tmp_path):
    """Other images were held against the saved predictions: "please report this", it was said."""
    folder = StudyFolder(copytree(result.trained("mlp").folder.path, tmp_path / "study"))
    arrays = dict(np.load(folder.split_file))
    arrays["validation"] = arrays["train"][: len(arrays["validation"])]
    np.savez(folder.split_file, **arrays)
    found = exporting._images(trained_model(folder, model="mlp"))[1]
    assert found == "training images, since the validation part is not at hand"


def test_a_lost_split_is_asked_for_and_not_the_data(result, tmp_path):
    folder = StudyFolder(copytree(result.trained("mlp").folder.path, tmp_path / "study"))
    folder.split_file.unlink()
    (folder.path / "training_profile.npz").unlink(missing_ok=True)
    text = f"{folder.split_file}: missing, though study.json has its hash: restore it from a copy"
    with pytest.raises(DamagedFile, match=f"^{re.escape(text)}"):
        exporting._images(trained_model(folder, model="mlp"))


def test_what_cannot_be_exported_so(result, tmp_path, monkeypatch):
    trained = result.trained("mlp")
    with pytest.raises(UsageError, match="--format: expected keras, onnx, litert or safetensors"):
        export(trained, "pb", out=tmp_path / "out")
    (tmp_path / "there").mkdir()
    (tmp_path / "out.partial").mkdir()  # somebody's own: it was once taken for a scratch folder
    message = f"--out: expected a folder that is not there yet, found {tmp_path / 'there'}"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        export(trained, "onnx", out=tmp_path / "there")
    for module, format in (("onnx", "onnx"), ("ai_edge_litert", "litert")):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(UsageError, match=rf"found none: pip install 'bakeoff\[{format}\]'$"):
            export(trained, format, out=tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.partial", "there"]
