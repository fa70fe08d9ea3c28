"""Sections of the evaluations and scores of models."""

from typing import Literal, Self

import pydantic

from atomsight.config.microscope import CameraSettings, MicroscopeSettings
from atomsight.config.phantoms import (
    AcquisitionSettings,
    FocalOptics,
    MonolayerSettings,
    MonolayerView,
    ParticleOptics,
    ParticleSettings,
    ParticleView,
    PolycrystalSettings,
    PristineSettings,
    SpecimenSettings,
    StrainedSettings,
    SupportedParticleSettings,
)
from atomsight.config.section import Name, Range, Section, key, part, wrong

#: What the camera of the acquisition is called in a table of several.
MAIN_CAMERA = "main"

_DOSES = (100, 310, 1000, 3162, 10000)


class _Doses(Section):
    doses_e_per_A2: tuple[float, ...] = key(
        _DOSES, unit="e/Å²", gt=0, le=100000000, min_length=1, unique=True
    )
    """Doses of the images; of a focal series, of all its images together."""


class ExposureSettings(_Doses):
    """Doses and cameras of the images of an evaluation."""

    cameras: dict[Name, CameraSettings | None] = key(
        {"ideal": None, "direct": "config/cameras/gatan_k3_300kv.yaml"}
    )
    """Other cameras, by name, that the same electrons reach at some of the doses; null for an ideal
    one. That of the acquisition is called main."""
    camera_doses_e_per_A2: tuple[float, ...] = key(
        (1000,), unit="e/Å²", gt=0, le=100000000, unique=True
    )
    """Doses of the images of the other cameras."""

    @pydantic.model_validator(mode="after")
    def _only_one_is_the_main_camera(self) -> Self:
        if MAIN_CAMERA in self.cameras:
            message = "this is the camera of the acquisition; choose another name"
            raise wrong(f"cameras.{MAIN_CAMERA}", message)
        return self


class _Contrast(Section):
    contrast: Literal["bright", "dark", "auto"] = key("bright")
    """How atoms or columns look with these optics; auto lets the network choose."""


# Sheets of graphene


class ConditionSweeps(Section):
    """Values of every condition; none leaves a condition out."""

    defocus_A: tuple[float, ...] = key(
        (-240, -200, -160, -120, -83, -40, 0, 60, 120, 200), unit="Å", ge=-100000, le=100000
    )
    """Defocus, underfocus positive."""
    cs_um: tuple[float, ...] = key(
        (-25, -20, -15, -11.5, -5, 0, 10, 20), unit="µm", ge=-10000, le=10000
    )
    """Spherical aberration of third order."""
    astigmatism_A: tuple[float, ...] = key((0, 25, 50, 75, 100, 130), unit="Å", ge=0, le=10000)
    """Twofold astigmatism."""
    vibration_A: tuple[float, ...] = key((0, 0.1, 0.2, 0.25, 0.3, 0.4), unit="Å", ge=0, le=1)
    """Root mean square vibration along one axis."""
    pixel_size_A: tuple[float, ...] = key(
        (0.07, 0.08, 0.1, 0.12, 0.14, 0.16, 0.2), unit="Å", ge=0.02, le=0.5
    )
    """Size of a pixel; images whose pixels a model has not learned are resampled."""
    tilt_deg: tuple[float, ...] = key((0, 5, 10, 15, 20), unit="°", ge=0, le=45)
    """Angle between the sheet's normal and the beam."""


class SweepSettings(_Doses, doses_e_per_A2=(1000, 10000)):
    """Conditions of the microscope that are varied one at a time, from those of the acquisition."""

    view_A: float = key(60, unit="Å", ge=10, le=1000)
    """Edge of the field of view, whatever the size of the pixels."""
    sweeps: ConditionSweeps = part(ConditionSweeps)


class RandomSettings(_Doses, doses_e_per_A2=(316, 1000, 3162, 10000)):
    """Microscopes that are drawn at random, evenly from all ranges of one."""

    count: int = key(40, ge=1, le=100000)
    """Number of microscopes."""
    view_A: float = key(60, unit="Å", ge=10, le=1000)
    """Edge of the field of view, which lies anywhere on the specimen."""
    microscope: MicroscopeSettings = key("config/microscopes/titan_80kv.yaml")
    """A file of ranges or the ranges themselves; the doses are those above, and every image stands
    alone."""
    seed: int = key(5, ge=0)
    """Seed of the microscopes and of the noise."""


class PolycrystalImage(AcquisitionSettings, rows=1024, columns=1024, offset=0, mtf={}, seed=3):
    """How it is imaged: a large image of a camera with a scintillator by default."""


class DefaultPolycrystal(PolycrystalSettings, size_A=(128, 128), grain_count=7, seed=2):
    """What is imaged; a specimen that is given takes the defaults of its kind."""


