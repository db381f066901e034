"""Checkpoints of a trial in progress.

Oracle: trainers stopped and restored. Cost: 5 s.

Run: pytest tests/study/jobs/test_checkpoints.py
"""

import pytest

from bakeoff.errors import StorageError
from bakeoff.storage import atomic
from bakeoff.study.jobs.checkpoints import Checkpoints
from bakeoff.training.trainer import Trainer
from tests.helpers.trainers import declare, development

MODEL = declare(epochs=4)


def trainer_at(epoch, *, seed=3):
    trainer = Trainer(MODEL, development(), seed=seed, selection="best-loss")
    for _ in range(epoch):
        trainer.epoch()
    return trainer


def saved(tmp_path, *, identity="mine", epochs=(1, 2, 3)):
    checkpoints = Checkpoints(tmp_path, identity=identity)
    trainer = trainer_at(0)
    for epoch in range(1, max(epochs) + 1):
        trainer.epoch()
        if epoch in epochs:
            checkpoints.save(trainer, seconds=10.0 * epoch)
    return checkpoints


def restored(checkpoints):
    trainer = trainer_at(0)
    seconds = checkpoints.restore(trainer)
    return len(trainer.history), seconds


def files(tmp_path):
    return sorted(path.name[:17] for path in tmp_path.iterdir())


def test_two_checkpoints_are_kept_and_the_newest_is_used(tmp_path):
    checkpoints = saved(tmp_path)
    assert files(tmp_path) == ["checkpoint-000002", "checkpoint-000003"]
    assert restored(checkpoints) == (3, 30.0)


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path, damage):
    checkpoints = saved(tmp_path)
    newest = max(tmp_path.iterdir())
    content = newest.read_bytes()
    middle = len(content) // 2
    newest.write_bytes(
        {
            "flip": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
            "cut": content[:middle],
            "empty": b"",
        }[damage]
    )
    assert restored(checkpoints) == (2, 20.0)
    trainer = trainer_at(2)
    checkpoints.save(trainer, seconds=21.0)  # and the damaged one is not kept for a good one
    assert "checkpoint-000003" not in files(tmp_path)
    for path in tmp_path.iterdir():
        path.write_bytes(b"damaged")
    assert restored(checkpoints) == (0, 0.0)


def test_a_checkpoint_that_cannot_be_read_gives_way_to_the_one_before(tmp_path, monkeypatch):
    checkpoints = saved(tmp_path)
    read, newest = atomic.read_file, max(tmp_path.iterdir())

    def failing(path, **options):
        if path == newest:
            raise StorageError(f"{path}: input/output error")
        return read(path, **options)

    monkeypatch.setattr(atomic, "read_file", failing)
    assert restored(checkpoints) == (2, 20.0)


def test_checkpoints_of_another_identity_are_passed_over_and_then_make_room(tmp_path):
    saved(tmp_path, identity="before the recipe was changed")
    mine = Checkpoints(tmp_path, identity="mine")
    assert restored(mine) == (0, 0.0)
    mine.save(trainer_at(1), seconds=1.0)
    assert restored(mine) == (1, 1.0)
    assert files(tmp_path) == ["checkpoint-000001"]


def test_a_checkpoint_of_another_shape_is_passed_over(tmp_path):
    other = Trainer(declare([{"dense": 9}]), development(), seed=3, selection="best-loss")
    checkpoints = Checkpoints(tmp_path, identity="mine")
    checkpoints.save(other, seconds=1.0)
    assert restored(checkpoints) == (0, 0.0)
