"""PyTorch, a loop written well: data in memory as one tensor, a whole batch gathered at once.

settings: layout ("channels-last" or "contiguous"), optimizer ("fused", "foreach", "single"),
compile (torch.compile).
"""

import time
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch.nn import functional

from benchmarks.opponents import torch_model
from benchmarks.opponents.child import Settings, Task, serve


def tensors(task: Task) -> tuple[Any, Any, Any, Any]:
    """Return images and labels to train on and those held out; images with channels first."""
    train, held = task.both

    def transposed(images: Any) -> Any:
        return torch.from_numpy(images.transpose(0, 3, 1, 2).copy())

    return (
        transposed(train.scaled()),
        torch.from_numpy(train.labels.copy()),
        transposed(held.scaled()),
        torch.from_numpy(held.labels.copy()),
    )


def network(task: Task, settings: Settings) -> Any:
    """Return the model with its initial weights."""
    torch.manual_seed(task.seed)
    material = task.both[0]
    height, width, channels = material.images.shape[1:]
    built = torch_model.build(task.declared, channels, (height, width), material.n_classes)
    if settings["layout"] == "channels-last":
        built = built.to(memory_format=torch.channels_last)
    return built


def accuracy(model: Any, images: Any, labels: Any) -> float:
    """Return the share of images that the model classifies correctly."""
    model.eval()
    with torch.inference_mode():
        answers = torch.cat([model(part).argmax(1) for part in images.split(500)])
    model.train()
    return float((answers == labels).float().mean())


class _Loop:
    detail: ClassVar[Settings] = {}

    def __init__(self, task: Task) -> None:
        self._task = task
        self._images, self._labels, self._held, self._truth = tensors(task)
        self._model: Any = None

    @property
    def parameters(self) -> int:
        return torch_model.parameters(self._model)

    def prepare(self, settings: Settings) -> None:
        layout = torch.channels_last if settings["layout"] == "channels-last" else None
        self._images = self._images.contiguous(memory_format=layout or torch.contiguous_format)
        self._model = network(self._task, settings)
        self._optimizer = torch_model.optimizer(
            self._model, self._task.declared, way=settings["optimizer"]
        )
        self._forward = self._model
        if settings.get("compile"):
            torch._dynamo.reset()
            self._forward = torch.compile(self._model, dynamic=False)

    def train(self, images: int, rates: Sequence[float]) -> float:
        batch = self._task.declared.training.batch_size
        x, y = self._images[:images], self._labels[:images]
        started = time.perf_counter()
        for rate in rates:
            for group in self._optimizer.param_groups:
                group["lr"] = rate
            total, correct = torch.zeros(()), torch.zeros((), dtype=torch.int64)
            for rows in torch.randperm(images).split(batch):
                labels = y[rows]
                self._optimizer.zero_grad(set_to_none=True)
                logits = self._forward(x[rows])
                loss = functional.cross_entropy(logits, labels)
                loss.backward()
                self._optimizer.step()
                total += loss.detach() * len(rows)
                correct += (logits.detach().argmax(1) == labels).sum()
            total.item(), correct.item()
        return time.perf_counter() - started

    def score(self) -> float:
        return accuracy(self._model, self._held, self._truth)


def _make(task: Task) -> _Loop:
    torch.set_num_threads(task.threads)
    return _Loop(task)


if __name__ == "__main__":
    serve(_make)
