"""What a network must beat: the majority class, and logistic regression on the pixels.

Both are deterministic and are kept as weights of one softmax layer: kernel and bias.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = dict[str, NDArray[Any]]
ITERATIONS = 100  # of L-BFGS; on MNIST more of them change the accuracy by less than 0.1 points


def fit(
    name: str,
    images: NDArray[Any],
    labels: NDArray[np.int64],
    *,
    maximum: float,
    n_classes: int,
) -> Weights:
    """Fit the baseline called `name` (majority or logistic) on the training part.

    Parameters
    ----------
    images : uint8 or float32, shape (n, height, width, channels)
    labels : integers, shape (n,)

    Returns
    -------
    {"kernel": float32 (pixels, n_classes), "bias": float32 (n_classes,)}
    """
    counts = np.bincount(labels, minlength=n_classes)
    pixels = int(np.prod(images.shape[1:]))
    if name == "majority" or np.count_nonzero(counts) < 2:
        with np.errstate(divide="ignore"):
            bias = np.maximum(np.log(counts / counts.sum()), -50.0)
        return {"kernel": np.zeros((pixels, n_classes), np.float32), "bias": _float32(bias)}
    return _logistic(images.reshape(-1, pixels), labels, maximum, n_classes)


def _logistic(flat: NDArray[Any], labels: NDArray[Any], maximum: float, n_classes: int) -> Weights:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    model = LogisticRegression(max_iter=ITERATIONS)
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopping early is the plan
        model.fit(flat.astype(np.float32) / np.float32(maximum), labels)
    kernel = np.zeros((flat.shape[1], n_classes), np.float32)
    bias = np.full(n_classes, -50.0, np.float32)
    if len(model.classes_) == 2:  # scikit-learn keeps one row for the second class of two
        kernel[:, model.classes_[1]] = model.coef_[0]
        bias[model.classes_] = 0, model.intercept_[0]
    else:
        kernel[:, model.classes_] = model.coef_.T
        bias[model.classes_] = model.intercept_
    return {"kernel": kernel, "bias": bias}


def parameters(name: str, weights: Weights) -> int:
    """Count what was fitted: the majority class needs no kernel, it is kept as zeros."""
    fitted = weights if name == "logistic" else {"bias": weights["bias"]}
    return sum(array.size for array in fitted.values())


def predict(weights: Weights, images: NDArray[Any], *, maximum: float) -> NDArray[np.float32]:
    """Return a fitted baseline's probabilities, float32, shape (n_images, n_classes).

    Raises ValueError if the weights are not a baseline's for such images.
    """
    flat = images.reshape(len(images), -1).astype(np.float64) / maximum
    kernel, bias = weights.get("kernel"), weights.get("bias")
    if kernel is None or bias is None or kernel.shape != (flat.shape[1], len(bias)):
        raise ValueError("these weights are not a baseline's")
    logits = np.einsum("np,pk->nk", flat, kernel.astype(np.float64)) + bias
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return _float32(powers / powers.sum(axis=1, keepdims=True))


def _float32(array: NDArray[Any]) -> NDArray[np.float32]:
    return array.astype(np.float32)
