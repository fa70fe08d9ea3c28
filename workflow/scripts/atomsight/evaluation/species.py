"""Evaluate how well models name the species in simulated monolayers, against the dose.

The monolayers are of the material of the models. They come from another generator than those of the
training, their images from abTEM's own microscope. Every sheet is simulated once. A model gets as
many images as it reads together, at the focus it has learned; they share the dose: a model that
reads one image gets it with the whole dose. At some doses other cameras than the main one see the
same electrons. SUMMARY.csv has one row per model, camera and dose: model, frames, camera,
dose_e_per_A2 (of all images together), sites, accuracy (share of the true sites found with the
right species) and its 95 % interval, missed, invented, position_error_pm, calibration_error,
accuracy_<region>, precision, recall and f1 of every species, and in_range, whether the model was
trained on such images. CONFUSION.csv counts the answers: model, frames, camera, dose_e_per_A2,
true_class, found_class ("missed"; in truth "none" for inventions), columns.

Settings: sheets, doses_e_per_A2, cameras, camera_doses_e_per_A2, defocus_A, registration_error_A,
radius_A, contrast, seed, monolayer, acquisition.

Example:
    python evaluate.py species data/models/mos2 data/models/mos2_single summary.csv confusion.csv \\
        --settings '{"sheets": 2, "doses_e_per_A2": [1000, 10000]}'
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from atomsight import command_line, materials
from atomsight.config.evaluation import SpeciesEvaluationSettings
from atomsight.config.phantoms import AcquisitionSettings, MonolayerSettings
from atomsight.config.reading import InferenceSettings
from atomsight.errors import InputError
from atomsight.evaluation import classification
from atomsight.evaluation.exposures import exposures, mark_trained, noise_seed
from atomsight.evaluation.readers import AtomReader, atom_reader
from atomsight.files import tables
from atomsight.learning import models
from atomsight.materials.building.sublattices import Honeycomb
from atomsight.phantoms import acquisition, focal_series, monolayers
from atomsight.phantoms.monolayers import REGIONS, MonolayerSpecimen

if TYPE_CHECKING:
    import abtem

SECTION = "species_evaluation"

#: What tells the settings of the tables apart.
SETTING = ["model", "frames", "camera", "dose_e_per_A2"]

# Streams of random numbers, so that sheets, shifts and noise are independent.
_SHEET, _SHIFTS, _NOISE = range(3)


@dataclass(frozen=True)
class SpeciesReader:
    """A model that is evaluated.

    It reads images of shape (F, H, W) together, whose defocus is ``steps_A`` counted from that of
    the image with step 0 [Å], and gives the table of sites.
    """

    model: str
    steps_A: tuple[float, ...]
    read: AtomReader


@dataclass(frozen=True)
class _Sheet:
    """A sheet with its exit wave, and the true sites where its images lie on average."""

    wave: "abtem.Waves"
    sites: pd.DataFrame
    optics: AcquisitionSettings
    defocus_A: float


def add_arguments(arguments: argparse.ArgumentParser) -> None:
    arguments.add_argument("models", metavar="MODEL", nargs="+", help="folders of trained models")
    arguments.add_argument("summary", metavar="SUMMARY.csv", help="the table of scores to write")
    arguments.add_argument("confusion", metavar="CONFUSION.csv", help="the counts to write")
    command_line.add_settings(
        arguments, SECTION, SpeciesEvaluationSettings, inference=InferenceSettings
    )


def run(given: argparse.Namespace) -> None:
    chosen = SpeciesEvaluationSettings.parse(given.settings, SECTION)
    honeycomb = honeycomb_of(given.models)
    readers = [load_reader(folder, chosen, given.inference) for folder in given.models]
    pairs = evaluate(chosen, honeycomb, readers)
    table = summarise(pairs, honeycomb.class_names)
    trained = {card.name: card.microscope for card in map(models.read_card, given.models)}
    table = pd.concat(
        mark_trained(rows, chosen, trained[model], chosen.defocus_A)
        for model, rows in table.groupby("model", sort=False)
    )
    tables.write_csv(given.summary, table)
    tables.write_csv(given.confusion, confusion(pairs))
    command_line.print_table(table)


def honeycomb_of(folders: list[str]) -> Honeycomb:
    """The monolayers that models name the species of; those of all must be the same."""
    cards = {folder: models.read_card(folder) for folder in folders}
    first = next(iter(cards.values()))
    for folder, card in cards.items():
        try:
            honeycomb = materials.honeycomb(card.material)
        except InputError as error:
            raise InputError(f"{folder}: the model {card.name} names no species: {error}") from None
        if card.material != first.material:
            raise InputError(
                f"{folder}: the model {card.name} is for {card.material}, {first.name} for "
                f"{first.material}; evaluate models of one material together"
            )
    return honeycomb


def load_reader(folder: str, chosen: SpeciesEvaluationSettings, inference: dict) -> SpeciesReader:
    card = models.read_card(folder)
    steps_A = card.focus_steps_A
    read = atom_reader(
        folder, chosen.acquisition, inference, chosen.contrast, SECTION, frames=len(steps_A)
    )
    return SpeciesReader(card.name, steps_A, read)


def evaluate(
    chosen: SpeciesEvaluationSettings, honeycomb: Honeycomb, readers: Sequence[SpeciesReader]
) -> pd.DataFrame:
    """Image all sheets of a material for every model, name their sites, compare with the truth.

    The section is for all materials: shares of vacancies that this one has not do not matter.
    The table has ``model, frames, camera, dose_e_per_A2, sheet`` and the columns of
    :func:`atomsight.evaluation.classification.pair_columns`.
    """
    measured = []
    for number in range(chosen.sheets):
        sheet = _make_sheet(chosen, honeycomb, number)
        for reader in readers:
            for camera, dose, images in _exposures(chosen, sheet, reader.steps_A, number):
                pairs = classification.pair_columns(
                    reader.read(images), sheet.sites, sheet.optics.field_of_view_A, chosen.radius_A
                )
                setting = (reader.model, len(reader.steps_A), camera, dose, number)
                for place, name in enumerate((*SETTING, "sheet")):
                    pairs.insert(place, name, setting[place])
                measured.append(pairs)
    return pd.concat(measured, ignore_index=True)


def _make_sheet(chosen: SpeciesEvaluationSettings, honeycomb: Honeycomb, number: int) -> _Sheet:
    sheet_rng, focus_rng = np.random.default_rng([chosen.seed, number, _SHEET]).spawn(2)
    specimen = monolayers.make_monolayer(
        honeycomb, _own_vacancies(chosen.monolayer, honeycomb), sheet_rng
    )
    optics = focal_series.focused_on(chosen.acquisition.exposure(), specimen.below_A)
    return _Sheet(
        wave=acquisition.exit_wave(specimen.structure, optics),
        sites=_sites_in_image(specimen, optics),
        optics=optics,
        defocus_A=focus_rng.uniform(*chosen.defocus_A),
    )


def _own_vacancies(sheet: MonolayerSettings, honeycomb: Honeycomb) -> MonolayerSettings:
    """The settings without the vacancies of other materials."""
    names = honeycomb.class_names
    own = {
        key: {name: share for name, share in getattr(sheet, key).items() if name in names}
        for key in ("vacancy_shares", "edge_vacancy_shares")
    }
    return sheet.but(**own)


def _sites_in_image(specimen: MonolayerSpecimen, optics: AcquisitionSettings) -> pd.DataFrame:
    sites = specimen.sites.rename(columns={"species": "class"})
    sites[["x_A", "y_A"]] -= acquisition.view_origin(specimen.structure, optics)
    return sites


def _exposures(
    chosen: SpeciesEvaluationSettings,
    sheet: _Sheet,
    steps_A: tuple[float, ...],
    number: int,
) -> Iterator[tuple[str, float, np.ndarray]]:
    """Images of a sheet by every camera at its doses, all of one focal series."""
    rng = np.random.default_rng([chosen.seed, number, _SHIFTS])
    shifts = focal_series.draw_shifts(len(steps_A), chosen.registration_error_A, rng)
    focus = tuple(sheet.defocus_A + step for step in steps_A)
    intensities = focal_series.image_series(sheet.wave, sheet.optics, focus, shifts)
    for camera, optics in exposures(chosen, sheet.optics):
        rng = np.random.default_rng(noise_seed([chosen.seed, number, _NOISE], optics))
        counts = focal_series.expose_series(intensities, optics, rng).astype("float32")
        yield camera, optics.dose_e_per_A2, counts


def summarise(pairs: pd.DataFrame, class_names: Sequence[str]) -> pd.DataFrame:
    """Scores of every model by every camera and dose, all sheets of :func:`evaluate` together.

    The table has the columns of :data:`SETTING`, ``sites, accuracy, accuracy_low, accuracy_high``
    (share of the true sites found with the right species, and its 95 % interval), ``missed,
    invented`` (numbers), ``position_error_pm``, ``calibration_error``, ``accuracy_<region>`` and
    ``precision_<species>, recall_<species>, f1_<species>``.
    """
    return pd.DataFrame(
        dict(zip(SETTING, setting, strict=True)) | _scores(group, class_names)
        for setting, group in pairs.groupby(SETTING, sort=False)
    )


def _scores(pairs: pd.DataFrame, class_names: Sequence[str]) -> dict[str, float]:
    row = classification.totals(pairs)
    row = {_SPECIES_NAMES.get(name, name): value for name, value in row.items()}
    row["calibration_error"] = classification.calibration_error(*classification.stated(pairs))
    for region in REGIONS:
        row[f"accuracy_{region}"] = classification.totals(pairs[pairs["region"] == region])["exact"]
    for scores in classification.class_scores(pairs, class_names).to_dict("records"):
        row |= {f"{name}_{scores['class']}": scores[name] for name in ("precision", "recall", "f1")}
    return row


_SPECIES_NAMES = {
    "columns": "sites",
    "exact": "accuracy",
    "exact_low": "accuracy_low",
    "exact_high": "accuracy_high",
}


def confusion(pairs: pd.DataFrame) -> pd.DataFrame:
    """Count the answers to every species, for every model, camera and dose.

    The table has the columns of :data:`SETTING`, ``true_class, found_class, columns``.
    """
    tables = [
        classification.confusion(group).assign(**dict(zip(SETTING, setting, strict=True)))
        for setting, group in pairs.groupby(SETTING, sort=False)
    ]
    table = pd.concat(tables, ignore_index=True)
    return table[[*SETTING, "true_class", "found_class", "columns"]]
