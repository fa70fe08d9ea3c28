"""How Keras is loaded."""

import subprocess
import sys
from pathlib import Path

import train_network

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
