"""One request's images in, and what is answered about them."""

import base64
import io
import json
import time
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import UsageError
from bakeoff.storage import thumbnails
from bakeoff.study.winner.read_pictures import Adapt, PicturesReader
from bakeoff.study.winner.trained_model import TrainedModel, with_all_seeds
from bakeoff.study.winner.training_profile import TrainingProfile
from bakeoff.training.predictor import SIZES
from bakeoff.use.serve.answer_text import AnswerText, Unlike

MOST_IMAGES = 1_000  # in one request
NEAREST = 6
DECIMALS = 6  # of a probability
QUICK = 0.003  # seconds: less than an answer may take, more than it takes to ask another thread
_ADAPTS: tuple[Adapt, ...] = get_args(Adapt)
_NAME = "the picture"
_KINDS = "a picture (image/png, image/jpeg), application/json or application/octet-stream"


class Answers:
    """What a served study needs to answer: its networks, its reader of pictures, its profile."""

    def __init__(self, trained: TrainedModel) -> None:
        self.trained = trained
        self.all_seeds = with_all_seeds(trained)
        self._readers = {
            (adapt, shown): PicturesReader(trained, adapt, shown=shown)
            for adapt in _ADAPTS
            for shown in (False, True)
        }
        self.profile: TrainingProfile | None = self._readers["auto", False].profile
        for reader in self._readers.values():
            reader.profile = self.profile
        self.centres = self.profile is not None and self.profile.frame() is not None
        dtype = np.uint8 if trained.stores_bytes else np.float32
        if self.profile is not None:
            dtype = self.profile.images.dtype.type
        self.dtype = dtype
        self.text = AnswerText(trained.title, trained.class_names)

    def warm_up(self) -> int:
        """Compile everything, so that no visitor waits; return how many images are answered fast.

        These take no longer than QUICK seconds.
        """
        shape = self.trained.input_shape
        for each in (self.trained, self.all_seeds):
            each.predictor.warm_up(shape, self.dtype)
        quick = 0
        for size in SIZES:
            images = np.zeros((size, *shape), self.dtype)
            self.predict(images)
            if min(self._seconds(images) for _ in range(3)) > QUICK:
                break
            quick = size
        return quick

    def _seconds(self, images: NDArray[Any]) -> float:
        begun = time.perf_counter()
        self.predict(images)
        return time.perf_counter() - begun

    def predict(self, images: NDArray[Any]) -> tuple[list[int], list[list[float]], list[Unlike]]:
        """Return the class of each image, its probabilities, rounded, and if it is unlike training.

        The last is None where that cannot be told.
        """
        each = self.trained.per_seed(images)
        mean = each[0] if len(each) == 1 else each.mean(axis=0)
        rounded = np.round(mean.astype(np.float64), DECIMALS).tolist()
        unlike = (
            [None] * len(images) if self.profile is None else self.profile.unlike(images).tolist()
        )
        return mean.argmax(axis=1).tolist(), rounded, unlike

    def predict_each(self, images: NDArray[Any]) -> tuple[NDArray[np.float32]]:
        """Return every seed's probabilities, shape (n, seeds, n_classes)."""
        return (self.all_seeds.per_seed(images).swapaxes(0, 1),)

    def read(
        self, content: bytes, kind: str, adapt: str, *, shown: bool = False
    ) -> tuple[NDArray[Any], bool]:
        """Return the images of a request, and whether its picture was centred.

        shown : whether white is 255 in its picture, as on a screen
        With "auto" it is not yet: see `centred`. Raises BakeoffError, of one sentence, where the
        request has no images.
        """
        if adapt not in _ADAPTS:
            raise UsageError(f"adapt: expected auto, always or never, found {adapt[:20]!r}")
        reader = self._readers[adapt, shown]
        kind = kind.partition(";")[0].strip().lower()
        if kind.startswith("image/"):
            if adapt == "auto":
                pixels, centred = reader.plain(content, _NAME), False
            else:
                pixels, centred = reader.decode(content, _NAME)
            return self._kept(pixels[None]), centred
        if kind == "application/json":
            images = reader.checked(_array(content), "images")
        elif kind == "application/octet-stream":
            images = self._raw(content)
        else:
            have = repr(kind[:40]) if kind else "no content type"
            raise UsageError(f"expected {_KINDS}, found {have}")
        if not 1 <= len(images) <= MOST_IMAGES:
            raise UsageError(f"expected 1 to {MOST_IMAGES:,} images, found {len(images):,}")
        return self._kept(images), False

    def _kept(self, images: NDArray[Any]) -> NDArray[Any]:
        """Return images with every value they have; bytes hold no fractions, and nothing aside."""
        if self.dtype != np.uint8 or images.dtype == np.uint8:
            return images.astype(self.dtype, copy=False)
        whole = images.clip(0, 255).astype(np.uint8)
        return whole if np.array_equal(whole, images) else images.astype(np.float32)

    def centred(self, content: bytes, *, shown: bool = False) -> NDArray[Any] | None:
        """Return a picture with its figure centred, shape (1, height, width, channels).

        None where that does not make it look like the training images.
        """
        pixels, centred = self._readers["auto", shown].decode(content, _NAME)
        return self._kept(pixels[None]) if centred else None

    def _raw(self, content: bytes) -> NDArray[Any]:
        shape = self.trained.input_shape
        size = int(np.prod(shape))
        if not content or len(content) % size:
            raise UsageError(
                f"expected one byte a pixel, {size:,} an image, found {len(content):,} bytes"
            )
        return self._readers["never", False].checked(
            np.frombuffer(content, np.uint8).reshape(-1, *shape), "images"
        )

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
