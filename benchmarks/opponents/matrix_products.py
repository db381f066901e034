"""The limit: a step's matrix products and nothing else, each by the fastest library at hand.

`train` does as many of each product as the steps of its epochs need, one product after the other,
and then says how fast a large product is.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from bakeoff.training import backend
from benchmarks.opponents.child import Settings, Task, serve
from benchmarks.workloads import Product, Workload, declared, operations, products

LARGE: Product = (1024, 1024, 1024)
_TRIAL_SECONDS = 0.05
_LARGE_SECONDS = 0.3

Multiply = Callable[[], Any]


class _Products:
    def __init__(self, task: Task) -> None:
        workload = Workload("", task.recipe, task.model, None, 0)
        self._task = task
        self._products = products(declared(workload))
        self._ways: list[Multiply] = []
        self.parameters = 0
        self.detail: Settings = {}

    def prepare(self, settings: Settings) -> None:
        self._ways = [_fastest(each) for each in self._products]
        self._large = _fastest(LARGE)

    def train(self, images: int, rates: Sequence[float]) -> float:
        large = operations([LARGE]) / _seconds(self._large, _LARGE_SECONDS)
        steps = -(-images // self._task.declared.training.batch_size) * len(rates)
        started = time.perf_counter()
        for multiply in self._ways:
            for _ in range(steps):
                done = multiply()
            if hasattr(done, "block_until_ready"):
                done.block_until_ready()
        seconds = time.perf_counter() - started
        self.detail = {"operations": operations(self._products), "large_per_second": large}
        return seconds

    def score(self) -> float:
        raise ValueError("matrix products have no accuracy")


def _fastest(product: Product) -> Multiply:
    return min(_libraries(product), key=lambda way: _seconds(way, _TRIAL_SECONDS))


def _libraries(product: Product) -> Iterator[Multiply]:
    """Yield the product of the same matrices by NumPy, by PyTorch and by XLA."""
    import torch

    rows, inner, columns = product
    generator = np.random.default_rng(0)
    a = generator.random((rows, inner), dtype=np.float32)
    b = generator.random((inner, columns), dtype=np.float32)
    out = np.empty((rows, columns), np.float32)
    yield lambda: np.matmul(a, b, out=out)
    at, bt, result = torch.from_numpy(a), torch.from_numpy(b), torch.empty(rows, columns)
    yield lambda: torch.mm(at, bt, out=result)
    jax = backend.jax
    multiply = jax.jit(jax.numpy.matmul)
    aj, bj = jax.numpy.asarray(a), jax.numpy.asarray(b)
    yield lambda: multiply(aj, bj)


def _seconds(multiply: Multiply, least: float) -> float:
    """Return the seconds of one product, repeated for `least` seconds; the first does not count."""
    _wait(multiply())
    count, started = 0, time.perf_counter()
    while (passed := time.perf_counter() - started) < least or not count:
        _wait(multiply())
        count += 1
    return passed / count


def _wait(done: Any) -> None:
    if hasattr(done, "block_until_ready"):
        done.block_until_ready()


def _make(task: Task) -> _Products:
    import torch

    torch.set_num_threads(task.threads)
    backend.start("cpu")
    return _Products(task)


if __name__ == "__main__":
    serve(_make)
