"""Every module has its tests where its name says.

The tests of a/b.py are in tests/a/test_b.py; those of the modules of a folder a/b/ that are of one
kind, such as the layers of the vocabulary, may be together in tests/a/test_b.py.

Oracle: the files. Cost: nothing. Run: pytest tests/project/test_mirror.py
"""

from pathlib import Path

TESTS = Path(__file__).parents[1]
SOURCES = TESTS.parent / "src" / "bakeoff"


def test_every_module_has_its_tests_where_its_name_says():
    missing = []
    for path in sorted(SOURCES.rglob("*.py")):
        module = path.relative_to(SOURCES)
        own = TESTS / module.parent / f"test_{module.name}"
        folder = TESTS / module.parent.parent / f"test_{module.parent.name}.py"
        if not module.stem.startswith("__") and not own.exists() and not folder.exists():
            missing.append(f"{module}: expected tests/{own.relative_to(TESTS)}")
    assert missing == []
