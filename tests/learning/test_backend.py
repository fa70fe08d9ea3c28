"""How Keras is loaded, and what the device is known to do."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import train_network
from atomsight.learning import backend

LOAD = """
import sys
from atomsight.learning.backend import load_keras
load_keras()
import keras
print(sorted({"matplotlib", "sklearn"} & set(sys.modules)))
import matplotlib.pyplot, sklearn
print(float(keras.ops.sum(keras.ops.ones(3))), keras.backend.backend())
"""


def test_keras_loads_no_library_that_it_can_do_without_and_they_load_afterwards():
    said = subprocess.run(
        [sys.executable, "-c", LOAD],
        cwd=Path(train_network.__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.splitlines() == ["[]", "3.0 tensorflow"]


def test_a_training_leaves_a_core_for_its_images_and_takes_the_faster_gradients(monkeypatch):
    for name in ("TF_ENABLE_ONEDNN_OPTS", "TF_NUM_INTRAOP_THREADS"):
        monkeypatch.setenv(name, "")  # so that it is put back, whatever it is now
        monkeypatch.delenv(name)
    monkeypatch.setattr(backend, "usable_cores", lambda: 8)
    backend.tell_tensorflow_of_training()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "1"
    assert os.environ["TF_NUM_INTRAOP_THREADS"] == "7"


def test_what_the_user_tells_tensorflow_is_left_as_it_is(monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "3")
    backend.tell_tensorflow_of_training()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "0"
    assert os.environ["TF_NUM_INTRAOP_THREADS"] == "3"


def test_tensorflow_does_as_it_is_told():
    """If ever it reads the variable no longer, trainings are slower in silence."""
    code = (
        "from atomsight.learning import backend; backend.tell_tensorflow_of_training()\n"
        "import tensorflow as tf; tf.ones(1)"
    )
    told = "TF_ENABLE_ONEDNN_OPTS", "TF_NUM_INTRAOP_THREADS"
    untold = {name: value for name, value in os.environ.items() if name not in told}
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(train_network.__file__).parent,
        env=untold | {"TF_CPP_MIN_LOG_LEVEL": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "oneDNN custom operations are on" in said.stderr


@pytest.fixture
def machine(monkeypatch):
    """Gives a function that makes this a machine with TensorFlow, such flags and such GPUs."""

    def of(flags="", gpus=(), name="tensorflow", onednn=None):
        monkeypatch.setattr(keras.backend, "backend", lambda: name)
        monkeypatch.setitem(backend._GPUS, name, lambda: list(gpus))
        monkeypatch.setattr(backend, "processor_flags", lambda: set(flags.split()))
        monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
        if onednn:
            monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", onednn)
        return backend.multiplies_in_bfloat16()

    return of


def test_a_processor_multiplies_in_bfloat16_if_it_says_so(machine):
    assert machine("fma avx512f avx512_bf16")
    assert machine("avx512f amx_bf16")
    assert not machine("fma avx2 avx512f")
    assert not machine(), "one that says nothing"
    assert not machine("avx512_bf16", onednn="AVX2"), "one that is not to use it"


@pytest.mark.parametrize("name", ["tensorflow", "jax", "torch"])
def test_a_gpu_multiplies_in_bfloat16_from_compute_capability_8_on(machine, name):
    """All that are used must; the flags of the processor beside them do not matter."""
    assert machine(gpus=["8.0", "12.0"], name=name)
    assert not machine("avx512_bf16", gpus=["7.5"], name=name)
    assert not machine("avx512_bf16", gpus=["9.0", "7.0"], name=name)
    assert not machine("avx512_bf16", gpus=["gfx90a"], name=name)
    assert not machine("avx512_bf16", gpus=[""], name=name), "one that says nothing"


def test_the_flags_of_a_processor_are_those_that_linux_tells(tmp_path):
    told = tmp_path / "cpuinfo"
    told.write_text("processor\t: 0\nflags\t\t: fpu avx512_bf16\nbugs\t: spectre_v1\n\n" * 2)
    assert {"fpu", "avx512_bf16"} <= backend.processor_flags(told)
    assert "spectre_v1" not in backend.processor_flags(told)
    assert backend.processor_flags(tmp_path / "missing") == set()


def test_the_gpus_of_the_backend_are_asked_for():
    assert all(isinstance(one, str) for one in backend._GPUS[keras.backend.backend()]())