class EvaluationSettings(
    ExposureSettings,
    # Quarters of a decade.
    doses_e_per_A2=(
        *(10, 17.8, 31.6, 56.2, 100, 178, 316, 562, 1000, 1778, 3162, 5623),
        *(10000, 17783, 31623, 56234, 100000),
    ),
    camera_doses_e_per_A2=(316, 3162),
):
    """Simulated images on which models are evaluated, against dose and conditions."""

    specimen: SpecimenSettings = part(DefaultPolycrystal)
    """What is imaged; a specimen that is given takes the defaults of its kind."""
    acquisition: PolycrystalImage = part(PolycrystalImage)
    conditions: SweepSettings = part(SweepSettings)
    settings: RandomSettings = part(RandomSettings)


class LatticeImage(AcquisitionSettings, offset=0, mtf={}, seed=84):
    """How the sheets are imaged: by a camera with a scintillator by default."""


class StrainEvaluationSettings(_Doses, doses_e_per_A2=(316, 1000, 3162, 10000, 100000)):
    """Simulated sheets on which bond lengths and strain are compared with the truth, against the
    dose."""

    pristine: PristineSettings = part(PristineSettings, seed=81)
    """The perfect sheet, whose bond lengths are measured."""
    strained: StrainedSettings = part(StrainedSettings, seed=82)
    """The sheet under a smooth known strain."""
    patch_A: float = key(12, unit="Å", ge=1, le=1000)
    """Edge of the patches of an image that are drawn anew for the 95 % intervals; larger than a
    neighbourhood."""
    resamples: int = key(2000, ge=100, le=1000000)
    """How often they are drawn."""
    seed: int = key(83, ge=0)
    """Seed of these draws."""
    acquisition: LatticeImage = part(LatticeImage)


# Particles


class ColumnEvaluationSettings(_Contrast, ExposureSettings):
    """Simulated particles on which models are evaluated, against zone axis, tilt and dose."""

    particles: int = key(30, ge=1, le=100000)
    """Number of particles for every zone axis; the same ones at every tilt."""
    zone_axes: tuple[Literal["110", "111"], ...] = key(("110", "111"), min_length=1)
    """Directions of the crystal along the beam, before the tilt."""
    tilts_deg: tuple[float, ...] = key((0, 1, 2, 3.5, 5), unit="°", ge=0, le=30, min_length=1)
    """Angles between zone axis and beam; every particle is tilted in a random direction of its own.
    """
    radius_A: float = key(0.6, unit="Å", gt=0, le=10)
    """Largest distance of a found column from the true one."""
    seed: int = key(21, ge=0)
    """Seed of particles and noise."""
    particle: ParticleSettings = part(ParticleSettings)
    acquisition: ParticleOptics = part(ParticleOptics)


class ErrorSettings(_Contrast, _Doses, doses_e_per_A2=(100, 310, 1000, 3162)):
    """How often a model misses a column of a surface, or finds one where the site is empty."""

    particles: int = key(12, ge=1, le=100000)
    """Number of static particles; their zone axes alternate where either is allowed."""
    frames: int = key(6, ge=1, le=100000)
    """Number of frames of every particle at every dose."""
    radius_A: float = key(0.7, unit="Å", gt=0, le=10)
    """Largest distance of a found column from its site, as in dynamics.site_radius_A."""
    seed: int = key(31, ge=0)
    """Seed of particles, shifts and noise."""
    particle: SupportedParticleSettings = part(SupportedParticleSettings)
    acquisition: ParticleView = part(ParticleView)


class FilmView(ParticleView, rows=480, columns=480):
    """Microscope, field of view and camera; defocus counts from 3 Å below the film."""


class BackgroundSettings(_Contrast, _Doses):
    """Simulated images in which a model should find nothing."""

    min_area_nm2: float = key(400, unit="nm²", gt=0, le=1000000)
    """Least area that is searched, on every background at every dose."""
    border_A: float = key(2, unit="Å", ge=0, le=1000)
    """Width of the rim of an image that does not count."""
    thickness_A: Range = key((10, 40), unit="Å", ge=0)
    """Thickness of the films."""
    seed: int = key(41, ge=0)
    """Seed of films and noise."""
    acquisition: FilmView = part(FilmView)


# Heights and species


class CountedParticle(ParticleSettings, atoms=(120, 1400)):
    """The particles; tilt and seed are the evaluation's own."""

    zone_axis: Literal["110"] = key("110")
    """Direction of the crystal along the beam."""


class LibrarySettings(Section):
    """The simulated columns that those to be counted are compared with."""

    particles: int = key(12, ge=1, le=1000)
    """Number of particles whose columns it holds, for every range of tilts."""
    radii_A: tuple[float, ...] = key(
        (1.2, 1.6, 2.4), unit="Å", ge=0.3, le=4, min_length=1, unique=True
    )
    """Radii of the part of an image that is compared; the best is taken for every dose."""


