"""The house: who may import whom, what stays light, what is never used.

Oracle: the table HOUSE below, and a walk through the syntax tree of every file in src. An import
inside a function or under TYPE_CHECKING counts like any other: it is an arrow in the same drawing.
Cost: 5 s, nearly all of it starting Python. Run: pytest tests/test_architecture.py
"""

import ast
import runpy
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src"

# The packages, in the order in which they may know each other: a file imports from its own package
# and from those before it. docs/architecture.md says what each is for.
PACKAGES = (
    "utils",
    "data",
    "recipe",
    "storage",
    "training",
    "analysis",
    "report",
    "study",
    "use",
    "cli",
)
# MOVING-START
MOVING: set[str] = set()  # not in its package yet
# MOVING-END
ALONE = {"errors", "__main__"}  # files beside the packages
# Comparing and reporting work without Keras, from the study's folder alone.
WITHOUT_TRAINING = {"storage", "analysis", "report"}
PUBLIC = ("BakeoffError", "Classifier", "Result", "Study", "__version__", "compare", "run")
LINES = 400

NEVER_IMPORTED = {
    *("pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"),
    *("runpy", "subprocess", "pty", "ctypes", "code"),
    *("tensorflow", "torch"),
}
# Runs a C++ compiler when Bakeoff is installed; loads what that built, tested by a child process.
NATIVE = {
    ("bakeoff.training.native.build", "subprocess"),
    ("bakeoff.training.native.load", "ctypes"),
    ("bakeoff.training.native.load", "subprocess"),
    ("bakeoff.training.backend", "ctypes"),  # gives memory back: malloc_trim
}
# Check an exported file and draw figures in processes without Bakeoff; the scripts are run there,
# not imported. macOS is asked by two commands of its own, which are always the same.
ELSEWHERE = {
    ("bakeoff.utils.macos", "subprocess"),
    ("bakeoff.report.plots.draw", "subprocess"),
    ("bakeoff.use.export.export", "subprocess"),
}
# Follow a Keras model layer by layer; loads one in a process without Bakeoff.
KERAS_TOO = {
    *("bakeoff.use.export.layers", "bakeoff.use.export.program", "bakeoff.use.graph_code"),
    "bakeoff.use.export.check",
}
READING_BACK = {("bakeoff.use.export.check", "load_model")}
NEVER_CALLED = {
    *("eval", "exec", "compile", "__import__"),
    *("load_model", "load_weights", "save_model"),  # Keras's files may hold code
    *("unsafe_load", "full_load", "system", "popen"),
}
NEVER_NAMED = {  # PyYAML's loaders and constructors that make objects
    *("UnsafeLoader", "FullLoader", "CLoader", "CUnsafeLoader", "CFullLoader"),
    *("UnsafeConstructor", "FullConstructor", "Constructor"),
}
# Who may import a module whose name or file is not written in the code: the builder that a recipe
# names, and the package's own public names.
IMPORTING = {
    "bakeoff.training.builders.user_builder": {
        "spec_from_file_location",
        "module_from_spec",
        "exec_module",
    },
    "bakeoff": {"import_module"},
    "bakeoff.recipe": {"import_module"},
    "bakeoff.report": {"import_module"},
}
ALL_IMPORTING = {
    *IMPORTING["bakeoff.training.builders.user_builder"],
    "import_module",
    "load_module",
    "reload",
}


@cache
def files() -> dict[str, Path]:
    """Return every module of the package by its full name; a package by its folder's."""
    found = {}
    for path in sorted(SRC.rglob("*.py")):
        parts = path.relative_to(SRC).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(files()[module].read_text(encoding="utf-8"))


def place(module: str) -> str:
    """Return the entry of HOUSE that a module belongs to: "bakeoff.data.formats.idx" to "data"."""
    return module.split(".")[1]


def modules() -> list[str]:
    """Return every module but the package's own __init__."""
    return [name for name in files() if name != "bakeoff"]


@cache
def imports(module: str) -> tuple[tuple[str, str | None], ...]:
    """Return (imported module, imported name or None) for each import statement in a file."""
    return tuple(_imported(module))


