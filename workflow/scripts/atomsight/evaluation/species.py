"""How well the species in monolayers of MoS2 are named, against the dose.

Every sheet is simulated once. Every model gets the images it reads together, at the focus it has
learned, and all of them share the dose: a model that reads one image gets it with the whole dose.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import abtem
import numpy as np
import pandas as pd

from atomsight.evaluation import classification
from atomsight.evaluation.readers import AtomReader
from atomsight.phantoms import acquisition, focal_series, monolayers
from atomsight.phantoms.acquisition import AcquisitionSettings
from atomsight.phantoms.monolayers import REGIONS, SPECIES, MonolayerSettings, MonolayerSpecimen


@dataclass(frozen=True)
class SpeciesEvaluationSettings:
    """What sheets are imaged, and how.

    Attributes
    ----------
    sheets : int
        Number of sheets.
    doses_e_per_A2 : tuple of float
        Doses of all images of a series together [e/Å²].
    defocus_A : tuple of 2 floats
        Range of the defocus of an image whose step is 0, from the lower side of the sheet [Å]; one
        is drawn for every sheet.
    registration_error_A : float
        Root mean square shift between the images of a series along each axis [Å].
    radius_A : float
        Largest distance of a found site from the true one [Å].
    seed : int
        Seed of sheets, focus, shifts and noise.
    monolayer : MonolayerSettings
        The sheets; their seed is that above.
    acquisition : AcquisitionSettings
        Microscope, field of view and camera.
    """

    sheets: int
    doses_e_per_A2: tuple[float, ...]
    defocus_A: tuple[float, float]
    registration_error_A: float
    radius_A: float
    seed: int
    monolayer: MonolayerSettings
    acquisition: AcquisitionSettings


@dataclass(frozen=True)
class SpeciesReader:
    """A model that is evaluated.

    Attributes
    ----------
    model : str
        Its name.
    steps_A : tuple of F floats
        Defocus of the images it reads together, counted from that of the image with step 0 [Å].
    read : callable
        From images of shape (F, H, W) to the table of sites.
    """

    model: str
    steps_A: tuple[float, ...]
    read: AtomReader


@dataclass(frozen=True)
class _Sheet:
    """A sheet with its exit wave, and the true sites where its images lie on average."""

    wave: abtem.Waves
    sites: pd.DataFrame
    optics: AcquisitionSettings
    defocus_A: float


def measure(chosen: SpeciesEvaluationSettings, readers: Sequence[SpeciesReader]) -> pd.DataFrame:
    """Image all sheets for every model, name their sites, compare with the truth.

    Parameters
    ----------
    chosen : SpeciesEvaluationSettings
        What is imaged.
    readers : sequence of SpeciesReader
        The models.

    Returns
    -------
    DataFrame
        ``model, frames, dose_e_per_A2, sheet`` and the columns of
        :func:`atomsight.evaluation.classification.pair_columns`.
    """
    tables = []
    for number in range(chosen.sheets):
        sheet = _make_sheet(chosen, number)
        for reader in readers:
            rng = np.random.default_rng([chosen.seed, number, 1])
            for dose, images in _exposures(chosen, sheet, reader.steps_A, rng):
                pairs = classification.pair_columns(
                    reader.read(images), sheet.sites, sheet.optics.field_of_view_A, chosen.radius_A
                )
                setting = (reader.model, len(reader.steps_A), dose, number)
                for place, name in enumerate(("model", "frames", "dose_e_per_A2", "sheet")):
                    pairs.insert(place, name, setting[place])
                tables.append(pairs)
    return pd.concat(tables, ignore_index=True)


def _make_sheet(chosen: SpeciesEvaluationSettings, number: int) -> _Sheet:
    sheet_rng, focus_rng = np.random.default_rng([chosen.seed, number, 0]).spawn(2)
    specimen = monolayers.make_monolayer(chosen.monolayer, sheet_rng)
    optics = focal_series.focused_on(chosen.acquisition, specimen.below_A)
    return _Sheet(
        wave=acquisition.exit_wave(specimen.structure, optics),
        sites=_sites_in_image(specimen, optics),
        optics=optics,
        defocus_A=focus_rng.uniform(*chosen.defocus_A),
    )


def _sites_in_image(specimen: MonolayerSpecimen, optics: AcquisitionSettings) -> pd.DataFrame:
    sites = specimen.sites.rename(columns={"species": "class"})
    sites[["x_A", "y_A"]] -= acquisition.view_origin(specimen.structure, optics)
    return sites


def _exposures(
    chosen: SpeciesEvaluationSettings,
    sheet: _Sheet,
    steps_A: tuple[float, ...],
    rng: np.random.Generator,
) -> Iterator[tuple[float, np.ndarray]]:
    """Images of a sheet at every dose, all of one focal series."""
    shifts = focal_series.draw_shifts(len(steps_A), chosen.registration_error_A, rng)
    focus = tuple(sheet.defocus_A + step for step in steps_A)
    intensities = focal_series.image_series(sheet.wave, sheet.optics, focus, shifts)
    for dose in chosen.doses_e_per_A2:
        optics = dataclasses.replace(sheet.optics, dose_e_per_A2=dose)
        yield dose, focal_series.expose_series(intensities, optics, rng).astype("float32")


def summarise(pairs: pd.DataFrame) -> pd.DataFrame:
    """Scores of every model at every dose, all sheets together.

    Parameters
    ----------
    pairs : DataFrame
        What :func:`measure` gives.

    Returns
    -------
    DataFrame
        ``model, frames, dose_e_per_A2, sites, accuracy, accuracy_low, accuracy_high`` (share of the
        true sites found with the right species, and its 95 % interval), ``missed, invented``
        (numbers), ``position_error_pm``, ``calibration_error``, ``accuracy_<region>`` and
        ``precision_<species>, recall_<species>, f1_<species>``.
    """
    by = ["model", "frames", "dose_e_per_A2"]
    return pd.DataFrame(
        dict(zip(by, setting, strict=True)) | _scores(group)
        for setting, group in pairs.groupby(by, sort=False)
    )


def _scores(pairs: pd.DataFrame) -> dict[str, float]:
    row = classification.totals(pairs)
    row = {_SPECIES_NAMES.get(name, name): value for name, value in row.items()}
    row["calibration_error"] = classification.calibration_error(*classification.stated(pairs))
    for region in REGIONS:
        row[f"accuracy_{region}"] = classification.totals(pairs[pairs["region"] == region])["exact"]
    for scores in classification.class_scores(pairs, SPECIES).to_dict("records"):
        row |= {f"{name}_{scores['class']}": scores[name] for name in ("precision", "recall", "f1")}
    return row


_SPECIES_NAMES = {
    "columns": "sites",
    "exact": "accuracy",
    "exact_low": "accuracy_low",
    "exact_high": "accuracy_high",
}


def confusion(pairs: pd.DataFrame) -> pd.DataFrame:
    """Count the answers to every species, for every model at every dose.

    Parameters
    ----------
    pairs : DataFrame
        What :func:`measure` gives.

    Returns
    -------
    DataFrame
        ``model, frames, dose_e_per_A2, true_class, found_class, columns``.
    """
    by = ["model", "frames", "dose_e_per_A2"]
    tables = [
        classification.confusion(group).assign(**dict(zip(by, setting, strict=True)))
        for setting, group in pairs.groupby(by, sort=False)
    ]
    table = pd.concat(tables, ignore_index=True)
    return table[[*by, "true_class", "found_class", "columns"]]
