"""Who takes part: for each contestant its script, its environment and the settings to try.

An arrangement is a number of processes and the threads of each. Bakeoff runs as it runs a study,
one process of one thread for each core; everybody else gets whichever arrangement and settings
are fastest for it, found by a short calibration.
"""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from bakeoff.recipe import ModelRecipe
from bakeoff.study.executors.fork_server import LARGE_PAGES, TUNABLES
from bakeoff.training.native.load import SWITCH, usable_variants
from benchmarks.opponents.held import SWITCH as HOLD
from benchmarks.workloads import Declared

REPOSITORY = Path(__file__).parents[1]
Settings = dict[str, Any]
Try = Callable[[Declared], Sequence[Settings]]
MANY_STEPS = 16  # steps_per_execution to try beside 1
_SINGLE = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
_BETTER = "avx512"  # what a processor can do that has more than AVX2
# XLA's library for matrix products, YNNPACK, asks the processor itself: `opponents.held` holds that
# of jaxlib. TensorFlow's XLA does without it, and oneDNN multiplies there.
_XLA_AVX2 = "--xla_cpu_max_isa=AVX2"
_WITHOUT_YNNPACK = "--xla_cpu_experimental_ynn_fusion_type="
_AVX2 = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "DNNL_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
}


@dataclass(frozen=True)
class Arrangement:
    """So many processes at once, each with so many threads."""

    processes: int
    threads: int

    @property
    def label(self) -> str:
        """In words: "2 × 1 thread", "1 × 2 threads"."""
        return f"{self.processes} × {self.threads} thread{'s' * (self.threads > 1)}"


@dataclass(frozen=True)
class Contestant:
    """Somebody measured. `family` is what ratios are taken over: keras, torch, or none.

    needs : the native variants one of which the processor must be able to run; none: any processor
    isa : what it is held to where the processor has more: "avx2"
    free : the name of the same contestant that is not held, if there is one
    """

    name: str
    label: str
    script: str
    family: str | None
    tries: Try
    packages: tuple[str, ...]
    backend: str | None = None
    needs: tuple[str, ...] = ()
    isa: str | None = None
    free: str | None = None

    @property
    def held(self) -> str | None:
        """What it is held to on this processor; None where the processor has nothing better."""
        return self.isa if _BETTER in usable_variants() else None

    @property
    def is_limit(self) -> bool:
        """Whether it trains nothing, but shows how fast matrix products are."""
        return self.script == "matrix_products"

    def takes_part(self, declared: Declared) -> bool:
        """Say whether it can train a workload on this processor."""
        if self.script == "sklearn_mlp" and sklearn(declared.model) is None:
            return False
        return not self.needs or bool({*self.needs} & {*usable_variants()})

    def arrangements(self, cores: int) -> list[Arrangement]:
        """Return the arrangements to try on so many cores."""
        single = Arrangement(cores, 1)
        if self.family is None and self.name != "sklearn":
            return [single]
        return [single] if cores == 1 else [Arrangement(1, cores), single]

    def environment(self, threads: int) -> dict[str, str]:
        """Return the environment of one of its processes: who is free is not held from outside."""
        counted = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        added = {**dict.fromkeys(counted, str(threads)), "PYTHONPATH": str(REPOSITORY)}
        added[TUNABLES] = LARGE_PAGES  # as Bakeoff's workers have them, and so for everybody
        if self in OURS:
            added[SWITCH] = KERNELS[self.name]
        if self.backend:
            added["KERAS_BACKEND"] = self.backend
        single = self.backend == "jax" and threads == 1
        if single:
            added["NPROC"] = "1"
        flags = []
        if self.held:
            added |= {**_AVX2, HOLD: "1"}
            flags.append(_XLA_AVX2)
            if self.backend not in (None, "jax"):
                flags.append(_WITHOUT_YNNPACK)
        flags += [_SINGLE] * single  # the last: XLA reads flags up to the first word that is none
        if flags:
            added["XLA_FLAGS"] = " ".join(flags)
        inherited = {name: value for name, value in os.environ.items() if name not in _AVX2}
        return {**inherited, "TF_CPP_MIN_LOG_LEVEL": "2", **added}

    def command(self) -> list[str]:
        """Return the command of one of its processes."""
        return [str(self._python()), "-m", f"benchmarks.opponents.{self.script}"]

    def _python(self) -> Path:
        """Return the interpreter; Bakeoff's own has nothing of the others in it."""
        own = REPOSITORY / ".venv" / "bin" / "python"
        return own if self in OURS and own.exists() else Path(sys.executable)


def _as_it_is(declared: Declared) -> list[Settings]:
    return [{}]


def _images(declared: Declared) -> bool:
    """Say whether there are feature maps, whose memory may be laid out in two ways."""
    return any(layer.kind == "conv2d" for layer in declared.architecture.layers)


def _keras_tensorflow(declared: Declared) -> list[Settings]:
    steps = _steps(declared)
    return [{"jit": jit, "steps": n} for jit, n in product((False, True), steps)]


def _keras_jax(declared: Declared) -> list[Settings]:
    return [{"jit": True, "steps": n} for n in _steps(declared)]


