"""Recipes that are no recipes, or ask for the absurd."""

import os
from pathlib import Path

from tests.robustness.hostile.case import Case

GOOD = """\
name: x
data: digits
models:
  mlp: {layers: [{dense: 8}]}
"""


def _text(content: str | bytes, words: tuple[str, ...] = ("run", "r.yaml")):
    def make(folder: Path) -> list[str]:
        (folder / "r.yaml").write_bytes(content.encode() if isinstance(content, str) else content)
        return list(words)

    return make


def _refused(name: str, content: str | bytes, *says: str) -> Case:
    return Case(f"recipe {name}", _text(content), ("recipe r.yaml", *says))


def _edited(name: str, old: str, new: str, *says: str) -> Case:
    assert old in GOOD
    return _refused(name, GOOD.replace(old, new), *says)


def _layers(name: str, layers: str, *says: str) -> Case:
    return _edited(name, "[{dense: 8}]", layers, *says)


def _sized(name: str, layers: str, *says: str) -> Case:
    """A model that is well formed and too large: judged when the shape of the images is known."""
    return Case(f"size {name}", _text(GOOD.replace("[{dense: 8}]", layers)), says)


def bombs() -> list[Case]:
    """YAML that grows, nests, loops or runs."""
    laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(12)
    )
    return [
        _refused("of laughs", laughs, "an alias (*name) repeats too much"),
        _refused("that holds itself", "name: &a [*a]\n", "line 1"),
        _refused("of a mapping in itself", "&a {name: *a}\n", "line 1"),
        _refused("nested 10,000 deep", "name: " + "[" * 10_000 + "]" * 10_000, "20 levels"),
        _refused("of mappings 10,000 deep", "{a: " * 10_000 + "1" + "}" * 10_000, "20 levels"),
        _refused("of 2 MB", "# " + "x" * 2_000_000 + "\n" + GOOD, "1,000,000 bytes"),
        _refused("of 70,000 keys", "".join(f"a{i}: 1\n" for i in range(70_000)), "100,000 values"),
        _refused("of one long list", "name: [" + "1," * 200_000 + "1]", "100,000 values"),
        _refused("that calls os.system", "!!python/object/apply:os.system ['id']", "tag"),
        _refused("that makes an object", "name: !!python/object:os.stat_result []", "tag"),
        _refused("that imports a module", "name: !!python/module:os", "tag"),
        _refused("that names a function", "name: !!python/name:os.system", "tag"),
        _refused("with a tag of its own", "name: !evil x", "tag"),
        _refused("with a binary tag", "name: !!binary aGVsbG8=", "tag"),
        _refused("with a set", "name: !!set {a, b}", "tag"),
        _refused("that merges", "a: &a {x: 1}\n<<: *a\n", "unknown key"),
        _refused("of two documents", GOOD + "---\n" + GOOD, "line"),
        _refused("with a key twice", GOOD + "name: y\n", "the key name stands here"),
        _refused("with a list as key", "[1, 2]: x\n", "a word as key"),
        _refused("with tabs", "name:\n\tx\n", "indent with spaces"),
        _refused("with an unknown anchor", "name: *nothing\n", "line 1"),
        _refused("with a %TAG directive", "%TAG ! tag:x,2000:\n--- !foo\nname: x\n", "tag"),
    ]


def bytes_that_are_no_text() -> list[Case]:
    """Files that are something else."""
    return [
        _refused("that is empty", b"", "found nothing"),
        _refused("of NUL bytes", b"\0" * 5000, "control character"),
        _refused("with a NUL byte", GOOD.encode().replace(b"x", b"x\0"), "control character"),
        _refused("with an escape sequence", b"name: \x1b[31mx\n", "control character"),
        _refused("in UTF-16", GOOD.encode("utf-16"), "expected UTF-8 text"),
        _refused("in Latin-1", b"name: caf\xe9\n", "expected UTF-8 text"),
        _refused("that is a program", b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 20, "recipe"),
        _refused("that is a zip", b"PK\x03\x04" + bytes(range(256)) * 20, "recipe"),
        _refused("that is a pickle", b"cos\nsystem\n(S'id'\ntR.", "recipe"),
        _refused("that is a PNG", b"\x89PNG\r\n\x1a\n" + bytes(100), "recipe"),
        _refused("of surrogates", b"name: \xed\xa0\x80\n", "expected UTF-8 text"),
        _refused("that is one long line", b"x" * 999_999, "expected keys"),
        _refused("that is a number", "42\n", "expected keys"),
        _refused("that is a list", "- name: x\n", "expected keys"),
    ]


