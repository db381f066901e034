"""The figures of docs/using.md: photographed MNIST digits, with and without centring; two minutes.

`python docs/photographs.py`, with MNIST at hand. The photographs are made: test images as dark ink
on light paper with a shadow across it, anywhere on the page.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import bakeoff
from bakeoff import data

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.helpers.photos import page

COUNT = 1000

if __name__ == "__main__":
    mnist = data.load("mnist")
    images = mnist.images[mnist.test_start :][:COUNT]
    labels = mnist.labels[mnist.test_start :][:COUNT]
    with tempfile.TemporaryDirectory() as folder:
        mlp = {"layers": [{"dense": {"units": 128, "activation": "relu"}}]}
        study = bakeoff.Study(
            "photographs",
            data="mnist",
            models={"mlp": mlp},
            seeds=1,
            training={"epochs": 3, "batch_size": 128},
            baselines=[],
        )
        result = study.run(out=Path(folder, "study"))
        pictures = Path(folder, "pictures")
        pictures.mkdir()
        for index, image in enumerate(images):
            photograph = page(image[..., 0] / 255, seed=index)
            Image.fromarray(photograph).save(pictures / f"{index:04d}.png")
        found = {
            "as MNIST has them": result.predict(images),
            "photographed": result.predict(pictures),
            "photographed, never centred": result.predict(pictures, adapt="never"),
        }
        for words, each in found.items():
            print(  # noqa: T201
                f"{words}: {np.mean(each.labels == labels):.1%} of {len(each):,} correct, "
                f"{each.centred.mean():.1%} centred, {each.unlike.mean():.1%} unlike training"
            )
