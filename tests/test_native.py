"""Native kernels: built on request, used where they were built, and the same from run to run.

Oracle: XLA's convolution and its derivatives; that they agree with Keras's layers and with
keras.Model.fit stands in test_layers.py and test_engine.py. Cost: 40 s, 5 of them the compiler's.
Run: pytest tests/test_native.py
"""

import os
import re
import shutil

import numpy as np
import pytest

from bakeoff import kernels, native, study, verify
from bakeoff import recipe as recipes
from bakeoff.backend import jax
from bakeoff.cli import main
from bakeoff.errors import StorageError, UsageError
from bakeoff.store import StudyFolder
from bakeoff.watch import Watcher

SHAPES = [
    # images, kernel, strides: channels and filters below, at and above the width of a vector
    ((2, 7, 7, 1), (3, 3, 1, 1), (1, 1)),
    ((3, 9, 8, 3), (3, 2, 3, 17), (1, 1)),
    ((2, 8, 9, 16), (5, 5, 16, 32), (1, 1)),
    ((2, 6, 6, 33), (3, 3, 33, 90), (1, 1)),
    ((1, 12, 11, 5), (3, 4, 5, 100), (2, 3)),
    ((2, 10, 10, 4), (2, 2, 4, 156), (3, 3)),
    ((1, 5, 5, 7), (5, 5, 7, 9), (1, 1)),
    ((2, 5, 4, 8), (1, 1, 8, 8), (2, 1)),
]


def reference(images, kernel, strides):
    return jax.lax.conv_general_dilated(
        images, kernel, strides, "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def run(name, shape, one, other, strides=(1, 1)):
    def call(one, other):
        return native.call(name, shape, one, other, strides)

    return np.asarray(jax.jit(call)(one, other))


@pytest.mark.parametrize("images, kernel, strides", SHAPES)
def test_values_and_slopes_are_those_of_xla(images, kernel, strides, rng, native_kernels):
    images, kernel = (rng.standard_normal(shape, np.float32) for shape in (images, kernel))
    expected, back = jax.vjp(lambda x, k: reference(x, k, strides), images, kernel)
    slope = rng.standard_normal(expected.shape, np.float32)
    image_slope, kernel_slope = back(slope)
    found = [
        run("forward", expected.shape, images, kernel, strides),
        run("image_slope", images.shape, slope, kernel, strides),
        run("kernel_slope", kernel.shape, images, slope, strides),
    ]
    for each, other in zip(found, (expected, image_slope, kernel_slope), strict=True):
        scale = float(np.abs(other).max())
        np.testing.assert_allclose(each, other, atol=1e-5 * scale, rtol=1e-4)


def test_several_trials_in_one_program(rng, native_kernels):
    images = rng.standard_normal((4, 6, 6, 3), np.float32)
    of_trials = rng.standard_normal((2, 3, 3, 3, 5), np.float32)

    @jax.grad
    def slope(kernel):
        return (kernels.convolve(images, kernel, (1, 1), ((1, 1), (0, 1))) ** 2).sum()

    together = jax.jit(jax.vmap(slope))(of_trials)
    for found, kernel in zip(together, of_trials, strict=True):
        np.testing.assert_allclose(found, slope(kernel), rtol=1e-5, atol=1e-4)


def test_nothing_is_read_or_written_beside_the_arrays(rng, native_kernels):
    """Not-a-number around the images would spread to every sum that it enters."""
    batch = rng.standard_normal((5, 9, 8, 3), np.float32)
    kernel = rng.standard_normal((3, 3, 3, 21), np.float32)

    alone = run("forward", (1, 7, 6, 21), batch[2:3], kernel)
    batch[[0, 1, 3, 4]] = np.nan
    among = run("forward", (5, 7, 6, 21), batch, kernel)
    np.testing.assert_array_equal(among[2], alone[0])
    assert np.isnan(among[[0, 1, 3, 4]]).all()


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(native.SWITCH, raising=False)


CNN = """
name: cnn
data: digits
seeds: 1
baselines: []
training: {epochs: 2}
models:
  cnn: {layers: [{conv2d: {filters: 6, kernel_size: 3, activation: relu}}, {max_pooling2d: 2}]}
"""


def test_a_study_says_which_kernels_it_used_and_repeats_bit_for_bit(
    own_cache, native_library, tmp_path, monkeypatch
):
    native.library().parent.mkdir(parents=True)
    shutil.copy(native_library, native.library())
    (tmp_path / "cnn.yaml").write_text(CNN)
    study.run(recipes.load(tmp_path / "cnn.yaml"), out=tmp_path / "cnn", keep_sealed=True)
    folder = StudyFolder(tmp_path / "cnn")
    assert folder.read_study()["environment"]["kernels"] == "native"
    again = verify.retrain(folder, "cnn:0", watcher=Watcher())
    assert again.files == ()
    monkeypatch.setenv(native.SWITCH, "plain")
    plain = verify.retrain(folder, "cnn:0", watcher=Watcher())
    assert "kernels native, now plain" in plain.environment
    assert "weights.safetensors" in str(plain.files)


def test_build_and_remove(own_cache, native_library, capsys, monkeypatch):
    assert native.built() is None
    assert main(["kernels", "--remove"]) == 0
    assert capsys.readouterr().out == "There was nothing to remove.\n"
    assert main(["kernels"]) == 0
    assert capsys.readouterr().out == (
        f"Built {native.library()}; every run on this machine uses it from now on.\n"
    )
    assert native.built() == native.library()
    assert os.listdir(native.library().parent) == [native.library().name]
    monkeypatch.setenv(native.SWITCH, "plain")
    assert native.built() is None
    assert main(["kernels", "--remove"]) == 0
    assert capsys.readouterr().out == "Removed.\n"
    assert not native.library().exists()


def test_no_compiler(own_cache, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    expected = (
        "expected a C++ compiler (c++, g++, clang++, or the one that CXX names), found none: "
        "install one, or go on without; everything works, convolution is slower"
    )
    with pytest.raises(UsageError, match=f"^{re.escape(expected)}$"):
        native.build()
    assert native.built() is None


def test_a_compiler_that_fails(own_cache, tmp_path, monkeypatch):
    bad = tmp_path / "bad"
    bad.write_text("#!/bin/sh\necho 'x.cc:1: error: no such thing' >&2\nexit 1\n")
    bad.chmod(0o755)
    monkeypatch.setenv("CXX", str(bad))
    expected = (
        f"expected {bad} to build Bakeoff's kernels, found that it cannot (x.cc:1: error: no such "
        "thing): try another compiler with CXX, or go on without; everything works, convolution "
        "is slower"
    )
    with pytest.raises(UsageError, match=f"^{re.escape(expected)}$"):
        native.build()
    assert os.listdir(native.library().parent) == []


def test_a_damaged_library_is_named(tmp_path):
    damaged = tmp_path / "kernels.so"
    damaged.write_bytes(b"\x7fELF")
    with pytest.raises(StorageError, match=r"^.*kernels\.so: expected what `bakeoff kernels` bui"):
        native.load(damaged)
    assert not native.loaded()
