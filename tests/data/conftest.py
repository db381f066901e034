"""Fixtures of the data sets' tests: empty computers, small files, bounds on time and memory."""

import hashlib
import time
import tracemalloc
from contextlib import contextmanager

import numpy as np
import pytest

from bakeoff.data import download
from bakeoff.data import published as sources
from tests.helpers.folders import grey, save
from tests.helpers.idx import idx_bytes
from tests.helpers.published import SMALL


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A computer on which nothing is found: an empty home, no variables, no network."""
    for name in ("BAKEOFF_DATA", "KERAS_HOME", "TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def offline(url, target, *, label):
        raise AssertionError(f"a test went online: {url}")

    monkeypatch.setattr(download, "download", offline)
    cache = tmp_path / "home" / ".cache" / "bakeoff" / "data"
    monkeypatch.setattr(sources, "cache_folder", lambda name: cache / name)
    return tmp_path / "home"


@pytest.fixture
def small(home, monkeypatch):
    """A published data set of eight images that goes by the name of mnist."""
    hashes = {key: hashlib.sha256(idx_bytes(array)).hexdigest() for key, array in SMALL.items()}
    published = sources.Published(
        name="mnist",
        torchvision="MNIST",
        class_names=tuple("0123456789"),
        mirrors=("https://one.example/", "https://two.example/"),
        hashes=hashes,
    )
    monkeypatch.setitem(sources.PUBLISHED, "mnist", published)
    monkeypatch.setattr(sources, "SHAPES", {key: array.shape for key, array in SMALL.items()})
    return home


@pytest.fixture
def root(tmp_path):
    """Two classes of two images; the grey value says which is which."""
    root = tmp_path / "pets"
    for name, value in [("cat/1", 10), ("cat/10", 20), ("cat/2", 15), ("dog/1", 30)]:
        save(root / f"{name}.png", grey(value))
    return root


@pytest.fixture
def images(tmp_path):
    """Six pictures in a folder; the number is in the first pixel."""
    for number in range(6):
        pixels = np.full((4, 4), 255, np.uint8)
        pixels[0, 0] = number
        save(tmp_path / "images" / f"a{number}.png", pixels)
    return tmp_path


@pytest.fixture(scope="session")
def rows(digits):
    """Return pixels and labels of forty digits, a line for each."""
    return digits.images[:40].reshape(40, 64), digits.labels[:40]


@pytest.fixture
def cheap():
    """Give a context in which more than 2 s or 100 MB of Python's memory is a failure."""

    @contextmanager
    def bounded():
        tracemalloc.start()
        start = time.perf_counter()
        try:
            yield
        finally:
            seconds, peak = time.perf_counter() - start, tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert seconds < 2
        assert peak < 100 << 20

    return bounded
