"""What jobs read, put into an object store once and let go of after the last.

Oracle: by hand. Cost: nothing. Run: pytest tests/study/executors/test_object_store.py
"""

from pathlib import Path
from types import SimpleNamespace

import pytest

from bakeoff.study.executors.object_store import Contents, HostContents
from bakeoff.study.executors.remote_job import path_of

IMAGES, WEIGHTS = Path("/data/train images.npy"), Path("/data/weights.safetensors")


def key(path):
    return f"{path} 12 345"


def order(*paths):
    return SimpleNamespace(files={path.name: key(path) for path in paths})


@pytest.fixture
def store():
    jobs = [
        SimpleNamespace(reads=lambda: [IMAGES, WEIGHTS]),
        SimpleNamespace(reads=lambda: [IMAGES]),
    ]
    put = []

    def keep(path):
        put.append(path)
        return f"reference {len(put)}"

    return Contents(jobs, keep), put


def test_what_several_jobs_read_is_put_once(store):
    contents, put = store
    assert contents.shared(IMAGES) and not contents.shared(WEIGHTS)
    assert [contents.reference(key(IMAGES), IMAGES) for _ in range(2)] == ["reference 1"] * 2
    assert contents.reference(key(WEIGHTS), WEIGHTS) == "reference 2"
    assert put == [IMAGES, WEIGHTS]


def test_after_the_last_job_a_content_is_let_go_of(store):
    contents, _ = store
    contents.reference(key(IMAGES), IMAGES)
    assert contents.done(order(IMAGES, WEIGHTS)) == [key(WEIGHTS)]
    assert not contents.shared(IMAGES)
    assert contents.done(order(IMAGES)) == [key(IMAGES)]


def test_a_key_begins_with_its_path_whatever_that_holds():
    assert path_of(key(IMAGES)) == str(IMAGES)


def test_a_host_is_sent_what_it_lacks_and_forgets_what_the_next_job_does_not_read():
    host = HostContents()
    assert host.take(["a", "b"]) == (["a", "b"], [])
    host.let_go(["a", "b", "never sent"])
    assert host.take(["a"]) == ([], ["content-2"])
    assert host.take(["b"]) == (["b"], [])
    assert host.names == {"a": "content-1", "b": "content-3"}  # never a name twice
