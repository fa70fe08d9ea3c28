"""Probability calibration: the exponent with which probabilities of classes match frequencies.

Measured after the training on structures kept aside from it, read as the workflow reads images.
"""

import keras
import numpy as np
from scipy.optimize import minimize_scalar

from atomsight.config.reading import InferenceSettings, SegmentationSettings
from atomsight.learning.examples import Examples
from atomsight.reading.inference import read_image
from atomsight.reading.segmentation import segment, segment_sums, tempered

#: Orientations over which images are averaged, as by default in the workflow.
_ORIENTATIONS = 4

#: Smallest and largest exponent that is looked for.
_RANGE = (0.2, 10.0)

#: Keeps a probability of zero from an infinite surprise.
_SMALLEST = 1e-6


def measure_inverse_temperature(
    network: keras.Model,
    examples: Examples,
    settings: SegmentationSettings,
) -> float:
    """Find the exponent that calibrates the probabilities of the classes.

    The ``examples`` are of structures that the network has not learned. The exponent is one where
    there is but one class, or nothing is found.
    """
    if network.output_shape[-1] < 3:  # the background and one class, which is certain
        return 1.0
    answers = [
        answered(network, image, truth, settings)
        for made in examples.ahead(range(examples.steps))
        for image, truth in zip(*made, strict=True)
    ]
    shares = np.concatenate([part for part, _ in answers])
    classes = np.concatenate([part for _, part in answers])
    return fit_inverse_temperature(shares, classes)


def answered(
    network: keras.Model, image: np.ndarray, truth: np.ndarray, settings: SegmentationSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Stated probabilities of what a network finds, (N, C - 1), and the true classes from 0.

    The image has the shape (H, W, F), its true class maps (H, W, C).
    """
    maps = read_image(network, image, InferenceSettings().memory_mb, _ORIENTATIONS)
    segments = segment(maps[..., 0], settings.background_limit)
    stated, _ = segment_sums(maps, segments)
    true, _ = segment_sums(truth, segments)
    # Where a site lies in the middle of a segment, both have about the mass of one.
    is_site = (true[:, 1:].sum(axis=1) > 0.5 * stated[:, 1:].sum(axis=1)) & (
        true[:, 1:].max(axis=1) > 0.9 * true[:, 1:].sum(axis=1)
    )
    stated = stated[is_site, 1:]
    return stated / stated.sum(axis=1, keepdims=True), true[is_site, 1:].argmax(axis=1)


def fit_inverse_temperature(shares: np.ndarray, classes: np.ndarray) -> float:
    """Fit the exponent of greatest likelihood to probabilities (N, C) and the true classes from 0.

    It is one where there is nothing to fit.
    """
    if shares.shape[1] < 2 or not len(shares):
        return 1.0
    shares = np.maximum(shares, _SMALLEST)

    def surprise(log_inverse_temperature: float) -> float:
        p = tempered(shares, np.exp(log_inverse_temperature))
        return -float(np.mean(np.log(p[np.arange(len(p)), classes])))

    found = minimize_scalar(surprise, bounds=np.log(_RANGE), method="bounded")
    return float(np.exp(found.x))
