"""Images of a specimen by several cameras at several doses, as the evaluations take them.

The camera of the acquisition is called main and takes images at all doses; others take the same
electrons at some.
"""

from collections.abc import Iterable, Iterator

import pandas as pd

from atomsight.config.evaluation import MAIN_CAMERA, ExposureSettings
from atomsight.config.phantoms import AcquisitionSettings
from atomsight.evaluation import trained_ranges


def exposures(
    chosen: ExposureSettings, optics: AcquisitionSettings
) -> Iterator[tuple[str, AcquisitionSettings]]:
    """Name of the camera and settings of every image; the main camera's come first."""
    for dose in chosen.doses_e_per_A2:
        yield MAIN_CAMERA, optics.but(dose_e_per_A2=dose)
    for name, mtf in chosen.cameras.items():
        for dose in chosen.camera_doses_e_per_A2:
            yield name, optics.but(dose_e_per_A2=dose, mtf=mtf)


def noise_seed(seed: Iterable[int], exposure: AcquisitionSettings) -> list[int]:
    """Seed of the noise of an image of what ``seed`` stands for; all cameras see the same."""
    return [*seed, round(1000 * exposure.dose_e_per_A2)]


def mark_trained(
    table: pd.DataFrame, chosen: ExposureSettings, trained: dict, defocus_A: Iterable[float]
) -> pd.DataFrame:
    """Say of every row, by ``camera`` and ``dose_e_per_A2``, whether it is ``in_range``.

    It is if a model was trained on such images at every defocus given; ``trained`` has the ranges
    as the card of the model has them. Tilts of specimens are not looked at.
    """
    optics, focus_A = chosen.acquisition.exposure(), tuple(defocus_A)
    within = {
        (camera, exposure.dose_e_per_A2): all(
            trained_ranges.in_range(trained, exposure.but(defocus_A=focus)) for focus in focus_A
        )
        for camera, exposure in exposures(chosen, optics)
    }
    images = zip(table["camera"], table["dose_e_per_A2"], strict=True)
    return table.assign(in_range=[within[image] for image in images])