def _keras_torch(declared: Declared) -> list[Settings]:
    plain: Settings = {"jit": False, "steps": 1}
    return [plain, {**plain, "format": "channels_first"}] if _images(declared) else [plain]


def _steps(declared: Declared) -> list[int]:
    """Return how many steps to try in one execution: many where steps are short and abound."""
    return (
        [1] if _images(declared) or declared.steps_per_epoch < 10 * MANY_STEPS else [1, MANY_STEPS]
    )


def _torch(declared: Declared) -> list[Settings]:
    layouts = ("channels-last", "contiguous") if _images(declared) else ("contiguous",)
    ways: tuple[str, ...] = ("foreach", "single")
    if declared.model.training.optimizer.kind != "rmsprop":  # which has no fused step on a CPU
        ways = ("fused",)
    return [{"layout": layout, "optimizer": way} for layout, way in product(layouts, ways)]


KERNELS = {  # BAKEOFF_CPU of each of ours; "": the best for this processor, as installed
    "bakeoff": "plain",
    "bakeoff-native": "",
    "bakeoff-avx512": "avx512",
    "bakeoff-avx2": "avx2",
}
_OURS = Contestant(
    "bakeoff", "Bakeoff", "bakeoff_engine", None, _as_it_is, ("keras", "jax", "jaxlib")
)
OURS = (
    _OURS,
    # The best that there is, where it is none of the two below.
    replace(_OURS, name="bakeoff-native", label="Bakeoff, native kernels", needs=("amx", "neon")),
    replace(_OURS, name="bakeoff-avx512", label="Bakeoff, AVX-512", needs=("avx512",)),
    replace(_OURS, name="bakeoff-avx2", label="Bakeoff, AVX2", needs=("avx2",), isa="avx2"),
)
_OTHERS = (
    Contestant(
        "keras-tensorflow",
        "Keras fit on TensorFlow",
        "keras_fit",
        "keras",
        _keras_tensorflow,
        ("keras", "tensorflow"),
        "tensorflow",
    ),
    Contestant(
        "keras-jax", "Keras fit on JAX", "keras_fit", "keras", _keras_jax, ("keras", "jax"), "jax"
    ),
    Contestant(
        "keras-torch",
        "Keras fit on PyTorch",
        "keras_fit",
        "keras",
        _keras_torch,
        ("keras", "torch"),
        "torch",
    ),
    Contestant("torch-loop", "PyTorch loop", "torch_loop", "torch", _torch, ("torch",)),
    Contestant(
        "lightning", "PyTorch Lightning", "lightning_fit", "torch", _torch, ("lightning", "torch")
    ),
    Contestant(
        "sklearn", "scikit-learn", "sklearn_mlp", None, _as_it_is, ("scikit-learn", "numpy")
    ),
    Contestant(
        "products",
        "matrix products alone",
        "matrix_products",
        None,
        _as_it_is,
        ("numpy", "torch", "jaxlib"),
    ),
)
_HELD = tuple(
    replace(
        each,
        name=f"{each.name}-avx2",
        label=f"{each.label}, held to AVX2",
        needs=(_BETTER,),
        isa="avx2",
        free=each.name,
    )
    for each in _OTHERS
    if each.family or each.is_limit
)
CONTESTANTS = (*OURS, *_OTHERS, *_HELD)
BY_NAME = {each.name: each for each in CONTESTANTS}


@dataclass(frozen=True)
class Sklearn:
    """A model as MLPClassifier would have it, and what of the model it leaves out."""

    settings: Settings
    differs: tuple[str, ...]


def sklearn(model: ModelRecipe) -> Sklearn | None:
    """Return a model for MLPClassifier, or None: it knows equal, plain layers, SGD and Adam.

    Dropout is left out and RMSprop becomes Adam, with a word about it; anything else is not done.
    """
    layers, optimizer = model.layers or (), model.training.optimizer
    dense = [layer.arguments for layer in layers if layer.kind == "dense"]
    activations = {each["activation"] for each in dense}
    if (
        not dense
        or {layer.kind for layer in layers} - {"dense", "dropout", "flatten"}
        or len(activations) != 1
        or activations - {"relu", "tanh", "sigmoid"}
        or any(each["kernel_regularizer"] for each in (*dense, model.output))
        or optimizer.kind not in ("sgd", "adam", "rmsprop")
    ):
        return None
    differs = ["no dropout"] if any(layer.kind == "dropout" for layer in layers) else []
    if optimizer.kind == "rmsprop":
        differs.append("Adam for RMSprop")
    name = activations.pop()
    settings = {
        "hidden": [each["units"] for each in dense],
        "activation": {"sigmoid": "logistic"}.get(name, name),
        "solver": "sgd" if optimizer.kind == "sgd" else "adam",
        "momentum": optimizer.arguments.get("momentum") or 0.0,
        "nesterov": bool(optimizer.arguments.get("nesterov")),
    }
    return Sklearn(settings, tuple(differs))


def entered(declared: Declared, names: Sequence[str] = ()) -> list[Contestant]:
    """Return who takes part in a workload; those of `names` only, if any is named."""
    wanted = [each for each in CONTESTANTS if not names or each.name in names]
    return [each for each in wanted if each.takes_part(declared)]