def _imported(module: str) -> Iterator[tuple[str, str | None]]:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from ((each.name, None) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            for each in node.names:
                inner = f"{node.module}.{each.name}"
                yield (inner, None) if inner in files() else (str(node.module), each.name)


def test_every_file_is_in_a_package():
    assert {place(module) for module in modules()} - ALONE - MOVING <= set(PACKAGES)


def test_imports_go_one_way():
    wrong = []
    for module in modules():
        for target, name in imports(module):
            if target == "bakeoff":
                wrong.append(f"{module} takes {name} from the package itself")
            elif target.startswith("bakeoff.") and not may_import(place(module), place(target)):
                wrong.append(f"{module} imports {target}")
    assert wrong == []


def may_import(here: str, there: str) -> bool:
    if MOVING & {here, there}:
        return True
    if here == "errors":
        return False
    if here == "__main__":
        return there == "cli"
    if there == "training" and here in WITHOUT_TRAINING:
        return False
    if there == "errors" or here == there:
        return True
    return there in PACKAGES and PACKAGES.index(there) < PACKAGES.index(here)


def test_no_two_files_import_each_other_in_a_circle():
    arrows = {module: {target for target, _ in imports(module)} & {*files()} for module in files()}
    for module in arrows:  # a package's own file is above what it gathers
        arrows[module] -= {module}
    while leaves := {module for module, targets in arrows.items() if not targets & {*arrows}}:
        arrows = {module: targets for module, targets in arrows.items() if module not in leaves}
    assert arrows == {}


def test_only_the_engine_knows_keras_and_jax():
    for module in modules():
        for target, name in imports(module):
            if place(module) not in {"training"} | MOVING and module not in KERAS_TOO:
                assert target.split(".")[0] not in ("keras", "jax", "jaxlib"), module
                assert name not in ("keras", "jax"), f"{module} takes {name} from {target}"


def test_nobody_takes_what_another_module_keeps_private():
    for module in modules():
        for target, name in imports(module):
            if target.startswith("bakeoff") and name is not None:
                assert not name.startswith("_"), f"{module} takes {name} from {target}"


def test_nothing_that_runs_what_it_reads():
    wrong = []
    for module in files():
        for target, name in imports(module):
            root = target.split(".")[0]
            if root in NEVER_IMPORTED and (module, root) not in NATIVE | ELSEWHERE:
                wrong.append(f"{module} imports {target}")
            if target == "yaml" and name is not None:
                wrong.append(f"{module} takes {name} from yaml; write yaml.{name}")
        for node in ast.walk(tree(module)):
            if (module, called_name(node)) not in READING_BACK:
                wrong += [f"{module}, line {node.lineno}: {text}" for text in calls_refused(node)]
            wrong += [f"{module}, line {node.lineno}: {text}" for text in names_refused(node)]
    assert wrong == []


def test_a_file_s_code_is_imported_in_one_place():
    found = {}
    for module in files():
        for node in ast.walk(tree(module)):
            name = getattr(node, "attr", getattr(node, "id", None))
            if name in ALL_IMPORTING:
                found.setdefault(module, set()).add(name)
    assert found == IMPORTING


def called_name(node: ast.AST) -> str:
    function = getattr(node, "func", None)
    return getattr(function, "attr", getattr(function, "id", ""))


def names_refused(node: ast.AST) -> list[str]:
    """Return what no code of ours may name, called or not."""
    if isinstance(node, ast.Attribute | ast.Name):
        text = ast.unparse(node)
        if text.rpartition(".")[2] in NEVER_NAMED or text == "yaml.Loader":
            return [text]
    return []


def calls_refused(node: ast.AST) -> list[str]:
    """Return what a call does that no code of ours may do."""
    if not isinstance(node, ast.Call):
        return []
    called = ast.unparse(node.func)
    name = called.rpartition(".")[2]
    method = "." in called
    refused = []
    if name in NEVER_CALLED and called != "re.compile" and not (name == "compile" and method):
        refused.append(called)
    if name == "load" and called.startswith("yaml."):
        refused.append(called)
    for keyword in node.keywords:
        value = keyword.value
        off = isinstance(value, ast.Constant) and value.value is False
        if keyword.arg in ("allow_pickle", "shell") and not off:
            refused.append(f"{keyword.arg}={ast.unparse(value)}")
    return refused


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("np.load(path, allow_pickle=True)", ["allow_pickle=True"]),
        ("np.load(path, allow_pickle=flag)", ["allow_pickle=flag"]),
        ("np.load(path, allow_pickle=False)", []),
        ("np.load(path)", []),
        ("yaml.load(text, yaml.Loader)", ["yaml.load"]),
        ("yaml.unsafe_load(text)", ["yaml.unsafe_load"]),
        ("yaml.safe_load(text)", []),
        ("keras.models.load_model(path)", ["keras.models.load_model"]),
        ("eval(text)", ["eval"]),
        ("re.compile(text)", []),
        ("subprocess.run(text, shell=True)", ["shell=True"]),
        ("os.system(text)", ["os.system"]),
    ],
)
def test_what_is_refused_is_seen(line, expected):
    calls = [node for node in ast.walk(ast.parse(line)) if isinstance(node, ast.Call)]
    assert [text for node in calls for text in calls_refused(node)] == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("class Mine(yaml.Loader): pass", ["yaml.Loader"]),
        ("loader = yaml.cyaml.CUnsafeLoader", ["yaml.cyaml.CUnsafeLoader"]),
        ("class Mine(yaml.SafeLoader): pass", []),
        ("class Mine(SafeConstructor): pass", []),
    ],
)
def test_what_is_not_named_is_seen(line, expected):
    named = [text for node in ast.walk(ast.parse(line)) for text in names_refused(node)]
    assert named == expected


