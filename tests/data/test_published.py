"""Data sets by name: found, refused, downloaded from mirrors that are functions here; 3 s.

Run: pytest tests/data/test_published.py (with BAKEOFF_DATA set, MNIST and Fashion-MNIST too)
"""

import gzip
import hashlib
import re
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from bakeoff import data
from bakeoff.data import download, named
from bakeoff.data import published as sources
from bakeoff.errors import ChecksumMismatch, DataError, StorageError
from tests.helpers.idx import idx_bytes

GO_ONLINE = download.download
SMALL = {
    "x_train": np.arange(6 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(6, 28, 28),
    "y_train": np.arange(6, dtype=np.uint8),
    "x_test": np.full((2, 28, 28), 7, np.uint8),
    "y_test": np.array([3, 9], np.uint8),
}


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


def put(folder, *, packed=True):
    folder.mkdir(parents=True)
    for key, stem in sources.FILES.items():
        content = idx_bytes(SMALL[key])
        path = folder / (f"{stem}.gz" if packed else stem)
        path.write_bytes(gzip.compress(content) if packed else content)


def check(loaded):
    assert (loaded.name, loaded.test_start, loaded.maximum) == ("mnist", 6, 255)
    assert loaded.input_shape == (28, 28, 1)
    assert loaded.labels.tolist() == [0, 1, 2, 3, 4, 5, 3, 9]
    np.testing.assert_array_equal(loaded.images[:6, ..., 0], SMALL["x_train"])
    np.testing.assert_array_equal(loaded.images[6:, ..., 0], SMALL["x_test"])


def test_digits_are_those_of_scikit_learn(digits):
    from sklearn.datasets import load_digits

    reference = load_digits()
    np.testing.assert_array_equal(digits.images[..., 0], reference.images)
    np.testing.assert_array_equal(digits.labels, reference.target)
    assert (digits.maximum, digits.test_start) == (16, None)
    assert digits.images.dtype == np.uint8
    assert digits.class_names == tuple(str(name) for name in reference.target_names)


def test_other_digits_are_refused(tmp_path, monkeypatch):
    other = tmp_path / "digits.csv.gz"
    other.write_bytes(gzip.compress(b"\n".join([b",".join([b"1"] * 65)] * 1797)))
    monkeypatch.setattr(named, "_digits_file", lambda: other)
    with pytest.raises(ChecksumMismatch, match=f"^{re.escape(mismatch(other))}$"):
        data.load("digits")
    other.write_bytes(gzip.compress(b"1,2,3"))
    with pytest.raises(DataError, match=re.escape(f"{other}: broken (")):
        data.load("digits")


def mismatch(path):
    return (
        f"{path}: expected the published file, found other content: delete it or get it again, or "
        "use other data as {idx: [images, labels]}"
    )


def test_facts_of_mnist(mnist):
    assert mnist.images.shape == (70_000, 28, 28, 1)
    assert mnist.images.dtype == np.uint8
    assert mnist.test_start == 60_000
    assert mnist.labels[1918] == 6
    row = [0, 0, 0, 0, 0, 0, 0, 6, 160, 252, 252, 252, 211, 0]
    assert mnist.images[1918, 5, :14, 0].tolist() == row
    assert mnist.images[2917, 10, 19, 0] == 11
    assert mnist.labels[333] == 8
    assert data.class_counts(mnist, data.own_parts(mnist))["train"].tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]  # fmt: skip


def test_facts_of_fashion_mnist():
    try:
        fashion = data.load("fashion-mnist", offline=True)
    except DataError as error:
        pytest.skip(f"Fashion-MNIST is not at hand: {error}")
    assert fashion.class_names[0] == "T-shirt/top"
    assert fashion.class_names[9] == "Ankle boot"
    counts = data.class_counts(fashion, data.own_parts(fashion))
    assert counts["train"].tolist() == [6000] * 10
    assert counts["test"].tolist() == [1000] * 10


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    "place",
    [
        ".cache/bakeoff/data/mnist",
        "data/MNIST/raw",
        ".cache/torch/MNIST/raw",
        "../data/MNIST/raw",
    ],
)
def test_places(small, place, packed):
    put(small / place, packed=packed)
    check(data.load("mnist", offline=True))


