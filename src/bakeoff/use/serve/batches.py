"""Images that wait for the network go through it together, in one thread of their own.

Nothing waits for a batch to fill: while one batch is computed, the next gathers.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 256  # images in a batch


class Batches:
    """Predictions for whoever asks, in one event loop.

    predict : images, shape (n, height, width, channels), to an array whose axis 1 is the image's
    """

    def __init__(self, predict: Callable[[NDArray[Any]], NDArray[Any]]) -> None:
        self._predict = predict
        self._waiting: list[tuple[NDArray[Any], asyncio.Future[Any]]] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="network")
        self._busy = False

    async def __call__(self, images: NDArray[Any]) -> NDArray[Any]:
        """Return what `predict` gives for these images alone."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((images, future))
        if not self._busy:
            self._busy = True
            self._start()
        return np.asarray(await future)

    def _start(self) -> None:
        batch: list[tuple[NDArray[Any], asyncio.Future[Any]]] = []
        count = 0
        while self._waiting and (not batch or count + len(self._waiting[0][0]) <= MOST):
            batch.append(self._waiting.pop(0))
            count += len(batch[-1][0])
        loop = asyncio.get_running_loop()
        images = batch[0][0] if len(batch) == 1 else np.concatenate([each for each, _ in batch])
        task = loop.run_in_executor(self._thread, self._predict, images)
        task.add_done_callback(lambda done: self._finish(done, batch))

    def _finish(self, done: Any, batch: list[tuple[NDArray[Any], Any]]) -> None:
        error = done.exception()
        start = 0
        for images, future in batch:
            end = start + len(images)
            if not future.done():
                if error is not None:
                    future.set_exception(error)
                else:
                    future.set_result(done.result()[:, start:end])
            start = end
        self._busy = bool(self._waiting)
        if self._busy:
            self._start()

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False, cancel_futures=True)
