"""The files of the user's that a Python builder imports.

Oracle: what Python imports of a small project. Cost: a process of Python.
Run: pytest tests/study/jobs/test_builder_files.py
"""

import subprocess
import sys
import warnings

import pytest

from bakeoff.study.jobs.builder_files import imported_files

MINE = """
import json, head
from parts.deep import tail
import util.sizes
"""
PROJECT = {
    "models/mine.py": MINE,
    "models/head.py": "x = 1\nimport mine\n",
    "models/stranger.py": "",
    "models/parts/__init__.py": "from . import wide\n",
    "models/parts/wide.py": "from head import x\n",
    "models/parts/deep/__init__.py": "from ..wide import *\nfrom .tail import tail\n",
    "models/parts/deep/tail.py": "def tail():\n    from later import x\n",
    "models/parts/deep/stranger.py": "",
    "util/sizes.py": "WIDTH = '\\d'\n",
    "later.py": "x = 1\n",
}
LOADED = """
import sys
from pathlib import Path
models, root = map(Path, sys.argv[1:])
sys.path[:0] = map(str, (models, root))
import mine
for module in list(sys.modules.values()):
    path = Path(getattr(module, "__file__", None) or "")
    if path.is_relative_to(root):
        print(path.relative_to(models if path.is_relative_to(models) else root).as_posix())
"""


@pytest.fixture
def project(tmp_path):
    for name, content in PROJECT.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def test_what_is_found_is_what_python_imports_at_once_or_later(project):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of sizes.py
        found = imported_files(project / "models" / "mine.py")
    command = [sys.executable, "-W", "ignore", "-c", LOADED, project / "models", project]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert {*found, "mine.py"} == {*done.stdout.split(), "later.py"}
    assert found["later.py"] == b"x = 1\n"


@pytest.mark.parametrize("content", [b"import (", b"\0", b"# -*- coding: none -*-\nimport head"])
def test_a_file_that_python_refuses_imports_nothing(content, project):
    """That it is refused, its trial says."""
    path = project / "models" / "mine.py"
    path.write_bytes(content)
    assert imported_files(path) == {}


def test_strangers_of_the_same_names_are_not_looked_at(project):
    """Another project's package further up, and a file called like Python's own module."""
    (project / "models" / "mine.py").write_text("import random, head, util.sizes\n")
    (project / "models" / "util").mkdir()
    (project / "models" / "util" / "__init__.py").write_text("")
    (project / "random.py").write_text("")
    found = imported_files(project / "models" / "mine.py")
    assert set(found) == {"head.py", "util/__init__.py"}


def test_what_is_installed_is_not_the_users(project):
    installed = project / "models" / "site-packages"
    (project / "models" / "parts").rename(project / "models" / "gone")
    (installed / "parts").mkdir(parents=True)
    (installed / "parts" / "mine.py").write_text("import head\nfrom parts import wide\n")
    (installed / "parts" / "wide.py").write_text("")
    assert imported_files(installed / "parts" / "mine.py") == {}
