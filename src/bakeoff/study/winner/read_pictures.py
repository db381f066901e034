"""Pictures and arrays brought to what a study's training saw, before its winner predicts them.

A photographed figure (dark ink on light paper, anywhere, at any size) is also tried the way the
training images show figures: centred, scaled, light on dark. That is kept only where it makes the
picture look like the training images and the plain one does not, and every such row says so.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.centring import centred
from bakeoff.data.image_files.file_scale import check_depth, first_white
from bakeoff.data.image_files.image_file import content_of, decode, decoding, upright
from bakeoff.data.in_memory.arrays import arrange, arranged_shape
from bakeoff.data.safe_reading import refusing
from bakeoff.data.source_images import content_key
from bakeoff.data.sources import Pictures
from bakeoff.errors import DataError, UsageError
from bakeoff.study.winner.trained_model import TrainedModel
from bakeoff.study.winner.training_profile import TrainingProfile, read_profile
from bakeoff.utils.text import counted

Adapt = Literal["auto", "always", "never"]
MAX_SIDE = 512  # pixels a side at which a figure is looked for
_ASIDE = 0.01  # of the maximum by which a pixel may lie outside


class PicturesReader:
    """Pictures as a model's study would have read them for training.

    adapt : "auto", "always" or "never": whether figures are centred and scaled
    shown : whether white is 255, as on a screen, whatever it is in the study's picture files
    """

    def __init__(
        self, trained: TrainedModel, adapt: Adapt = "auto", *, shown: bool = False
    ) -> None:
        if adapt not in get_args(Adapt):
            raise UsageError(f"adapt: expected auto, always or never, found {adapt!r}")
        self.trained, self.adapt = trained, adapt
        height, width, channels = trained.input_shape
        # its pixels are those of the files
        self._as_decoded = trained.pictures is not None and not shown
        stretched = Pictures(size=(height, width), color="grey" if channels == 1 else "rgb")
        self._how = trained.pictures or stretched

    @cached_property
    def profile(self) -> TrainingProfile | None:
        """What the training images look like; None where the study cannot tell."""
        return read_profile(self.trained.folder)

    @cached_property
    def _frame(self) -> Any:
        return None if self.profile is None or self.adapt == "never" else self.profile.frame()

    def read(self, path: str | os.PathLike[str]) -> tuple[NDArray[Any], bool, np.uint64]:
        """Return (a picture file's pixels as stored, whether it was centred, the file's key).

        Raises DataError.
        """
        with content_of(path) as content:
            return *self._decoded(content), content_key(content)

    def decode(self, content: bytes, name: str) -> tuple[NDArray[Any], bool]:
        """Return the same of a picture file's content; errors begin with its name."""
        with refusing(name), decoding():
            return self._decoded(content)

    def plain(self, content: bytes, name: str) -> NDArray[Any]:
        """Return a picture file's pixels as stored, never centred; errors begin with its name."""
        with refusing(name), decoding():
            return self._plain(content)

    def _decoded(self, content: bytes) -> tuple[NDArray[Any], bool]:
        plain = self._plain(content)
        if self._frame is None or not self._wanted(plain):
            return plain, False
        return self._centred(content, plain)

    def _plain(self, content: bytes) -> NDArray[Any]:
        how = self._how
        white = self.trained.deep_white
        read = decode(
            content, size=how.size, color=how.color, fit=how.fit, white=white or first_white(how)
        )
        check_depth(read.deepest, white)
        return self._as_in_files(read.pixels) if self._as_decoded else self._stored(read.pixels)

    def _centred(self, content: bytes, plain: NDArray[Any]) -> tuple[NDArray[Any], bool]:
        how, white = self._how, self.trained.deep_white
        height, width = upright(content)
        factor = min(1.0, MAX_SIDE / max(height, width))
        size = (max(1, round(factor * height)), max(1, round(factor * width)))
        grey = decode(content, size=size, color="grey", white=white or first_white(how)).pixels
        if self._as_decoded and self.trained.maximum < 255:
            grey = np.round(grey * (255 / self.trained.maximum)).astype(np.uint8)
        return self._choose(plain, grey[..., 0])

    def _wanted(self, plain: NDArray[Any]) -> bool:
        """Say whether it is worth trying to centre."""
        assert self.profile is not None
        return self.adapt == "always" or bool(self.profile.unlike(plain[None])[0])

    def _choose(self, plain: NDArray[Any], picture: NDArray[Any]) -> tuple[NDArray[Any], bool]:
        found = centred(picture, self._frame)
        if found is None:
            return plain, False
        figure = self._stored(found)
        assert self.profile is not None
        if self.adapt == "auto" and self.profile.unlike(figure[None])[0]:
            return plain, False
        return figure, True

    def _as_in_files(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the pixels of a file as they are; or DataError: another scale."""
        if pixels.max(initial=0) > self.trained.maximum:
            raise DataError(
                f"expected pixels from 0 to {self.trained.maximum:g}, as in the study's picture "
                f"files, found {pixels.max()}: bring it to that scale"
            )
        return pixels

    def _stored(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        """Return 8-bit pixels on the scale of the data set."""
        maximum = self.trained.maximum
        if not self.trained.stores_bytes:
            return (pixels.astype(np.float32) * (maximum / 255)).astype(np.float32)
        if maximum == 255:
            return pixels
        return np.round(pixels * (maximum / 255)).astype(np.uint8)

    def checked(self, images: NDArray[Any], where: str) -> NDArray[Any]:
        """Return images as (n, height, width, channels), however a data set may have them.

        One image may come alone. Raises DataError unless the model can take them.
        """
        array = self._arranged(images, where)
        self._require_scale(array, where)
        return array

    def _arranged(self, images: NDArray[Any], where: str) -> NDArray[Any]:
        """Return images as (n, height, width, channels); DataError for another shape."""
        shape = self.trained.input_shape
        height, width, channels = shape
        array = np.asarray(images)
        array = array.astype(np.uint8) if array.dtype == bool else array  # as data sets have them
        alone = [shape, (channels, height, width), *([(height, width)] if channels == 1 else [])]
        if array.shape in alone:
            array = array[None]
        if channels == 1 and array.shape[1:] == (height, width):  # also 16 × 1, or else rows
            array = array[..., None]
        with suppress(DataError):
            array = arrange(array) if arranged_shape(where, array.shape) == shape else array
        words = " × ".join(map(str, shape))
        if array.shape[1:] != shape or array.dtype.kind not in "uif":
            raise DataError(
                f"{where}: expected numbers of shape (n, {', '.join(map(str, shape))}), found "
                f"{array.dtype} of shape {array.shape}: give images of {words}, or picture files"
            )
        return array

    def _require_scale(self, array: NDArray[Any], where: str) -> None:
        """Refuse pixels on another scale than that of the study's data."""
        maximum = self.trained.maximum
        low, high = (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)
        aside = _ASIDE * maximum
        if np.isnan(low):
            found = f"NaN in {counted(int(np.isnan(array).sum()), 'place')}: give numbers"
        elif not (low >= -aside and high <= maximum + aside):
            found = f"{low:g} to {high:g}: bring them to that scale"
        elif maximum >= 2 and 0 < high <= 1:
            found = f"nothing above {high:g}: multiply by {maximum:g}"
        elif maximum > 255 and array.dtype == np.uint8:
            found = f"bytes: multiply them by {maximum / 255:g}"
        else:
            return
        raise DataError(
            f"{where}: expected pixels from 0 to {maximum:g}, as the study's data has them, "
            f"found {found}"
        )
