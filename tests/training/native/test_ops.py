"""The native library's operations: convolution and products, by every variant that runs here.

Oracle: XLA's convolution and its derivatives, sums in float64; that they agree with Keras's layers
and with keras.Model.fit stands in tests of layers and test_keras_parity.py. Cost: 30 s, and the
compiler's time where nothing was built on installing. Run: pytest tests/training/native/test_ops.py
"""

from functools import partial

import numpy as np
import pytest

from bakeoff.training.backend import jax
from bakeoff.training.layers.convolution import convolve
from bakeoff.training.layers.dense import multiply
from bakeoff.training.native import build, ops
from bakeoff.training.native import load as native

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
    # where few filters and a small margin let the gradient of the images be gathered
    ((2, 26, 30, 5), (3, 3, 5, 7), (1, 1)),
    ((1, 30, 24, 21), (2, 4, 21, 16), (1, 1)),
    ((2, 4, 3, 19), (1, 1, 19, 3), (1, 1)),
    # where strides let it, too; some pixels lie in no window
    ((2, 25, 24, 5), (3, 3, 5, 7), (2, 2)),
    ((1, 38, 45, 6), (5, 4, 6, 9), (2, 3)),
    ((1, 29, 28, 4), (4, 1, 4, 18), (3, 1)),
    # where every pixel lies in one window; kernels tall enough for gradients to be packed
    ((2, 6, 8, 40), (2, 2, 40, 130), (2, 2)),
    ((3, 9, 7, 128), (1, 1, 128, 200), (1, 1)),
    # where Winograd's filtering saves products: sides even and odd, vectors filled and not
    ((2, 8, 8, 32), (3, 3, 32, 32), (1, 1)),
    ((3, 7, 13, 33), (3, 3, 33, 47), (1, 1)),
    ((5, 14, 12, 64), (3, 3, 64, 130), (1, 1)),
    ((2, 34, 18, 16), (3, 3, 16, 20), (1, 1)),
    ((3, 5, 5, 16), (3, 3, 16, 16), (1, 1)),  # one tile, not all of it
    # with products by tiles, too: rows left over, channels and filters that fill some in part
    ((9, 14, 14, 24), (3, 3, 24, 40), (1, 1)),
    ((2, 18, 10, 65), (3, 3, 65, 47), (1, 1)),
    ((3, 10, 10, 128), (3, 3, 128, 64), (1, 1)),
    # where there are tiles: batches, channels and filters that fill some of them in part
    ((16, 6, 7, 32), (3, 3, 32, 16), (1, 1)),
    ((17, 5, 6, 40), (2, 3, 40, 33), (1, 1)),
    ((33, 7, 5, 64), (3, 2, 64, 48), (2, 1)),
    ((50, 4, 4, 156), (3, 3, 156, 90), (1, 1)),
    ((65, 3, 3, 300), (3, 3, 300, 20), (1, 1)),
    ((40, 6, 9, 24), (2, 2, 24, 30), (3, 4)),
]
KINDS = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "positive": lambda rng, shape: rng.random(shape),
    "wide": lambda rng, shape: rng.standard_normal(shape) * 10.0 ** rng.uniform(-6, 6, shape),
    "whole": lambda rng, shape: rng.integers(0, 4096, shape),
}