def values() -> list[Case]:
    """Values of the wrong kind or of absurd size."""
    return [
        _edited("with a path as name", "name: x", "name: ../../etc/x", "name: expected a name"),
        _edited("with an absolute name", "name: x", "name: /etc/x", "name: expected a name"),
        _edited("with a name of two lines", "name: x", 'name: "a\\nb"', "name: expected a name"),
        _edited("with a hidden name", "name: x", "name: .x", "name: expected a name"),
        _edited("with a long name", "name: x", f"name: {'x' * 65}", "name: expected a name"),
        _edited("with a model called ..", "  mlp:", "  ..:", "models: expected a name"),
        _edited("with a path as model", "  mlp:", "  ../m:", "models: expected a name"),
        _edited("with a list as model", "  mlp:", "  [7]:", "expected a word as key"),
        _edited("of unknown data", "data: digits", "data: imagenet", "data: expected"),
        _edited("with a URL as data", "digits", "https://example.org/x.npz", "data: expected"),
        _edited("with data of data", "digits", "{folder: {npz: x}}", "data.folder: expected"),
        _edited("with NUL in a path", "digits", '{npz: "a\\0b"}', "data.npz: expected"),
        _edited("of 10^9 seeds", "name: x", "name: x\nseeds: 1000000000", "seeds: expected"),
        _edited("of 10^400 seeds", "name: x", f"name: x\nseeds: 1{'0' * 400}", "seeds"),
        _edited("of 10^5000 seeds", "name: x", f"name: x\nseeds: 1{'0' * 5000}", "too long"),
        _edited("of negative seeds", "name: x", "name: x\nseeds: [-1]", "seeds[1]: expected"),
        _edited("of 10^9 epochs", "name: x", "name: x\ntraining: {epochs: 1000000000}", "epochs"),
        _edited("of no epochs", "name: x", "name: x\ntraining: {epochs: 0}", "epochs: expected"),
        _edited("of NaN epochs", "name: x", "name: x\ntraining: {epochs: .nan}", "epochs"),
        _edited("of an infinite margin", "name: x", "name: x\nmargin: .inf", "margin: expected"),
        _edited("of a NaN margin", "name: x", "name: x\nmargin: .nan", "margin: expected"),
        _edited(
            "of a batch of 10^9",
            "name: x",
            "name: x\ntraining: {batch_size: 1000000000}",
            "batch_size: expected",
        ),
        _edited(
            "of a NaN learning rate",
            "name: x",
            "name: x\ntraining: {optimizer: {adam: {learning_rate: .nan}}}",
            "learning_rate: expected",
        ),
        _edited(
            "of 10^308 learning rate",
            "name: x",
            "name: x\ntraining: {optimizer: {sgd: {learning_rate: 1.0e+400}}}",
            "learning_rate: expected",
        ),
        _edited(
            "of validation 2^63",
            "name: x",
            "name: x\nsplit: {validation: 9223372036854775808}",
            "validation",
        ),
        _edited("of an unknown key", "name: x", "name: x\n__class__: y", "unknown key"),
        _edited("without models", "  mlp: {layers: [{dense: 8}]}\n", "", "models is missing"),
        _edited(
            "of 201 models",
            "  mlp: {layers: [{dense: 8}]}\n",
            "".join(f"  m{i}: {{layers: []}}\n" for i in range(201)),
            "1 to 200 models",
        ),
        _edited(
            "with code in place of a file",
            "{layers: [{dense: 8}]}",
            "{python: \"__import__('os').system('id')\"}",
            "python: expected",
        ),
        Case(
            "recipe with a builder that is not there",
            _text(GOOD.replace("{layers: [{dense: 8}]}", "{python: 'no.py:build'}")),
            ("models.mlp.python: expected a Python file", "no.py"),
        ),
    ]


