"""The backend of Keras: how it is loaded, and what the device it computes on is good at.

Keras is loaded without what it loads only in case: drawing and scikit-learn, a fifth of its start.
For a training, TensorFlow is told two things that make steps faster on a processor.
"""

import os
import sys
from pathlib import Path

#: What Keras imports where it is installed, for functions that nothing here calls.
_UNUSED = ("matplotlib", "sklearn")


def load_keras() -> None:
    """Import Keras and its backend; the libraries left out can be imported afterwards."""
    unused = set(_UNUSED) - set(sys.modules)
    # To the import system, None is a library that is not installed.
    sys.modules.update(dict.fromkeys(unused))
    try:
        import keras  # noqa: F401
    finally:
        for name in unused:
            del sys.modules[name]


def tell_tensorflow_of_training() -> None:
    """Set what makes steps faster, unless the environment sets it already.

    TensorFlow reads this when it is loaded (docs/benchmarks/networks.md, "Besides the network").
    """
    # Without AVX-512 it leaves oneDNN out, whose gradients of convolutions take half the time.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # A core is left for the images of the next step.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(max(1, usable_cores() - 1)))


def usable_cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def how_to_compile() -> str | bool:
    """How Keras compiles a function here, its ``jit_compile``.

    XLA makes TensorFlow's convolutions slower on a CPU, and has no Poisson draw on a GPU.
    """
    import keras

    return "auto" if keras.backend.backend() == "jax" else False


def multiplies_in_bfloat16() -> bool:
    """Whether the device multiplies in bfloat16: it says so; what says nothing does not.

    NVIDIA's GPUs do from compute capability 8.0 on. Processors are asked under Linux, for
    TensorFlow, unless oneDNN is told to use less of them (``ONEDNN_MAX_CPU_ISA``).
    """
    import keras

    backend = keras.backend.backend()
    if capabilities := [str(one) for one in _GPUS[backend]()]:
        majors = [one.partition(".")[0] for one in capabilities]
        return all(one.isdecimal() and int(one) >= 8 for one in majors)
    by_onednn = backend == "tensorflow" and "ONEDNN_MAX_CPU_ISA" not in os.environ
    return by_onednn and not _BFLOAT16.isdisjoint(processor_flags())


def processor_flags(told: Path = Path("/proc/cpuinfo")) -> set[str]:
    """Names of the instructions that the processor has beyond the basic ones; none if untold."""
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else ()
    return {flag for line in lines if line.startswith("flags") for flag in line.split()}


def _tensorflow_gpus() -> list[str]:
    import tensorflow as tf

    details = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU"))
    return [".".join(map(str, one.get("compute_capability", ("",)))) for one in details]


def _jax_gpus() -> list[str]:
    import jax

    return [
        getattr(one, "compute_capability", "") for one in jax.devices() if one.platform == "gpu"
    ]


def _torch_gpus() -> list[str]:
    import torch

    count = torch.cuda.device_count()
    return [".".join(map(str, torch.cuda.get_device_capability(number))) for number in range(count)]


#: Compute capabilities of the GPUs that a backend uses, such as 8.0; empty of one that tells none.
_GPUS = {"tensorflow": _tensorflow_gpus, "jax": _jax_gpus, "torch": _torch_gpus}

#: Processors that multiply in bfloat16 have one of these flags.
_BFLOAT16 = {"avx512_bf16", "amx_bf16"}