def reference(images, kernel, strides, pads="VALID"):
    return jax.lax.conv_general_dilated(
        images, kernel, strides, pads, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


# By itself, each operation would be compiled.
@partial(jax.jit, static_argnames=("strides", "pads"))
def reference_and_gradients(images, kernel, gradient, strides, pads="VALID"):
    values, back = jax.vjp(partial(reference, strides=strides, pads=pads), images, kernel)
    return values, *back(gradient)


def run(*calls):
    """Return what operations give, each called by itself, all as one program."""

    def compute(arrays):
        return [
            operation(*call[:2], *its, *call[4:]) for call, its in zip(calls, arrays, strict=True)
        ]

    arrays = [call[2:4] for call in calls]
    return jax.tree.map(np.asarray, jax.jit(compute)(arrays))


def operation(name, shape, one, other, strides=(1, 1), pads=((0, 0), (0, 0))):
    if name == "depthwise":
        values = ops.depthwise(one, other[0], shape, strides, pads)
        return values, *ops.depthwise_gradients(one, *other, strides, pads)
    if name == "normalization":
        return normalized_and_gradients(one, other, activation=shape)
    return ops.convolution(name, shape, one, other, strides, pads)


def normalized_and_gradients(values, other, *, activation):
    gamma, beta, gradient = other
    settings = {"epsilon": 1e-3, "activation": activation}
    found = ops.normalized(values, gamma, beta, **settings)
    channels = (gamma, beta, *found[1:])
    return *found, *ops.normalization_gradients(values, gradient, channels, **settings)


@pytest.mark.parametrize("images, kernel, strides", SHAPES)
def test_values_and_gradients_are_those_of_xla(images, kernel, strides, rng, every_variant):
    images, kernel = (rng.standard_normal(shape, np.float32) for shape in (images, kernel))
    shape = jax.eval_shape(partial(reference, strides=strides), images, kernel).shape
    gradient = rng.standard_normal(shape, np.float32)
    expected, image_gradient, kernel_gradient = reference_and_gradients(
        images, kernel, gradient, strides
    )
    for variant in every_variant.values():
        found = variant(
            ("forward", expected.shape, images, kernel, strides),
            ("image_gradient", images.shape, gradient, kernel, strides),
            ("kernel_gradient", kernel.shape, images, gradient, strides),
        )
        for each, other in zip(found, (expected, image_gradient, kernel_gradient), strict=True):
            scale = float(np.abs(other).max())
            np.testing.assert_allclose(each, other, atol=1e-5 * scale, rtol=1e-4)


PADDED = [
    # images, kernel, strides, pads: by vectors and by tiles; all sides alike, and unlike
    ((2, 7, 6, 3), (3, 3, 3, 17), (1, 1), ((1, 1), (1, 1))),
    ((2, 8, 9, 4), (4, 2, 4, 21), (2, 3), ((3, 0), (1, 2))),
    ((2, 9, 8, 5), (3, 3, 5, 7), (1, 1), ((1, 1), (1, 1))),
    ((17, 4, 5, 32), (3, 3, 32, 16), (1, 1), ((1, 1), (1, 1))),
    ((33, 5, 4, 40), (2, 3, 40, 33), (2, 1), ((0, 1), (2, 0))),
    ((2, 14, 13, 5), (3, 3, 5, 20), (2, 2), ((0, 1), (1, 1))),
    ((2, 15, 16, 3), (3, 4, 3, 17), (2, 3), ((2, 1), (1, 3))),
    ((2, 5, 8, 6), (2, 2, 6, 9), (2, 2), ((1, 0), (0, 0))),
    ((3, 6, 9, 32), (3, 3, 32, 40), (1, 1), ((1, 1), (1, 1))),
    ((2, 7, 8, 35), (3, 3, 35, 32), (1, 1), ((2, 0), (0, 2))),
    ((3, 16, 16, 48), (3, 3, 48, 56), (1, 1), ((1, 1), (1, 1))),  # 48 rows of tiles by Winograd
    ((2, 9, 7, 32), (3, 3, 32, 33), (1, 1), ((3, 1), (1, 0))),  # a margin wider than the kernel's
]


@pytest.mark.parametrize("images, kernel, strides, pads", PADDED)
def test_padding_is_zeros_around_the_images(images, kernel, strides, pads, rng, every_variant):
    images, kernel = (rng.standard_normal(shape, np.float32) for shape in (images, kernel))
    shape = jax.eval_shape(partial(reference, strides=strides, pads=pads), images, kernel).shape
    gradient = rng.standard_normal(shape, np.float32)
    expected = reference_and_gradients(images, kernel, gradient, strides, pads)
    for variant in every_variant.values():
        found = variant(
            ("forward", gradient.shape, images, kernel, strides, pads),
            ("image_gradient", images.shape, gradient, kernel, strides, pads),
            ("kernel_gradient", kernel.shape, images, gradient, strides, pads),
        )
        for each, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(each, other, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    "images, window, strides, pads",
    [
        ((3, 8, 9, 16), (3, 3), (1, 1), ((0, 0), (0, 0))),
        ((2, 9, 8, 37), (3, 3), (2, 1), ((0, 0), (0, 0))),
        ((2, 7, 9, 3), (5, 2), (1, 3), ((0, 0), (0, 0))),
        ((3, 6, 7, 33), (3, 3), (1, 1), ((1, 1), (1, 1))),
        ((2, 8, 9, 16), (3, 3), (2, 2), ((0, 1), (1, 1))),
        ((2, 5, 6, 5), (4, 5), (1, 2), ((2, 1), (0, 3))),
        ((2, 11, 12, 20), (5, 5), (1, 1), ((2, 2), (2, 2))),
        ((2, 12, 11, 19), (7, 6), (2, 1), ((3, 2), (3, 3))),
        ((2, 9, 9, 4), (2, 2), (3, 3), ((0, 0), (2, 3))),  # gaps between windows; all in the margin
    ],
)
def test_a_depthwise_convolution_and_its_gradients_are_their_sums(
    images, window, strides, pads, rng, every_variant
):
    images, kernel = rng.standard_normal(images), rng.standard_normal((*window, images[3]))
    whole = np.pad(images, ((0, 0), *pads, (0, 0)))
    outputs = [(n - k) // s + 1 for n, k, s in zip(whole.shape[1:3], window, strides, strict=True)]
    gradient = rng.standard_normal((len(images), *outputs, images.shape[3]))
    values, of_whole, of_kernel = np.zeros(gradient.shape), np.zeros(whole.shape), kernel * 0
    (oh, ow), (sh, sw) = outputs, strides
    for i, j in np.ndindex(window):
        rows, columns = slice(i, i + (oh - 1) * sh + 1, sh), slice(j, j + (ow - 1) * sw + 1, sw)
        values += whole[:, rows, columns] * kernel[i, j]
        of_whole[:, rows, columns] += gradient * kernel[i, j]
        of_kernel[i, j] = (whole[:, rows, columns] * gradient).sum((0, 1, 2))
    inside = [slice(pad[0], pad[0] + n) for pad, n in zip(pads, images.shape[1:3], strict=True)]
    single = [each.astype(np.float32) for each in (images, kernel, gradient)]
    for variant in every_variant.values():
        (found,) = variant(("depthwise", values.shape, single[0], single[1:], strides, pads))
        for each, expected in zip(found, (values, of_whole[:, *inside], of_kernel), strict=True):
            np.testing.assert_allclose(each, expected, atol=2e-5)


ACTIVATIONS = {  # each with its derivative
    "linear": (lambda z: z, np.ones_like),
    "relu": (lambda z: np.maximum(z, 0), lambda z: z > 0),
    "elu": (lambda z: np.where(z > 0, z, np.expm1(z)), lambda z: np.exp(np.minimum(z, 0))),
}
NORMALIZED = [
    # rows of channels below, at, beside and above a vector; rows fewer and more than are sampled
    ((1, 1), "linear", 0.3, 2),
    ((7, 1), "relu", 0.3, 2),
    ((300, 3), "linear", 1000, 0.5),
    ((3, 9, 11, 16), "relu", 1000, 0.5),
    ((130, 17), "elu", 0.3, 2),
    ((4, 5, 5, 48), "elu", -1000, 0.5),
    ((64, 130), "relu", 0.3, 2),
    ((9, 7, 5), "elu", 0, 40),
]


@pytest.mark.parametrize("shape, activation, mean, deviation", NORMALIZED)
def test_batch_normalization_and_its_gradients_are_the_formulas(
    shape, activation, mean, deviation, rng, every_variant
):
    """In float64, but for the mean, which is kept in float32; far from 0 it costs no digits."""
    x = (mean + deviation * rng.standard_normal(shape)).astype(np.float32)
    shapes = shape[-1:], shape[-1:], shape
    single = [rng.standard_normal(each).astype(np.float32) for each in shapes]
    gamma, beta, gradient = (each.astype(np.float64) for each in single)
    activate, slope = ACTIVATIONS[activation]
    axes = tuple(range(len(shape) - 1))
    means, variances = x.mean(axes, np.float64), x.astype(np.float64).var(axes)
    inverse = 1 / np.sqrt(variances + 1e-3)
    scaled = (x - np.float32(means).astype(np.float64)) * inverse
    before = gradient * slope(scaled * gamma + beta)
    of_beta, of_gamma = before.sum(axes), (before * scaled).sum(axes)
    of_x = before - before.mean(axes) - scaled * (before * scaled).mean(axes)
    results = [activate(scaled * gamma + beta), means, variances]
    expected = [*results, of_x * gamma * inverse, of_gamma, of_beta]
    for variant in every_variant.values():
        (found,) = variant(("normalization", activation, x, tuple(single)))
        for each, other in zip(found, expected, strict=True):
            scale = max(np.abs(other).max(), 1)
            np.testing.assert_allclose(each, other, rtol=2e-6, atol=1e-6 * scale)
        (again,) = variant(("normalization", activation, x, tuple(single)))
        assert [each.tobytes() for each in again] == [each.tobytes() for each in found]


def test_not_a_number_stays_in_its_channel(rng, every_variant):
    x = rng.standard_normal((50, 19), np.float32)
    x[3, 4] = np.nan
    channel = np.ones(19, np.float32)
    for variant in every_variant.values():
        calls = [("normalization", each, x, (channel, channel, x)) for each in ACTIVATIONS]
        for found, *_ in variant(*calls):
            assert np.isnan(found).any(0).nonzero()[0].tolist() == [4]
            assert np.isnan(found[:, 4]).all()


@pytest.mark.skipif(
    "avx512" not in native.usable_variants() or not build.compiler(),
    reason="no AVX-512, or no C++ compiler, to have tiles in software",
)
def test_tiles_are_among_what_is_tested(variant_files):
    assert "amx" in variant_files


def exact(images, kernel, gradient):
    """The convolution and its gradients, summed in float64."""
    images, kernel, gradient = (each.astype(np.float64) for each in (images, kernel, gradient))
    (height, width), (oh, ow) = kernel.shape[:2], gradient.shape[1:3]
    values, image_gradient = np.zeros(gradient.shape), np.zeros(images.shape)
    kernel_gradient = np.zeros(kernel.shape)
    for i, j in np.ndindex(height, width):
        window = images[:, i : i + oh, j : j + ow]
        values += window @ kernel[i, j]
        image_gradient[:, i : i + oh, j : j + ow] += gradient @ kernel[i, j].T
        kernel_gradient[i, j] = np.tensordot(window, gradient, ([0, 1, 2], [0, 1, 2]))
    return values, image_gradient, kernel_gradient


@pytest.fixture(scope="session")
def every_variant(variant_files):
    """Return a run of an operation by every variant that this processor can run: {name: run}."""
    made = {}
    for name, path in variant_files.items():
        loaded = []
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(native, "_loaded", loaded)
            assert native.load(native.Choice(name, path)) is None

        def run_variant(*calls, loaded=loaded):
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(native, "_loaded", loaded)
                return run(*calls)

        made[name] = run_variant
    return made


# With AMX, the products of 96 channels are summed up directly, and of the gradient of 64.
@pytest.mark.parametrize(
    "channels, filters, side", [(96, 64, 7), (64, 40, 18), (16, 16, 30), (20, 35, 11)]
)
@pytest.mark.parametrize("kind", KINDS)
def test_errors_are_of_the_size_of_those_in_float32(
    kind, channels, filters, side, rng, every_variant
):
    """AMX splits float32 into bfloat16, Winograd adds before it multiplies.

    By tiles that is to lose no more than XLA's sums in float32 round, by Winograd's filtering a few
    times that: most where large values lie beside small ones in a tile.
    """
    shapes = (
        (34, side, side, channels),
        (3, 3, channels, filters),
        (34, side - 2, side - 2, filters),
    )
    images, kernel, gradient = (KINDS[kind](rng, shape).astype(np.float32) for shape in shapes)
    calls = [
        ("forward", gradient.shape, images, kernel),
        ("image_gradient", images.shape, gradient, kernel),
        ("kernel_gradient", kernel.shape, images, gradient),
    ]
    right = exact(images, kernel, gradient)
    usual = reference_and_gradients(images, kernel, gradient, (1, 1))
    for name, variant in every_variant.items():
        for call, found, xla, expected in zip(calls, variant(*calls), usual, right, strict=True):
            direct = channels == 96 or (channels == 64 and call[0] == "image_gradient")
            times = 1.5 if name == "amx" and direct else 8 if kind == "wide" else 5
            error, its = found - expected, xla - expected
            assert rms(error) <= times * rms(its)
            assert np.abs(error).max() <= times * np.abs(its).max()


def rms(errors):
    return np.sqrt((errors**2).mean())


@pytest.mark.parametrize("channels, filters", [(3, 21), (64, 48)])
def test_images_do_not_know_of_each_other(channels, filters, rng, native_kernels):
    """The results of an image are the same to the bit alone, and among others, at any index."""
    batch = rng.standard_normal((35, 9, 9, channels), np.float32)
    kernel = rng.standard_normal((3, 3, channels, filters), np.float32)
    gradient = rng.standard_normal((35, 7, 7, filters), np.float32)
    together, gradients = run(
        ("forward", gradient.shape, batch, kernel),
        ("image_gradient", batch.shape, gradient, kernel),
    )
    for image in (0, 16, 34):
        one, its = batch[image : image + 1], gradient[image : image + 1]
        alone, gradient_alone = run(
            ("forward", its.shape, one, kernel), ("image_gradient", one.shape, its, kernel)
        )
        np.testing.assert_array_equal(alone[0], together[image])
        np.testing.assert_array_equal(gradient_alone[0], gradients[image])


def test_several_trials_in_one_program(rng, native_kernels):
    images = rng.standard_normal((4, 6, 6, 3), np.float32)
    of_trials = rng.standard_normal((2, 3, 3, 3, 5), np.float32)

    @jax.grad
    def gradient(kernel):
        return (convolve(images, kernel, (1, 1), ((1, 1), (0, 1))) ** 2).sum()

    together = jax.jit(jax.vmap(gradient))(of_trials)
    for found, kernel in zip(together, of_trials, strict=True):
        np.testing.assert_allclose(found, gradient(kernel), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("channels, filters", [(3, 21), (40, 21), (40, 33)])
def test_nothing_is_read_or_written_beside_the_arrays(channels, filters, rng, native_kernels):
    """Not-a-number around the images would spread to every sum that it enters."""
    batch = rng.standard_normal((5, 10, 10, channels), np.float32)
    kernel = rng.standard_normal((3, 3, channels, filters), np.float32)
    gradient = rng.standard_normal((5, 8, 8, filters), np.float32)

    alone, gradient_alone = run(
        ("forward", (1, 8, 8, filters), batch[2:3], kernel),
        ("image_gradient", (1, 10, 10, channels), gradient[2:3], kernel),
    )
    others = [0, 1, 3, 4]
    batch[others], gradient[others] = np.nan, np.nan
    among, gradient_among = run(
        ("forward", gradient.shape, batch, kernel),
        ("image_gradient", batch.shape, gradient, kernel),
    )
    np.testing.assert_array_equal(among[2], alone[0])
    np.testing.assert_array_equal(gradient_among[2], gradient_alone[0])
    assert np.isnan(among[others]).all()
    assert np.isnan(gradient_among[others]).all()


MATRICES = [
    # rows, what is summed over, columns: below, at and above what tiles hold
    (1, 1, 1),
    (16, 32, 16),
    (17, 33, 31),
    (33, 64, 48),
    (128, 784, 80),
    (33, 900, 20),
    (250, 100, 65),
    (2000, 300, 20),
]


@pytest.fixture
def tiles(use_variant):
    use_variant("amx")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows, depth, columns", MATRICES)
def test_products_err_no_more_than_in_float32(rows, depth, columns, kind, rng, tiles):
    left, right = (
        KINDS[kind](rng, shape).astype(np.float32) for shape in ((rows, depth), (depth, columns))
    )
    found = {
        None: ops.product(left, right),
        "left": ops.product(left.T.copy(), right, transposed="left"),
        "right": ops.product(left, right.T.copy(), transposed="right"),
    }
    expected, most = most_error_in_float32(left, right)
    for each in found.values():
        assert error_of(each, expected) <= most


@pytest.mark.parametrize("rows, depth, columns", MATRICES)
def test_products_of_bytes_err_no_more_than_in_float32(rows, depth, columns, rng, tiles):
    left = rng.integers(0, 256, (rows, depth), np.uint8)
    right = rng.standard_normal((depth, columns), np.float32)
    expected, most = most_error_in_float32(left, right)
    for each in (ops.product(left, right), ops.product(left.T.copy(), right, transposed="left")):
        assert error_of(each, expected) <= most


def most_error_in_float32(left, right):
    """Return the product in float64, and by how much it may be missed."""
    expected = left.astype(np.float64) @ right.astype(np.float64)
    in_turn = np.zeros(expected.shape, np.float32)
    for one, other in zip(left.astype(np.float32).T, right, strict=True):
        in_turn += np.outer(one, other)
    least = np.spacing(np.abs(expected).max().astype(np.float32))  # where nothing is summed
    return expected, max(error_of(in_turn, expected), least)


def error_of(found, expected):
    return np.sqrt(((np.asarray(found) - expected) ** 2).mean())


def test_products_of_several_trials_in_one_program(rng, tiles):
    inputs = rng.standard_normal((20, 70), np.float32)
    of_trials = rng.standard_normal((2, 70, 64), np.float32)
    gradient = jax.grad(lambda weights: (multiply(inputs, weights) ** 2).sum())
    together = jax.jit(jax.vmap(gradient))(of_trials)
    for found, weights in zip(together, of_trials, strict=True):
        np.testing.assert_array_equal(found, gradient(weights))
