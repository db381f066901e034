"""The notebooks of examples/, executed as a reader would, and looked at.

Oracle: what a reader must see: tables, figures without a magic line, progress in one display, one
line for a user's error. Cost: 20 s, one kernel, whose variables each notebook deletes first.
Run: .venv/bin/pytest tests/project/test_notebooks.py
"""

import json
import os
import shutil
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
from jupyter_client.manager import AsyncKernelManager  # noqa: E402
from jupyter_core.utils import run_sync  # noqa: E402

EXAMPLES = Path(__file__).parents[2] / "examples"
FIGURE = "application/vnd.vegalite.v5+json"


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Return each notebook's cells with their outputs, by name; they share one folder."""
    folder = tmp_path_factory.mktemp("examples")
    before = dict(os.environ)
    os.environ |= {
        "BAKEOFF_HOME": str(folder / "home"),
        "KERAS_HOME": str(folder / "keras"),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }
    os.environ.pop("KERAS_BACKEND", None)
    kernel, ears, found = AsyncKernelManager(), None, {}
    try:
        for path in sorted(EXAMPLES.glob("*.ipynb")):
            shutil.copy(path, folder)
            notebook = nbformat.read(folder / path.name, as_version=4)
            notebook.cells.insert(0, nbformat.v4.new_code_cell("%reset -f"))
            client = nbclient.NotebookClient(
                notebook, km=kernel, timeout=180, resources={"metadata": {"path": str(folder)}},
                allow_errors=True,
            )  # fmt: skip
            client.kc = ears
            client.execute(cleanup_kc=False)
            ears = client.kc
            forgot, *cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
            assert forgot.outputs == []
            found[path.stem] = cells
    finally:
        if ears is not None:
            ears.stop_channels()
        if kernel.has_kernel:
            run_sync(kernel.shutdown_kernel)(now=True)
        os.environ.clear()
        os.environ |= before
    return found


def outputs(cells):
    return [output for cell in cells for output in cell.outputs]


def kinds(cell):
    return [set(output.get("data", {})) for output in cell.outputs]


def test_there_are_three_notebooks_without_outputs():
    paths = sorted(EXAMPLES.glob("*.ipynb"))
    assert len(paths) == 3
    for path in paths:
        assert all(not cell.get("outputs") for cell in json.loads(path.read_text())["cells"])


def test_no_cell_fails_but_the_one_that_shows_an_error(executed):
    failed = [output for cells in executed.values() for output in outputs(cells)
              if output.output_type == "error"]  # fmt: skip
    assert [output.traceback for output in failed] == [
        ["RecipeError: recipe wrong, models.a.layers[1]: unknown layer dens; did you mean dense?"]
    ]


def test_a_result_shows_its_table_and_its_main_figure(executed):
    _, study, run, *_ = executed["1-first-study"]
    assert study.outputs[0].data["text/plain"] == (
        "<Study first-study: 3 models (small, large and linear), 3 seeds>"
    )
    *progress, shown = run.outputs
    assert "<table>" in shown.data["text/html"]
    assert "<svg" in shown.data["text/html"]
    assert len(shown.data["text/plain"].splitlines()) < 9
    # One display, updated in place, of which one line is left; nothing else.
    assert len(progress) == 1
    (line,) = progress[0].data["text/plain"].splitlines()
    assert " done in " in line


def test_figures_show_themselves(executed):
    _, _, _, curves, mistakes, _ = executed["1-first-study"]
    assert kinds(curves) == [{FIGURE, "image/svg+xml", "text/plain"}]
    assert curves.outputs[0].data["image/svg+xml"].startswith("<svg")
    assert mistakes.outputs[0].data["text/html"].count("<img ") > 3
    verdicts = executed["2-read-a-result"][2]
    assert FIGURE in verdicts.outputs[0].data


def test_keras_works_beside_it_and_arrays_are_data(executed):
    _, keras, run, classes, frame, predicted, share = executed["3-own-arrays"]
    assert keras.outputs[0].data["text/plain"] == "'jax'"
    assert "mine" in run.outputs[-1].data["text/html"]
    assert FIGURE in classes.outputs[0].data
    assert "accuracy_low" in frame.outputs[0].data["text/plain"]
    assert "runner_up" in predicted.outputs[0].data["text/plain"]
    assert float(share.outputs[0].data["text/plain"]) > 0.5


def test_nothing_is_written_on_standard_error(executed):
    said = {name: [output.text for output in outputs(cells) if output.get("name") == "stderr"]
            for name, cells in executed.items()}  # fmt: skip
    assert said == {name: [] for name in executed}
