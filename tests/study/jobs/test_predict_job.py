"""The job that predicts the test images.

Oracle: the trial's own validation predictions. Cost: 5 s.

Run: pytest tests/study/jobs/test_predict_job.py
"""

import re

import numpy as np
import pytest

from bakeoff.errors import StorageError
from bakeoff.storage import array_files, formats
from bakeoff.storage.study_folder import StudyFolder
from bakeoff.study.jobs.predict_job import PredictJob
from tests.helpers.train_jobs import MODEL, job, write_images


@pytest.fixture
def data(tmp_path):
    return write_images(tmp_path / "data")


def test_weights_that_were_changed_are_not_tested(tmp_path, data):
    job(tmp_path, data).run(lambda result: None)
    source = StudyFolder(tmp_path / "study").trial("mlp", 3)
    predict = PredictJob(
        label="mlp seed 3",
        affinity="mlp",
        source=str(source),
        declared=MODEL.model_dump_json(),
        images=str(data / "validation_images.npy"),
        target=str(tmp_path / "out" / "seed-3.npy"),
        maximum=255.0,
        n_classes=3,
    )
    predict.run(lambda result: None)
    ours = array_files.read_npy(tmp_path / "out" / "seed-3.npy")
    np.testing.assert_allclose(ours, array_files.read_npy(source / "validation.npy"), atol=1e-6)
    path = source / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1  # still a safetensors file, with another number in it
    path.write_bytes(content)
    text = re.escape(str(formats.damaged(path)))
    with pytest.raises(StorageError, match=f"^{text}$"):
        predict.run(lambda result: None)
