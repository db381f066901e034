"""A job on another machine: what is sent along, where it is done there, what is sent back.

Paths keep their meaning: a file of the study's folder here lies at the same place of an empty
folder there. Features of images, which lie in the user's cache here, lie below `USER` there.
"""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from bakeoff.errors import StudyError
from bakeoff.storage import atomic, feature_cache, written_folder
from bakeoff.study.executors.interface import Job, MovableJob
from bakeoff.study.jobs.checkpoint_names import CHECKPOINTS_KEPT, newest_first
from bakeoff.utils.events import OnEpoch

USER = ".user"
_FEATURES = f"{USER}/features/"


class Garbled(Exception):
    """The files that came back are not those that the job writes."""


@dataclass(frozen=True)
class RemoteJob:
    """A job to be done elsewhere; all places are relative to its study's folder.

    homes : the study's folder, as the job's fields spell it
    files : what the job reads: the key of each file by its place
    writes, keeps : where its results and its checkpoints will lie
    """

    job: Job
    homes: tuple[str, ...]
    files: Mapping[str, str]
    writes: tuple[str, ...]
    keeps: tuple[str, ...]


def to_send(job: MovableJob, home: Path) -> tuple[RemoteJob, dict[str, Path]]:
    """Return a job as it is sent, and the file behind every key; `home` is its study's folder.

    A key belongs to a file as it is now: a file that was changed has another key.
    """
    found: dict[str, Path] = {}
    files = {}
    for path in job.reads():
        with atomic.disk(path):
            status = path.stat()
        key = f"{path.absolute()} {status.st_mtime_ns} {status.st_size}"
        found[key], files[_place(path, home)] = path, key
    made = RemoteJob(
        job,
        homes=tuple(dict.fromkeys((str(home), str(home.resolve())))),
        files=files,
        writes=tuple(_place(path, home) for path in job.writes()),
        keeps=tuple(_place(path, home) for path in job.keeps()),
    )
    return made, found


def path_of(key: str) -> str:
    """Return the path of the file that a key of `to_send` belongs to."""
    return key.rpartition(" ")[0].rpartition(" ")[0]


def _place(path: Path, home: Path) -> str:
    cache = feature_cache.features_root()
    for base, name in ((home, ""), (home.resolve(), ""), (cache, _FEATURES)):
        if path.is_relative_to(base):
            return name + path.relative_to(base).as_posix()
    raise StudyError(f"{path}: expected a file of the study in {home}, found one elsewhere")


def _path(place: str, home: Path) -> Path:
    """Return the path of a place in the study here."""
    if place.startswith(_FEATURES):
        return feature_cache.features_root() / place.removeprefix(_FEATURES)
    return home / place


# ── there ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class UnpackedJob:
    """A job unpacked into a folder with what it reads; `user` is the user's folder there."""

    job: Job
    user: str

    @property
    def label(self) -> str:
        """What the job is called in messages."""
        return self.job.label

    @property
    def affinity(self) -> str:
        """Jobs of the same affinity share compiled programs."""
        return self.job.affinity

    @property
    def runs_user_code(self) -> bool:
        """Whether a Python builder makes its network."""
        return self.job.runs_user_code

    def run(self, on_epoch: OnEpoch) -> None:
        """Do it: what is the user's own is kept beside the study."""
        os.environ["BAKEOFF_HOME"] = self.user  # of a worker, which does one job at a time
        self.job.run(on_epoch)


def unpack_job(made: RemoteJob, folder: Path, content: Callable[[str], Path]) -> UnpackedJob:
    """Put what a job reads into an empty folder; return the job that is done there.

    content : gives the file, on the same disk, that holds a key's content
    """
    for place, key in made.files.items():
        target = folder / place
        with atomic.disk(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(content(key), target)
    for place in made.writes:  # no worker makes a study's folder
        with atomic.disk(folder / place):
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
    return UnpackedJob(_moved(made.job, made.homes, str(folder)), str(folder / USER))


def _moved(value: Any, homes: Sequence[str], folder: str) -> Any:
    """Return a job, or a part of one, with every path in its study's folder moved to `folder`."""
    if isinstance(value, str):
        for home in homes:
            if value == home or value.startswith(f"{home}{os.sep}"):
                return folder + value[len(home) :]
        return value
    if isinstance(value, tuple):
        return tuple(_moved(each, homes, folder) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: _moved(getattr(value, f.name), homes, folder) for f in fields(value)}
        return replace(value, **changed)
    return value


def pack_results(folder: Path, places: Sequence[str]) -> dict[str, bytes]:
    """Return the files at these places, or in folders there, by place."""
    found = {}
    for place in places:
        path = folder / place
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.suffix != ".lock":
                found[file.relative_to(folder).as_posix()] = atomic.read_file(file)
    return found


def newest_checkpoints(folder: Path, places: Sequence[str]) -> dict[str, Path]:
    """Return the newest checkpoint in each of these folders, by its place."""
    newest = [newest_first(folder / place)[:1] for place in places]
    return {path.relative_to(folder).as_posix(): path for each in newest for path in each}


# ── back here ────────────────────────────────────────────────────────────────────────────────


def write_results(files: Mapping[str, bytes], made: RemoteJob, home: Path) -> None:
    """Write what was sent back where the job would have written it here, whole or not at all.

    Raises
    ------
    Garbled : it is not what was written there
    StorageError : the disk here refuses it
    """
    _require_inside(files, made.writes)
    for place in made.writes:
        head = f"{place}/"
        inside = {name.removeprefix(head): c for name, c in files.items() if name.startswith(head)}
        path = _path(place, home)
        if written_folder.MANIFEST in inside:
            _write_folder(path, inside)
        elif inside:
            _add_to_cache(path, inside)
        elif place in files:
            atomic.write_file(path, files[place])
        else:
            raise Garbled(f"{path}: expected it among what came back, found nothing")


def _write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder with a manifest, in the place of one that is there: a model shipped before."""
    if problems := written_folder.unlike_manifest(files):
        raise Garbled(f"{problems[0]} came back otherwise than it was written")
    written = {name: each for name, each in files.items() if name != written_folder.MANIFEST}
    partial = path.with_name(f"{path.name}.partial")
    shutil.rmtree(path, ignore_errors=True)
    written_folder.write_folder(path, written, scratch=partial / "finished")
    shutil.rmtree(partial, ignore_errors=True)


def _add_to_cache(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files of a cache, each named for what it holds, that are not there yet."""
    atomic.clear_temporary(folder)
    for name, content in files.items():
        if not (folder / name).exists():
            atomic.write_file(folder / name, content)


def keep_checkpoints(files: Mapping[str, bytes], made: RemoteJob, home: Path) -> None:
    """Keep checkpoints that came from there, and of each trial only the newest."""
    _require_inside(files, made.keeps)
    for place, content in files.items():
        path = _path(place, home)
        atomic.write_file(path, content)
        for old in newest_first(path.parent)[CHECKPOINTS_KEPT:]:
            old.unlink(missing_ok=True)


def _require_inside(files: Mapping[str, bytes], places: Sequence[str]) -> None:
    for name in files:
        inside = any(name == place or name.startswith(f"{place}/") for place in places)
        if not inside or ".." in PurePosixPath(name).parts:
            raise Garbled(f"{name}: expected what the job writes, found something else")
