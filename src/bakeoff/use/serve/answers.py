"""One request's images in, and what is answered about them; everything but the network itself."""

import base64
import io
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import UsageError
from bakeoff.storage import thumbnails
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.predictions import Adapt, PicturesReader
from bakeoff.study.trained_model import TrainedModel, trained_model
from bakeoff.study.training_profile import TrainingProfile

MOST_IMAGES = 1_000  # in one request
NEAREST = 6
_KINDS = "a picture (image/png, image/jpeg), application/json or application/octet-stream"


class Answers:
    """What a served study needs to answer: its networks, its reader of pictures, its profile."""

    def __init__(self, trained: TrainedModel, folder: StudyFolder) -> None:
        self.trained = trained
        self.all_seeds = trained_model(folder, model=trained.name, ensemble=True)
        self._readers = {adapt: PicturesReader(trained, adapt) for adapt in _ADAPTS}
        self.profile: TrainingProfile | None = self._readers["auto"].profile
        for reader in self._readers.values():
            reader.profile = self.profile
        self.centres = self.profile is not None and self.profile.frame() is not None
        dtype = np.uint8 if trained.stores_bytes else np.float32
        if self.profile is not None:
            dtype = self.profile.images.dtype.type
        self.dtype = dtype

    def warm_up(self) -> None:
        """Compile everything, so that no visitor waits for it."""
        shape = self.trained.input_shape
        for each in (self.trained, self.all_seeds):
            each.predictor.warm_up(shape, self.dtype)

    def read(self, content: bytes, kind: str, adapt: str) -> tuple[NDArray[Any], bool]:
        """Return the images of a request, and whether its picture was centred.

        Raises BakeoffError, of one sentence, where it has none.
        """
        if adapt not in self._readers:
            raise UsageError(f"adapt: expected auto, always or never, found {adapt[:20]!r}")
        reader = self._readers[adapt]
        kind = kind.partition(";")[0].strip().lower()
        if kind.startswith("image/"):
            pixels, centred = reader.decode(content, "the picture")
            return pixels[None].astype(self.dtype, copy=False), centred
        if kind == "application/json":
            images = reader.checked(_array(content), "images")
        elif kind == "application/octet-stream":
            images = self._raw(content)
        else:
            raise UsageError(f"expected {_KINDS}, found {kind[:40] or 'no content type'!r}")
        if not 1 <= len(images) <= MOST_IMAGES:
            raise UsageError(f"expected 1 to {MOST_IMAGES:,} images, found {len(images):,}")
        return images.astype(self.dtype, copy=False), False

    def _raw(self, content: bytes) -> NDArray[Any]:
        shape = self.trained.input_shape
        size = int(np.prod(shape))
        if not content or len(content) % size:
            raise UsageError(
                f"expected one byte a pixel, {size:,} an image, found {len(content):,} bytes"
            )
        return self._readers["never"].checked(
            np.frombuffer(content, np.uint8).reshape(-1, *shape), "images"
        )

    def answer(
        self, images: NDArray[Any], probabilities: NDArray[np.float32], *, centred: bool
    ) -> dict[str, Any]:
        """Return what is answered: one prediction an image.

        probabilities : shape (seeds, n, n_classes)
        """
        names = self.trained.class_names
        unlike = None if self.profile is None else self.profile.unlike(images).tolist()
        predictions = []
        for index, row in enumerate(probabilities.mean(axis=0)):
            values = row.tolist()
            first = int(row.argmax())
            predictions.append(
                {
                    "class": names[first],
                    "probability": values[first],
                    "probabilities": dict(zip(names, values, strict=True)),
                    "unlike_training": None if unlike is None else unlike[index],
                    "centred": centred,
                }
            )
        return {"model": self.trained.title, "predictions": predictions}

    def details(self, image: NDArray[Any], each_seed: NDArray[np.float32]) -> dict[str, Any]:
        """Return what the page shows beside the answer to one picture.

        each_seed : probabilities, shape (seeds, n_classes)
        """
        names = self.trained.class_names
        seeds = [
            {
                "seed": seed,
                "class": names[int(row.argmax())],
                "probability": float(row.max()),
            }
            for seed, row in zip(self.all_seeds.seeds, each_seed, strict=True)
        ]
        nearest = []
        if self.profile is not None:
            for index in self.profile.nearest(image, NEAREST).tolist():
                label = names[int(self.profile.labels[index])]
                nearest.append({"image": self.data_url(self.profile.images[index]), "class": label})
        return {"seen": self.data_url(image), "seeds": seeds, "nearest": nearest}

    def data_url(self, image: NDArray[Any]) -> str:
        """Return an image as a PNG in a URL, for the page."""
        from PIL import Image

        small = thumbnails.thumbnails(image[None], self.trained.maximum)[0]
        buffer = io.BytesIO()
        picture = Image.fromarray(small[..., 0] if small.shape[2] == 1 else small)
        picture.save(buffer, format="PNG")
        return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()

    def examples(self, count: int) -> list[dict[str, str]]:
        """Return training images to click on, a few of each class."""
        if self.profile is None:
            return []
        labels = self.profile.labels
        each = max(1, count // len(self.trained.class_names))
        chosen = [
            index
            for label in range(len(self.trained.class_names))
            for index in np.flatnonzero(labels == label)[:each].tolist()
        ][:count]
        return [
            {
                "image": self.data_url(self.profile.images[index]),
                "class": self.trained.class_names[int(labels[index])],
            }
            for index in chosen
        ]


_ADAPTS: tuple[Adapt, ...] = ("auto", "always", "never")


def _array(content: bytes) -> NDArray[Any]:
    try:
        document = json.loads(content)
        array = np.asarray(document["images"])
        if array.dtype.kind not in "uif":
            raise ValueError
        return array
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        raise UsageError(
            'expected {"images": [...]}, numbers of shape (n, height, width[, channels])'
        ) from None
