"""The examples, each run as its reader would: those that use a winner, and the tutorial's letters.

Oracle: `result.predict` on the same pictures; the letters are counted. The page that asks
the endpoint is in test_serve.py. Cost: 10 s, most of it starting Python.
Run: pytest tests/use/test_examples.py
"""

import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from bakeoff.study.compare import compare
from bakeoff.use.export.export import export

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def pictures(digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    for place in range(4):
        pixels = np.round(digits.images[place, ..., 0] * (255 / 16)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{place}.png")
    return folder


def ran(*words):
    command = [sys.executable, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=EXAMPLES)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_photographs_are_sorted(finished_study, pictures, tmp_path):
    lines = ran("sort_photographs.py", finished_study, pictures, tmp_path / "sorted")
    found = compare([finished_study]).predict(pictures)
    sure = (found.probabilities.max(axis=1) >= 0.9) & ~found.unlike
    folders = [name if good else "unsure" for name, good in zip(found.classes, sure, strict=True)]
    assert lines == [f"{n}: {f}" for n, f in zip(found.names, folders, strict=True)]
    copies = sorted(path.relative_to(tmp_path / "sorted") for path in tmp_path.rglob("*.png"))
    assert copies == sorted(Path(f, f"{i:05d}-{i}.png") for i, f in enumerate(folders))


def test_a_class_with_a_slash_is_one_folder(pictures, tmp_path, capsys):
    """Fashion-MNIST's T-shirt/top became top in T-shirt."""
    sort = runpy.run_path(str(EXAMPLES / "sort_photographs.py"))["sort"]
    names, sure = [str(pictures / "0.png")], np.array([[0.95, 0.05]])
    found = SimpleNamespace(names=names, classes=["T-shirt/top"], unlike=None, probabilities=sure)
    sort.__globals__["compare"] = lambda _: SimpleNamespace(predict=lambda _: found)
    sort("study", str(pictures), str(tmp_path))
    assert capsys.readouterr().out == f"{names[0]}: T-shirt-top\n"
    assert (tmp_path / "T-shirt-top" / "00000-0.png").exists()


def test_onnx_without_bakeoff(finished_study, pictures, tmp_path):
    result = compare([finished_study])
    export(result.trained("mlp", seed=0), "onnx", out=tmp_path / "out")
    with Image.open(pictures / "3.png") as small:
        small.resize((40, 30)).save(pictures / "larger.png")  # to be made smaller as Bakeoff does
        exif = Image.Exif()
        exif[274] = 6  # a telephone that was held upright
        small.rotate(90).save(pictures / "turned.png", exif=exif)
    files = sorted(pictures.glob("*.png"))
    lines = ran("onnx_in_15_lines.py", tmp_path / "out", *files)
    found = result.predict(pictures, model="mlp", seed=0)
    shares = [f"{row.max():.1%}" for row in found.probabilities]
    assert lines == [f"{n} {c} {s}" for n, c, s in zip(files, found.classes, shares, strict=True)]
    how = tmp_path / "out" / "preprocessing.json"
    how.write_text(how.read_text(encoding="utf-8").replace("stretch", "crop"), encoding="utf-8")
    with pytest.raises(AssertionError, match=r"run .*/out/example\.py instead"):
        ran("onnx_in_15_lines.py", tmp_path / "out", *files)
    text = (EXAMPLES / "onnx_in_15_lines.py").read_text(encoding="utf-8")
    assert len([line for line in text.splitlines()[1:] if line.strip()]) <= 15


def test_letters_are_drawn_each_once_in_four_styles(tmp_path):
    assert ran("draw_letters.py", tmp_path) == []
    folders = sorted(path.name for path in tmp_path.iterdir())
    assert folders == ["bold", "bold italic", "italic", "regular"]
    seen = set()
    for folder in folders:
        files = sorted(tmp_path.joinpath(folder).iterdir())
        assert 100 < len(files) <= 196 and files[7].name == "007.png"
        for path in files:
            with Image.open(path) as picture:
                pixels = np.asarray(picture)
            assert pixels.shape == (24, 24) and pixels.max() > 150 and pixels.mean() < 100
            assert pixels[[0, -1]].max() < 100  # nothing reaches above or below
            seen.add(pixels.tobytes())
    assert len(seen) == sum(len(list(tmp_path.joinpath(folder).iterdir())) for folder in folders)