class HeightOptics(FocalOptics, pixel_size_A=0.24, gain=2):
    """Microscope and camera; an image is as large as the particle and its margin."""


class DisplacementSettings(Section):
    """Displacements of atoms against which the counts of the network are shown, every thermal with
    every static one, in the first range of tilts."""

    thermal_A: tuple[float, ...] = key(
        (0.07, 0.09, 0.11), unit="Å", ge=0, le=0.5, min_length=1, unique=True
    )
    """Root mean square thermal displacements along one axis."""
    static_A: tuple[float, ...] = key(
        (0, 0.03, 0.05), unit="Å", ge=0, le=0.5, min_length=1, unique=True
    )
    """Standard deviations of the static displacements along one axis."""
    particles: int = key(4, ge=1, le=100000)
    """Number of particles; the same ones for all displacements."""
    dose_e_per_A2: float = key(30000, unit="e/Å²", gt=0, le=100000000)
    """Dose of all images together."""


class HeightEvaluationSettings(
    _Contrast,
    ExposureSettings,
    doses_e_per_A2=(100, 300, 1000, 3000, 10000, 30000, 100000),
    camera_doses_e_per_A2=(30000,),
    contrast="auto",
):
    """Simulated particles on which models that count the atoms of columns are evaluated, against
    tilt and dose."""

    methods: tuple[Literal["network", "intensity_mixture", "column_library"], ...] = key(
        ("network", "intensity_mixture", "column_library"), min_length=1, unique=True
    )
    """What counts; the network finds the columns itself, the others are told where they are and
    tuned with the truth in hand. Images of other cameras are the network's alone."""
    particles: int = key(12, ge=1, le=100000)
    """Number of particles; the same ones in every range of tilts."""
    tilts_deg: tuple[Range, ...] = key(
        ((0, 0.5), (0, 1), (0, 3)), unit="°", ge=0, le=30, min_length=1
    )
    """Ranges of the angle between zone axis and beam, in a random direction."""
    defocus_A: Range = key((-55, -25), unit="Å")
    """Range of the defocus of an image whose step is 0, from the lower side of the particle,
    underfocus positive; the others differ by the steps of the model."""
    registration_error_A: float = key(0.1, unit="Å", ge=0, le=0.5)
    """Root mean square shift between the images of a series along each axis."""
    radius_A: float = key(0.6, unit="Å", gt=0, le=10)
    """Largest distance of a found column from the true one."""
    bins: int = key(10, ge=1, le=1000)
    """Number of bins in which stated probabilities are compared with the share that is right."""
    seed: int = key(61, ge=0)
    """Seed of particles, focus, shifts, noise and library."""
    particle: CountedParticle = part(CountedParticle)
    library: LibrarySettings = part(LibrarySettings)
    displacements: DisplacementSettings = part(DisplacementSettings)
    acquisition: HeightOptics = part(HeightOptics)


class SpeciesView(MonolayerView, rows=384, columns=384, pixel_size_A=0.15, dose_e_per_A2=30000):
    """Microscope, field of view and camera; the doses are the evaluation's own."""


class SpeciesEvaluationSettings(
    _Contrast,
    ExposureSettings,
    doses_e_per_A2=(100, 316, 1000, 3162, 10000, 31623, 100000),
    camera_doses_e_per_A2=(10000,),
):
    """Simulated sheets on which models that name species are evaluated, by dose."""

    sheets: int = key(4, ge=1, le=100000)
    """Number of sheets; the same ones for every model at every dose."""
    defocus_A: Range = key((-93, -73), unit="Å")
    """Range of the defocus of an image whose step is 0, from the lower side of the sheet,
    underfocus positive; the others differ by the steps of the model."""
    registration_error_A: float = key(0.1, unit="Å", ge=0, le=10)
    """Root mean square shift between the images of a series along each axis."""
    radius_A: float = key(0.6, unit="Å", gt=0, le=10)
    """Largest distance of a found site from the true one."""
    seed: int = key(51, ge=0)
    """Seed of sheets, focus, shifts and noise."""
    monolayer: MonolayerSettings = part(MonolayerSettings)
    acquisition: SpeciesView = part(SpeciesView)


# Scores of one series


class ScoreSettings(Section):
    """How atoms that were found are compared with the truth."""

    radius_A: float = key(0.48, unit="Å", gt=0, le=10)
    """Largest distance of a found atom from the true one."""
    border_A: float = key(2, unit="Å", ge=0, le=1000)
    """Width of the rim of the image that does not count."""
    relative: bool = key(True)
    """Whether the strain that was measured is relative to the mean lattice."""


class ClassScoreSettings(Section):
    """How classes of columns that were found, heights or species, are compared with the truth."""

    radius_A: float = key(0.6, unit="Å", gt=0, le=10)
    """Largest distance of a found column from the true one."""
    border_A: float = key(2, unit="Å", ge=0, le=1000)
    """Width of the rim of the image that does not count."""