def sizes() -> list[Case]:
    """Networks that no machine has room for."""
    wide = "conv2d: {filters: 1000000, kernel_size: 8}"
    return [
        _layers("of 10^9 units", "[{dense: 1000000000}]", "dense: expected a whole number"),
        _layers("of 10^400 units", f"[{{dense: 1{'0' * 400}}}]", "dense: expected"),
        _layers("of -1 units", "[{dense: -1}]", "dense: expected a whole number"),
        _layers("of 0.5 units", "[{dense: 0.5}]", "dense: expected a whole number"),
        _layers("of true units", "[{dense: true}]", "dense: expected a whole number"),
        _layers("of a dropout of 1", "[{dropout: 1}]", "dropout: expected"),
        _layers("of a kernel of 10^9", "[{conv2d: {filters: 1, kernel_size: 1000000000}}]", "kern"),
        _layers("of a stride of 0", "[{max_pooling2d: {pool_size: 2, strides: 0}}]", "strides"),
        _layers("of 1,001 layers", f"[{', '.join(['flatten'] * 1001)}]", "at most 1,000 layers"),
        _layers("of a Lambda", "[{lambda: 'lambda x: x'}]", "unknown layer lambda"),
        _layers("of a custom layer", "[{custom: {module: os}}]", "unknown layer custom"),
        _layers("of a layer's class", "[{dense: {units: 3, class_name: X}}]", "unknown key"),
        _layers("of a foreign activation", "[{dense: {units: 3, activation: 'os.system'}}]", "act"),
        _sized("of two layers of 10^6", "[{dense: 1000000}, {dense: 1000000}]", "100,000,000"),
        _sized("of 1,000 layers of 10^6", f"[{', '.join(['{dense: 1000000}'] * 1000)}]", "100,000"),
        _layers("of a million filters", f"[{{{wide}}}]", "filters: expected"),
        _sized(
            "of activations without end",
            "["
            + ", ".join(
                ["{conv2d: {filters: 9000, kernel_size: 1, padding: same}}"]
                + ["{activation: relu}"] * 900
            )
            + "]",
            "values for each image",
        ),
        _refused_when_written(),
        _sized("of a window too large", "[{max_pooling2d: 9}]", "expected at least"),
    ]


def _refused_when_written() -> Case:
    """Well formed, and too large to be read back with every default written out."""
    layer = "{dense: {units: 9, kernel_regularizer: {l2: 0.01}}}"
    layers = ", ".join([layer] * 40 + ["flatten"] * 20)
    models = "".join(f"  m{number}: {{layers: [{layers}]}}\n" for number in range(200))
    text = GOOD.replace("  mlp: {layers: [{dense: 8}]}\n", models)
    return Case("size of 12,000 layers", _text(text), ("recipe x", "every default written out"))


def places() -> list[Case]:
    """Things in a recipe's place."""

    def of(name: str, build, *says: str, words: tuple[str, ...] = ("run", "r.yaml")) -> Case:
        def make(folder: Path) -> list[str]:
            build(folder)
            return list(words)

        return Case(f"recipe {name}", make, says)

    neither = "found neither"
    return [
        of("that is a folder", lambda f: (f / "r.yaml").mkdir(), "r.yaml", "found a folder"),
        of("that is a pipe", lambda f: os.mkfifo(f / "r.yaml"), "r.yaml", neither),
        of("that is a link to itself", lambda f: (f / "r.yaml").symlink_to("r.yaml"), "r.yaml"),
        of("that is a link to nowhere", lambda f: (f / "r.yaml").symlink_to("x"), "r.yaml"),
        of("that is a device", lambda f: None, "/dev/zero", neither, words=("run", "/dev/zero")),
        of("that is not there", lambda f: None, "no.yaml", neither, words=("run", "no.yaml")),
        of("with a NUL name", lambda f: None, "recipe", words=("run", "a\0b")),
        of("of a long name", lambda f: None, "recipe", words=("run", "x" * 5000)),
        of("of a name of two lines", lambda f: None, "recipe", words=("run", "a\nb: c")),
    ]


def cases() -> list[Case]:
    """All of them."""
    return [*bombs(), *bytes_that_are_no_text(), *values(), *sizes(), *places()]
