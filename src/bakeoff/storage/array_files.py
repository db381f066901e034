"""Arrays as the bytes of a study's files, and back: npy for one array, safetensors for weights.

What is read is checked: a file that holds something else is a StorageError of one line.
"""

import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load as parse_safetensors
from safetensors.numpy import save as format_safetensors

from bakeoff.errors import DamagedFile, StorageError
from bakeoff.storage.atomic import disk, opened_file, read_file
from bakeoff.storage.formats import damaged
from bakeoff.storage.written_folder import WEIGHTS, read_recorded


def npy_bytes(array: NDArray[Any]) -> bytes:
    """Return an array in NumPy's npy format."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def read_npy(path: Path) -> NDArray[Any]:
    """Return the array in an npy file, memory-mapped; objects are refused."""
    with disk(path), opened_file(path), warnings.catch_warnings():
        warnings.simplefilter("error")  # of sizes that overflow
        try:
            array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        except OSError:
            raise
        except Exception as error:  # whatever a header can make of NumPy's reader
            raise damaged(path) from error
    return array


def weights_bytes(weights: Mapping[str, NDArray[Any]]) -> bytes:
    """Return named weights in the safetensors format.

    Floats that NumPy itself has not (bfloat16) become float32, which holds them exactly: what
    reads the format into NumPy refuses them.
    """
    content: bytes = format_safetensors(  # not ascontiguousarray: it gives scalars a dimension
        {
            name: np.asarray(array, np.float32 if array.dtype.kind == "V" else None, order="C")
            for name, array in weights.items()
        }
    )
    return content


def recorded_weights(folder: Path, name: str = WEIGHTS) -> dict[str, NDArray[Any]]:
    """Return weights in a written folder by name; StorageError if they are not as recorded."""
    return read_weights(folder / name, read_recorded(folder, name))


def read_weights(path: Path, content: bytes | None = None) -> dict[str, NDArray[Any]]:
    """Return the weights in a safetensors file by name; raise StorageError if it is broken.

    content : the file's, where the caller has read it already
    """
    try:
        weights: dict[str, NDArray[Any]] = parse_safetensors(content or read_file(path))
    except StorageError:
        raise
    except Exception as error:  # whatever a header can make of the reader
        raise damaged(path) from error
    for name, array in weights.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise DamagedFile(
                f"{path}: expected finite weights, found others in {name[:60]!r}: no training "
                "leaves such weights; restore the file, or delete its folder and run the study "
                "again"
            )
    return weights
