"""`bakeoff export`: a folder with the network in one file, what one must know to use it, hashes.

Nothing is left behind that has not been checked: a process without Bakeoff predicts the whole
validation part with the file, and must give the study's own probabilities.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.image_files.file_scale import FULL
from bakeoff.errors import StudyError, UsageError
from bakeoff.storage import array_files, atomic, formats, written_folder
from bakeoff.study.recorded_data import recorded_data
from bakeoff.study.winner.trained_model import TrainedModel
from bakeoff.study.winner.training_profile import read_profile
from bakeoff.use.export import check as check_script
from bakeoff.use.export.example import example, lines, requirements
from bakeoff.use.export.litert_file import litert_model
from bakeoff.use.export.onnx_file import onnx_model
from bakeoff.utils.text import listed
from bakeoff.utils.user_paths import to_install

Format = Literal["keras", "onnx", "litert", "safetensors"]
FORMATS: tuple[Format, ...] = get_args(Format)
FILES = {"keras": "model.keras", "onnx": "model.onnx", "litert": "model.tflite"}
VALIDATION = "validation images"
TOLERANCE = 1e-4  # of a probability
_SECONDS = 3600


@dataclass(frozen=True)
class Exported:
    """Where the folder is, and what was checked."""

    folder: Path
    format: Format
    images: int
    part: str
    largest_difference: float

    @property
    def sentence(self) -> str:
        """What to tell whoever exported it."""
        return (
            f"{self.folder}: checked without Bakeoff on {self.images:,} {self.part}: the same "
            f"class for each, probabilities differ by at most {self.largest_difference:.1e}"
        )


def export(trained: TrainedModel, format: Format, *, out: str | Path | None = None) -> Exported:
    """Write a trained model for use without Bakeoff, and check it.

    Parameters
    ----------
    out : the folder to write, which must not exist; exports/NAME-FORMAT in the study by default,
        where an older one is replaced

    Raises
    ------
    UsageError : a package is missing, or the folder is there already
    StudyError : a layer cannot be exported, or the file does not predict what the study does
    """
    if format not in FORMATS:
        raise UsageError(f"--format: expected {listed(FORMATS, last='or')}, found {format!r}")
    target, replaced = _target(trained, format, out)
    with atomic.whole_folder(target, replace=replaced) as scratch:
        images, part = _images(trained)
        # bytes of 0 and 1 alone have no grey, which pictures do
        whole = images.dtype == np.uint8 and trained.stores_bytes
        dtype = "uint8" if whole else "float32"
        for name, content in _files(trained, format, scratch, dtype).items():
            atomic.write_file(scratch / name, content)
        expected = _expected(trained, images, saved=part == VALIDATION)
        difference = _check(trained, format, scratch, images.astype(dtype, copy=False), expected)
        _seal(scratch, trained, format, {"images": len(images), "of": part})
    return Exported(target, format, len(images), part, difference)


def _target(trained: TrainedModel, format: Format, out: str | Path | None) -> tuple[Path, bool]:
    if out is None:
        seeds = f"seed-{trained.seeds[0]}" if len(trained.seeds) == 1 else "ensemble"
        seeds = "shipped" if trained.shipped else seeds
        folder = trained.folder.path / "exports" / f"{trained.name}-{seeds}-{format}"
        return folder, True
    folder = Path(out)
    if folder.exists():
        raise UsageError(f"--out: expected a folder that is not there yet, found {folder}")
    return folder, False


def _files(trained: TrainedModel, format: Format, folder: Path, dtype: str) -> dict[str, bytes]:
    """Return the content of every file but the hashes; Keras writes its own into the folder."""
    from bakeoff.use.export.program import program_of

    model = trained.keras_model(dtype)
    files = {
        "classes.json": formats.canonical(list(trained.class_names)),
        "preprocessing.json": formats.canonical(_preprocessing(trained, dtype)),
        "example.py": example(format).encode(),
        "README.md": _readme(trained, format).encode(),
    }
    if format == "keras":
        with atomic.disk(folder / FILES["keras"]):
            model.save(folder / FILES["keras"])
    elif format == "safetensors":
        digits = max(3, len(str(len(model.weights) - 1)))  # whoever sorts them has their order
        weights = {
            f"{index:0{digits}d}.{variable.path}": np.asarray(variable.value)
            for index, variable in enumerate(model.weights)
        }
        files["model.safetensors"] = array_files.weights_bytes(weights)
        files["model.json"] = (model.to_json(indent=1) + "\n").encode()
    else:
        program = program_of(model, dtype)
        write = onnx_model if format == "onnx" else litert_model
        files[FILES[format]] = write(program, name=trained.name)
    return files


def _preprocessing(trained: TrainedModel, dtype: str) -> dict[str, Any]:
    """Return what has to be done to a picture, and what the file does itself."""
    height, width, channels = trained.input_shape
    pictures = trained.pictures
    return {
        "height": height,
        "width": width,
        "channels": channels,
        "color": "grey" if channels == 1 else "rgb",
        "grey": "0.299 R + 0.587 G + 0.114 B",
        "fit": pictures.fit if pictures else "stretch",
        "resize": "bilinear, antialiased where it shrinks; EXIF orientation applied first",
        "dtype": dtype,
        "white": trained.maximum if pictures else 255,
        "white_of_16_bits": trained.deep_white or 65535,
        "least_top_of_16_bits": 0 if trained.deep_white else FULL,
        "maximum": trained.maximum,
        "scaling": "inside the model: pixels from 0 to maximum go in as they are",
        "layout": "batch, height, width, channels",
    }


def _readme(trained: TrainedModel, format: Format) -> str:
    from bakeoff import report
    from bakeoff.analysis.compare import compare

    height, width, channels = trained.input_shape
    title = f"# {trained.study['name']}: {trained.title}\n"
    parts = [
        title,
        f"Exported by Bakeoff as {format}: {trained.reason}. `python example.py PICTURE...` uses "
        f"it; it needs {requirements(format)}. `classes.json` has the names of the classes in the "
        "order of the probabilities, `preprocessing.json` says how a picture becomes pixels, "
        "`manifest.json` has the SHA-256 of every file. In short, with pixels of shape (n, "
        f"{height}, {width}, {channels}) from 0 to {trained.maximum:g} in `images`:\n",
        f"```python\n{lines(format)}```\n",
    ]
    comparison = compare([trained.folder]) if trained.folder.openings() else None
    if comparison is not None and any(each.name == trained.name for each in comparison.models):
        card = report.model_card(comparison, trained.name)
        parts.append(card.replace("\n# ", "\n## ").replace("# ", "## ", 1))
    else:
        parts.append(
            "The study's test set has not been opened with this model: nothing is known of its "
            "accuracy.\n"
        )
    return "\n".join(parts)


# ── the check ────────────────────────────────────────────────────────────────────────────────


def _images(trained: TrainedModel) -> tuple[NDArray[Any], str]:
    """Return the images to check with: the validation part, or what the study still has."""
    folder = trained.folder
    recorded = recorded_data(folder)
    if recorded is not None and len(validation := recorded[1]["validation"]):
        # a shipped model was trained on all images
        return recorded[0].images[validation], "training images" if trained.shipped else VALIDATION
    profile = read_profile(folder)
    if profile is not None:
        declared = trained.study["data"]["validation"]
        why = "the validation part is not at hand" if declared else "there are no others"
        return profile.images, f"training images, since {why}"
    if not folder.split_file.is_file():  # the data set alone would be of no use
        raise formats.missing(folder.split_file, "study.json has its hash")
    raise StudyError(
        f"{folder.path}: expected images to check the export with, found neither the data set nor "
        "training_profile.npz: bring the data back to where the recipe says"
    )


def _check(
    trained: TrainedModel,
    format: Format,
    folder: Path,
    images: NDArray[Any],
    expected: NDArray[Any],
) -> float:
    """Return by how much probabilities differ at most; StudyError where they are others."""
    with tempfile.TemporaryDirectory() as scratch:
        given, written = Path(scratch, "pixels.npy"), Path(scratch, "probabilities.npy")
        with atomic.disk(given):
            np.save(given, images, allow_pickle=False)
        _run_elsewhere([format, str(folder.resolve()), str(given), str(written)], scratch)
        found = np.load(written, allow_pickle=False)
    difference = float(np.abs(found - expected).max()) if found.shape == expected.shape else 1.0
    others = int((found.argmax(axis=-1) != expected.argmax(axis=-1)).sum())
    if not difference <= TOLERANCE or others:
        raise StudyError(
            f"{trained.title}: expected an exported file that predicts as the study does, found "
            f"probabilities that differ by up to {difference:.2g}, and {others:,} other classes "
            f"of {len(images):,}: nothing was exported; please report this"
        )
    return difference


def _expected(trained: TrainedModel, images: NDArray[Any], *, saved: bool) -> NDArray[Any]:
    """Return the study's probabilities.

    saved : whether these are its validation images, whose probabilities it keeps
    """
    found = []
    for seed in trained.seeds if saved else ():
        path = trained.folder.trial(trained.name, seed) / written_folder.VALIDATION
        if not path.exists():
            break
        recorded = written_folder.read_manifest(path.parent)
        if atomic.hash_file(path) != recorded.get(path.name):
            raise formats.damaged(path)
        found.append(array_files.read_npy(path))
    if len(found) == len(trained.seeds) and len(found[0]) == len(images):
        return np.asarray(np.mean(found, axis=0))
    return np.asarray(trained.per_seed(images).mean(axis=0))


def _run_elsewhere(words: list[str], folder: str) -> None:
    """Run the check in a fresh process that does not see Bakeoff's folder."""
    from bakeoff.training.lean_keras import TAKEN_ALONG

    script = Path(check_script.__file__).read_bytes()
    Path(folder, "check.py").write_bytes(script)
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    environment.pop("PYTHONPATH", None)
    command = [sys.executable, str(Path(folder, "check.py")), *words, *TAKEN_ALONG]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=folder, timeout=_SECONDS
    )
    if done.returncode:
        last = (done.stderr.strip() or "no reason given").splitlines()[-1]
        missing = "No module named" in last
        hint = f": {to_install(words[0])}" if missing else ""
        raise UsageError(
            f"expected a process without Bakeoff that runs the {words[0]} file, found one that "
            f"ended with: {last}{hint}"
        )


def _seal(folder: Path, trained: TrainedModel, format: Format, checked: Mapping[str, Any]) -> None:
    hashes = {
        path.name: atomic.hash_file(path) for path in sorted(folder.iterdir()) if path.is_file()
    }
    document = {
        "files": hashes,
        "study": trained.study["name"],
        "model": trained.name,
        "seeds": list(trained.seeds),
        "format": format,
        "data": trained.study["data"]["hash"],
        "checked": {**checked, "tolerance": TOLERANCE},
    }
    atomic.write_file(folder / "manifest.json", formats.canonical(document))
