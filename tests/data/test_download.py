"""Downloads: mirrors that are functions or a server here.

Oracle: the files that the mirrors give. Cost: 2 s.

Run: pytest tests/data/test_download.py
"""

import re
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bakeoff import data
from bakeoff.data import download
from bakeoff.data import published as sources
from bakeoff.errors import DataError, StorageError
from tests.helpers.published import check, good, put, wrong

GO_ONLINE = download.download


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
