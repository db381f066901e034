"""Images that wait for the network go through it together; slow batches in a thread of their own.

Nothing waits for a batch to fill: while one batch is computed, the next gathers. A batch that takes
a network no longer than handing it to a thread would is computed where it is.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 256  # images in a batch

Found = tuple[Any, ...]  # arrays or lists, each with one entry an image
Waiting = tuple[NDArray[Any], asyncio.Future[Found]]


class Batches:
    """Predictions for whoever asks, in one event loop.

    predict : images, shape (n, height, width, channels), to what is found of each
    inline : images up to which a batch is computed in the event loop itself
    """

    def __init__(self, predict: Callable[[NDArray[Any]], Found], *, inline: int = 0) -> None:
        self._predict, self._inline = predict, inline
        self._waiting: list[Waiting] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="network")
        self._busy = False

    async def __call__(self, images: NDArray[Any]) -> Found:
        """Return what `predict` finds for these images alone."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Found] = loop.create_future()
        self._waiting.append((images, future))
        if not self._busy:
            self._busy = True
            loop.call_soon(self._start)  # with all that arrives in this round of the loop
        return await future

    def _start(self) -> None:
        batch: list[Waiting] = []
        count = 0
        while self._waiting and (not batch or count + len(self._waiting[0][0]) <= MOST):
            batch.append(self._waiting.pop(0))
            count += len(batch[-1][0])
        images = batch[0][0] if len(batch) == 1 else np.concatenate([each for each, _ in batch])
        loop = asyncio.get_running_loop()
        if count > self._inline:
            task = loop.run_in_executor(self._thread, self._predict, images)
            task.add_done_callback(lambda done: self._finish(done, batch))
            return
        done: asyncio.Future[Found] = loop.create_future()
        try:
            done.set_result(self._predict(images))
        except Exception as error:
            done.set_exception(error)
        self._finish(done, batch)

    def _finish(self, done: asyncio.Future[Found], batch: list[Waiting]) -> None:
        error = done.exception()
        start = 0
        for images, future in batch:
            end = start + len(images)
            if not future.done():
                if error is not None:
                    future.set_exception(error)
                else:
                    future.set_result(tuple(part[start:end] for part in done.result()))
            start = end
        self._busy = bool(self._waiting)
        if self._busy:
            asyncio.get_running_loop().call_soon(self._start)

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False, cancel_futures=True)