@pytest.mark.parametrize(
    ("variable", "below"),
    [
        ("BAKEOFF_DATA", "mnist"),
        ("TORCH_HOME", "MNIST/raw"),
    ],
)
def test_places_that_variables_name(small, monkeypatch, variable, below):
    monkeypatch.setenv(variable, str(small / "elsewhere"))
    put(small / "elsewhere" / below)
    check(data.load("mnist", offline=True))


def test_the_cache_is_the_users():
    folder = sources.cache_folder("mnist")
    assert folder.parts[-3:] == ("bakeoff", "data", "mnist")
    assert folder.is_relative_to(platformdirs.user_cache_dir())


def test_the_order_of_places(home, monkeypatch):
    monkeypatch.setenv("BAKEOFF_DATA", "/given")
    monkeypatch.setenv("KERAS_HOME", "/keras")
    monkeypatch.setenv("TORCH_HOME", "/torch")
    fashion = sources.places(sources.PUBLISHED["fashion-mnist"])
    assert [str(path) for path in fashion] == [
        "/given/fashion-mnist",
        f"{home}/.cache/bakeoff/data/fashion-mnist",
        "/keras/datasets/fashion-mnist",
        "data/FashionMNIST/raw",
        f"{home}/data/FashionMNIST/raw",
        "/torch/FashionMNIST/raw",
        "/usr/share/datasets/fashion-mnist",
    ]
    assert sources.places(sources.PUBLISHED["mnist"])[2] == Path("/keras/datasets")


def test_the_npz_file_of_keras(small):
    path = small / ".keras" / "datasets" / "mnist.npz"
    path.parent.mkdir(parents=True)
    np.savez_compressed(path, **SMALL)
    check(data.load("mnist", offline=True))
    for wrong in (SMALL["y_test"][::-1], SMALL["y_test"].astype(np.int64)):
        np.savez_compressed(path, **{**SMALL, "y_test": wrong})
        with pytest.raises(ChecksumMismatch, match=f"^{re.escape(mismatch(path))}$"):
            data.load("mnist", offline=True)
    np.savez_compressed(path, x=SMALL["x_train"])
    message = f"{path}: expected the arrays x_train, y_train, x_test, y_test, found x"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        data.load("mnist", offline=True)


def test_a_file_with_other_content_is_named(small):
    folder = small / ".cache/bakeoff/data/mnist"
    put(folder)
    path = folder / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(idx_bytes(SMALL["x_test"] + 1)))
    with pytest.raises(ChecksumMismatch, match=f"^{re.escape(mismatch(path))}$"):
        data.load("mnist")
    path.write_bytes(gzip.compress(idx_bytes(SMALL["x_train"])))
    message = f"{path}: expected the shape 2 × 28 × 28, found 6 × 28 × 28: get the file again"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        data.load("mnist")


def test_absent_and_offline(home):
    put(home / "data" / "MNIST" / "raw")
    (home / "data" / "MNIST" / "raw" / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError) as error:
        data.load("mnist", offline=True)
    assert str(error.value) == (
        "mnist: expected train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, "
        "t10k-labels-idx1-ubyte (or .gz) in one of "
        f"{home}/.cache/bakeoff/data/mnist, {home}/.keras/datasets, data/MNIST/raw, "
        f"{home}/data/MNIST/raw, {home}/.cache/torch/MNIST/raw, found them in none; "
        f"{home}/data/MNIST/raw lacks t10k-labels-idx1-ubyte; downloading is off: set BAKEOFF_DATA "
        "to a folder in which mnist/ has these files"
    )
    assert not (home / ".cache").exists()


# downloads


class Mirrors:
    """Stands for the network: `answers` maps a mirror to what it does with a file."""

    def __init__(self, monkeypatch, **answers):
        self.answers = answers
        self.asked = []
        monkeypatch.setattr(download, "download", self)

    def __call__(self, url, target, *, label):
        host, name = re.fullmatch(r"https://(\w+)\.example/(.+)\.gz", url).groups()
        self.asked.append((host, name))
        self.answers[host](target, {stem: key for key, stem in sources.FILES.items()}[name])


def good(target, key):
    target.write_bytes(gzip.compress(idx_bytes(SMALL[key])))


