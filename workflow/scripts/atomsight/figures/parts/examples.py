"""Training examples as the training makes them, but of given doses."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from keras import ops

from atomsight.config.configuration import ModelSettings
from atomsight.files.records import Waves
from atomsight.imaging.microscope import Microscope
from atomsight.learning.examples import CAMERA_MARGIN_PX, ExampleStream, ImagingAndTruth


@dataclass(frozen=True)
class Example:
    """One training example and its conditions."""

    image: np.ndarray  # (H, W), in units of the mean number of electrons per pixel
    normalised: np.ndarray  # (H, W), what the network sees
    truth: np.ndarray  # (H, W), what it should say: one minus the probability of the background
    pixel_size_A: float
    dose_e_per_A2: float
    defocus_A: float  # underfocus positive
    cs_um: float
    c5_mm: float
    astigmatism_A: float


def make_examples(
    waves: Waves, model: ModelSettings, doses: Sequence[float], seed: int
) -> list[Example]:
    """Make an example for every dose [e/Å²], all other conditions drawn at random."""
    training, microscope = model.training, Microscope.behind(waves, model.microscope)
    imaging = ImagingAndTruth(microscope, training.site_sigma_A, training.window_A)
    examples = []
    for step, dose in enumerate(doses):
        stream = ExampleStream(
            waves,
            model.microscope.but(dose_e_per_A2=(dose, dose)),
            None,
            batch=1,
            image_px=training.image_px,
            on_sites=0.0,
            blank_share=0.0,
            classes=len(model.class_names) + 1,
            seed=seed,
            steps=len(doses),
        )
        examples.append(_make_example(stream.inputs(step), microscope, imaging))
    return examples


def _make_example(
    inputs: dict[str, np.ndarray], microscope: Microscope, imaging: ImagingAndTruth
) -> Example:
    inner = slice(CAMERA_MARGIN_PX, -CAMERA_MARGIN_PX)
    # The noise is drawn from the seed among the inputs: both images have the same.
    image = ops.convert_to_numpy(microscope(inputs))[0, 0, inner, inner]
    normalised, truth = (ops.convert_to_numpy(part)[0] for part in imaging(inputs))
    c10, c12a, c12b, c30, c50 = inputs["aberrations"][0, 0]
    return Example(
        image=image.T if inputs["turned"][0] else image,
        normalised=normalised[..., 0],
        truth=1 - truth[..., 0],
        pixel_size_A=float(inputs["pixel_size"][0]),
        dose_e_per_A2=float(inputs["dose"][0, 0]),
        defocus_A=-float(c10),
        cs_um=float(c30) * 1e-4,
        c5_mm=float(c50) * 1e-7,
        astigmatism_A=float(np.hypot(c12a, c12b)),
    )