def test_files_are_short():
    lengths = {name: len(path.read_text().splitlines()) for name, path in files().items()}
    assert {name: n for name, n in lengths.items() if n > LINES} == {}


def test_every_file_opens_with_its_contract():
    for module in files():
        text = ast.get_docstring(tree(module))
        assert text, f"{module} has no docstring"
        assert text.splitlines()[0].endswith((".", ":", "?")), f"{module}: a sentence, please"


def test_the_drawing_is_of_this_house():
    """`make architecture` draws it again."""
    drawing = runpy.run_path(str(ROOT / "docs" / "draw_architecture.py"))
    assert drawing["PACKAGES"] == PACKAGES
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert page == drawing["drawn"](page)


def loaded_by(code: str) -> set[str]:
    """Return the names of the modules that a fresh Python has loaded after running `code`."""
    code = f"{code}\nimport sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


HEAVY = {"keras", "jax", "jaxlib", "vl_convert", "sklearn", "scipy.stats", "pandas", "PIL"}


def test_importing_bakeoff_is_light():
    assert loaded_by("import bakeoff") & HEAVY == set()


def test_the_public_names():
    code = f"import bakeoff; assert bakeoff.__all__ == {list(PUBLIC)}, bakeoff.__all__"
    loaded_by(code)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_always_the_same_thing(name):
    """No submodule may hide a name once it has been imported."""
    same = f"bakeoff.{name} == bakeoff.{name} and (callable(bakeoff.{name}) or {name!r} != 'run')"
    loaded = loaded_by(f"import bakeoff; assert {same}, 'bakeoff.{name} changes'")
    assert loaded & {"keras", "jax", "vl_convert"} == set()


def test_reading_a_recipe_and_planning_are_light():
    code = "import bakeoff.recipe, bakeoff.recipe.json_schema, bakeoff.recipe.architecture"
    assert loaded_by(code) & HEAVY == set()


def test_comparing_needs_no_engine_and_nothing_slow():
    code = (
        "import bakeoff.storage.study_folder, bakeoff.analysis.compare, bakeoff.analysis.verdicts"
    )
    assert loaded_by(code) & HEAVY == set()


def test_reporting_needs_no_engine():
    code = "import bakeoff.study.run, bakeoff.report.page.html_page"
    loaded = loaded_by(code)
    assert loaded & HEAVY <= {"PIL"}
    assert "scipy.ndimage" not in loaded
