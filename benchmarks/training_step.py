"""Time the parts of a training step: imaging (waves to images and truth) against the whole step.

The median of repeated calls, with the laptop's configuration unless another is given.

Example:
    python benchmarks/training_step.py --settings '{"network": {"features": 16}}'
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import yaml

from atomsight.config.configuration import check_configuration
from atomsight.files.records import Waves
from atomsight.learning.networks import build_network
from atomsight.learning.training import make_learner, make_plan, streams

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--settings", default="{}", help="merged over models.graphene_laptop")
    arguments.add_argument("--repeats", type=int, default=15)
    given = arguments.parse_args()
    text = (ROOT / "config" / "config.yaml").read_text(encoding="utf-8")
    section = yaml.safe_load(text)["models"]["graphene_laptop"] | json.loads(given.settings)
    section["microscope"] = str(ROOT / section["microscope"])
    complete = check_configuration({"models": {"graphene_laptop": section}})
    plan = make_plan(complete["models"]["graphene_laptop"], seed=1)
    waves = random_waves(4, plan.microscope.energy_eV)
    learner = make_learner(build_network(plan.network, 1, plan.classes), waves, plan)
    inputs = streams(waves, plan)[0].inputs(0)
    imaging = compiled(learner.imaging)
    alone = median_ms(lambda: imaging(inputs), given.repeats)
    step = median_ms(lambda: learner.train_on_batch(inputs), given.repeats)
    print(f"imaging {alone:.0f} ms, whole step {step:.0f} ms, share {100 * alone / step:.0f} %")


def compiled(layer: keras.layers.Layer) -> Callable:
    """A layer as one compiled function, by the backend's own means; it waits for the result."""

    class Alone(keras.Model):
        """A model of one layer, for predict_on_batch to compile."""

        def __init__(self):
            super().__init__()
            self.layer = layer

        def call(self, inputs):
            """Call the layer."""
            return self.layer(inputs)

    model = Alone()
    model.compile(jit_compile="auto" if keras.backend.backend() == "jax" else False)
    return model.predict_on_batch


def random_waves(count: int, energy_eV: float, orders: int = 139, sites: int = 700) -> Waves:
    """Waves of the size that graphene has, with nothing in them to recognise."""
    rng = np.random.default_rng(0)
    spectra = 0.001 * rng.normal(size=(count, 1, orders, orders, 2)).astype("float32")
    spectra = spectra.view("complex64")[..., 0]
    spectra[..., orders // 2, orders // 2] = 1
    positions = rng.uniform(0, 43.2, (count, sites, 2))
    classes = np.ones((count, sites), dtype=int)
    return Waves(spectra, (43.2, 43.2), energy_eV, tuple(positions), tuple(classes))


def median_ms(call: Callable, repeats: int) -> float:
    """Median time of a call [ms], after a first one that compiles."""
    call()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return 1e3 * statistics.median(times)


if __name__ == "__main__":
    main()