def wrong(target, key):
    target.write_bytes(gzip.compress(idx_bytes(255 - SMALL[key])))


def down(target, key):
    from requests.exceptions import ConnectionError

    raise ConnectionError("no network")


def test_a_download_is_kept(small, monkeypatch):
    mirrors = Mirrors(monkeypatch, one=good)
    check(data.load("mnist"))
    assert len(mirrors.asked) == 4
    folder = small / ".cache/bakeoff/data/mnist"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [".lock", *(f"{stem}.gz" for stem in sources.FILES.values())]
    )
    check(data.load("mnist"))
    assert len(mirrors.asked) == 4


@pytest.mark.parametrize("failing", [down, wrong])
def test_the_next_mirror_is_asked(small, monkeypatch, failing):
    mirrors = Mirrors(monkeypatch, one=failing, two=good)
    check(data.load("mnist"))
    assert [host for host, _ in mirrors.asked] == ["one", "two"] * 4


def test_only_what_is_missing_is_downloaded(small, monkeypatch):
    folder = small / ".cache/bakeoff/data/mnist"
    put(folder)
    (folder / "train-labels-idx1-ubyte.gz").unlink()
    mirrors = Mirrors(monkeypatch, one=good)
    check(data.load("mnist"))
    assert mirrors.asked == [("one", "train-labels-idx1-ubyte")]


def test_no_mirror_answers(small, monkeypatch):
    Mirrors(monkeypatch, one=down, two=wrong)
    with pytest.raises(DataError) as error:
        data.load("mnist")
    assert str(error.value) == (
        "mnist: expected to download train-images-idx3-ubyte.gz, found no mirror that gave it: "
        "tried https://one.example/ (ConnectionError); https://two.example/ (other content): go "
        "online, or set BAKEOFF_DATA to a folder that has mnist/ with its four files"
    )
    folder = small / ".cache/bakeoff/data/mnist"
    assert [path.name for path in folder.iterdir()] == [".lock"]


def test_the_cache_cannot_be_written(small, monkeypatch):
    Mirrors(monkeypatch, one=good)
    (small / ".cache").mkdir(parents=True)
    (small / ".cache" / "bakeoff").write_text("in the way")
    message = (
        f"{small}/.cache/bakeoff/data/mnist: cannot keep mnist there (Not a directory): make room, "
        "or set BAKEOFF_DATA to a folder that has mnist/ with its files"
    )
    with pytest.raises(StorageError, match=f"^{re.escape(message)}$"):
        data.load("mnist")


def test_two_at_once_download_once(small, monkeypatch):
    mirrors = Mirrors(monkeypatch, one=good)
    loaded = []
    threads = [threading.Thread(target=lambda: loaded.append(data.load("mnist"))) for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loaded) == 2
    assert len(mirrors.asked) == 4


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A mirror on this machine that has a file and lacks others."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "file.gz").write_bytes(bytes(300_000))

    class Silent(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = partial(Silent, directory=str(tmp_path / "served"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_real_answer(server, tmp_path):
    download.download(f"{server}file.gz", tmp_path / "got", label="file")
    assert (tmp_path / "got").read_bytes() == bytes(300_000)


def test_a_mirror_that_lacks_the_file(small, server, monkeypatch):
    monkeypatch.setattr(download, "download", GO_ONLINE)
    published = replace(sources.PUBLISHED["mnist"], mirrors=(server,))
    message = (
        "mnist: expected to download train-images-idx3-ubyte.gz, found no mirror that gave it: "
        f"tried {server} (status 404): go online, or set BAKEOFF_DATA to a folder that has mnist/ "
        "with its four files"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        download.fetch(published, small / "cache")


def test_progress_is_for_terminals(monkeypatch, capsys):
    import sys

    def run():
        progress = download.Progress("mnist")
        progress.total = 200
        progress.update(100)
        progress.update(100)
        progress.close()

    run()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    run()
    assert capsys.readouterr().err == "\rmnist 50 %\rmnist 100 %\n"


def test_an_endless_answer_is_cut():
    progress = download.Progress("mnist")
    with pytest.raises(DataError, match=r"^more than 67,108,864 bytes$"):
        for _ in range(2000):
            progress.update(1 << 16)
