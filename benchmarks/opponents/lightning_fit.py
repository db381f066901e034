"""PyTorch Lightning: its Trainer without loggers, checkpoints and bars; whole batches at once.

settings: layout, optimizer, as the loop's. The clock runs from the start of training to its end,
so that what the Trainer does before and after is not counted against it.
"""

import logging
import time
import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

import lightning
import torch
from torch.nn import functional
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset

from benchmarks.opponents import torch_model
from benchmarks.opponents.child import Settings, Task, serve
from benchmarks.opponents.torch_loop import accuracy, network, tensors


class _Module(lightning.LightningModule):  # type: ignore[misc]
    def __init__(self, task: Task, settings: Settings) -> None:
        super().__init__()
        self.network = network(task, settings)
        self.declared, self.way = task.declared, settings["optimizer"]
        self.rates: Sequence[float] = ()
        self.seconds = 0.0
        self.kept: Any = None

    def configure_optimizers(self) -> Any:
        if self.kept is None:
            self.kept = torch_model.optimizer(self.network, self.declared, way=self.way)
        return self.kept

    def on_train_start(self) -> None:
        self.seconds = time.perf_counter()

    def on_train_epoch_start(self) -> None:
        for group in self.kept.param_groups:
            group["lr"] = self.rates[self.current_epoch]
        self.total, self.correct = torch.zeros(()), torch.zeros((), dtype=torch.int64)

    def training_step(self, batch: Any, position: int) -> Any:
        images, labels = batch
        logits = self.network(images)
        loss = functional.cross_entropy(logits, labels)
        self.total += loss.detach() * len(labels)
        self.correct += (logits.detach().argmax(1) == labels).sum()
        return loss

    def on_train_end(self) -> None:
        self.seconds = time.perf_counter() - self.seconds


class _Lightning:
    detail: ClassVar[Settings] = {}

    def __init__(self, task: Task) -> None:
        self._task = task
        self._images, self._labels, self._held, self._truth = tensors(task)
        self._module: Any = None

    @property
    def parameters(self) -> int:
        return torch_model.parameters(self._module)

    def prepare(self, settings: Settings) -> None:
        layout = torch.channels_last if settings["layout"] == "channels-last" else None
        self._images = self._images.contiguous(memory_format=layout or torch.contiguous_format)
        self._module = _Module(self._task, settings)

    def train(self, images: int, rates: Sequence[float]) -> float:
        data = TensorDataset(self._images[:images], self._labels[:images])
        batch = self._task.declared.training.batch_size
        batches = BatchSampler(RandomSampler(data), batch, drop_last=False)
        loader = DataLoader(data, sampler=batches, batch_size=None)
        trainer = lightning.Trainer(
            accelerator="cpu",
            devices=1,
            max_epochs=len(rates),
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        self._module.rates = rates
        trainer.fit(self._module, loader)
        return float(self._module.seconds)

    def score(self) -> float:
        return accuracy(self._module.network, self._held, self._truth)


def _make(task: Task) -> _Lightning:
    torch.set_num_threads(task.threads)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")  # its advice on loaders' workers: data is in memory
    return _Lightning(task)


if __name__ == "__main__":
    serve(_make)
