"""Sections of the microscope: ranges from which the conditions of images are drawn."""

import itertools
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

import pydantic
import yaml
from pydantic_core import CoreSchema, PydanticCustomError

from atomsight.config.section import FileError, Range, Section, key, part
from atomsight.errors import InputError

REPOSITORY = Path(__file__).parents[4]


class OpticalRanges(Section):
    """Ranges ``[low, high]`` of the conditions of an image."""

    defocus_A: Range = key(unit="Å")
    """Defocus, underfocus positive; of a focal series, that of an image whose step is 0."""
    cs_um: Range = key(unit="µm")
    """Spherical aberration of third order."""
    c5_mm: Range = key(unit="mm")
    """Spherical aberration of fifth order."""
    astigmatism_A: Range = key(unit="Å", ge=0)
    """Twofold astigmatism, at any azimuth."""
    focal_spread_A: Range = key(unit="Å", ge=0)
    """1/e half-width of the distribution of defocus."""
    vibration_A: Range = key(unit="Å", ge=0, le=1)
    """Root mean square vibration along one axis."""
    dose_e_per_A2: Range = key(unit="e/Å²", gt=0)
    """Dose, drawn evenly on a logarithmic scale; of all images of a focal series together."""
    pixel_size_A: Range = key(unit="Å", ge=0.02, le=0.5)
    """Size of a pixel."""


class SomeRanges(OpticalRanges, **dict.fromkeys(OpticalRanges.model_fields)):
    """Ranges of which any may be left out; it is then None."""

    def given(self) -> dict[str, tuple[float, float]]:
        """The ranges that are not left out, by name."""
        return {name: pair for name, pair in self if pair is not None}


def _is_measured(table: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    """Refuse what no camera's modulation transfer function can be; an empty table is none."""
    frequencies, values = [row[0] for row in table], [row[1] for row in table]
    wrong = ""
    if len(table) == 1:
        wrong = "must have at least two rows [q / q_Nyquist, value]"
    elif table and frequencies[0] != 0:
        wrong = "must begin at frequency 0"
    elif any(low >= high for low, high in itertools.pairwise(frequencies)):
        wrong = "must have frequencies that rise from row to row"
    elif table and frequencies[-1] < 1:
        wrong = (
            "must reach the Nyquist frequency, 1; double frequencies that are in 1/pixel, of which "
            "Nyquist is 0.5"
        )
    elif any(not 0 <= value <= _MAX_MTF for value in values):
        wrong = f"must have values from 0 to {_MAX_MTF}, 1 being full contrast; divide by the first"
    if wrong:
        raise PydanticCustomError("sentence", wrong)
    return table


#: A measured function may exceed one by noise, not by more.
_MAX_MTF = 1.1

#: A measured modulation transfer function, as pairs (q / q_Nyquist, value).
MtfTable = Annotated[tuple[tuple[float, float], ...], pydantic.AfterValidator(_is_measured)]


class FileSection(Section):
    """A section that may stand in a file: its path then takes the place of the mapping."""

    _WHAT: ClassVar[str]

    @pydantic.model_validator(mode="wrap")
    @classmethod
    def _from_file(cls, values: object, check: pydantic.ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(values, str):
            return check(values)
        try:
            return cls.parse(cls.read(values))
        except InputError as error:
            raise FileError(f"{values}: {error}") from error

    @classmethod
    def read(cls, path: str) -> dict:
        """Read the values in a file; one that is not in the working folder, from the repository.

        Raises :class:`InputError` if it is missing or no mapping.
        """
        file = Path(path) if Path(path).exists() else REPOSITORY / path
        if not file.is_file():
            raise InputError(f"the {cls._WHAT}'s file does not exist")
        try:
            values = yaml.safe_load(file.read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            raise InputError(f"not valid YAML: {' '.join(str(error).split())}") from error
        if not isinstance(values, dict):
            raise InputError(f"not a mapping with keys such as {next(iter(cls.model_fields))}")
        return values

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: pydantic.GetJsonSchemaHandler
    ) -> dict:
        values = super().__get_pydantic_json_schema__(schema, handler)
        return {"anyOf": [values, {"type": "string", "description": "A file of these keys."}]}


class CameraSettings(FileSection):
    """One camera: a file such as those in config/cameras, eq 5 of the paper or a measured table."""

    _WHAT = "camera"

    c1: float = key(0.05, ge=0, le=1)
    """Value far beyond the Nyquist frequency."""
    c2: float = key(0.5, gt=0, le=100)
    """Half of the frequency (in Nyquist frequencies) where it has fallen half-way."""
    c3: float = key(2.5, gt=0, le=100)
    """Exponent."""
    table: MtfTable = key(())
    """A measured function as pairs (q / q_Nyquist, value), in place of the formula."""


class MtfSettings(FileSection):
    """Modulation transfer function of the camera: a file such as those in config/cameras, ranges of
    eq 5 of the paper, or a measured table."""

    _WHAT = "camera"

    c1: Range = key((0.0, 0.1), ge=0, le=1)
    """Value far beyond the Nyquist frequency."""
    c2: Range = key((0.4, 5), gt=0, le=100)
    """Half of the frequency (in Nyquist frequencies) where it has fallen half-way, drawn evenly on
    a logarithmic scale: 0.5 of scintillators, 5 of cameras that lose next to nothing."""
    c3: Range = key((2.0, 3.0), gt=0, le=100)
    """Exponent."""
    table: MtfTable = key(())
    """A measured function as pairs (q / q_Nyquist, value), in place of the formula."""
    cameras: tuple[CameraSettings, ...] = key(())
    """Cameras, such as those in config/cameras, whose measured functions take the place of the
    formula in some of the images: an image has one of them or the formula, all alike likely."""

    @pydantic.model_validator(mode="after")
    def _cameras_are_measured(self) -> Self:
        if self.cameras and (self.table or not all(camera.table for camera in self.cameras)):
            raise ValueError("cameras must have tables, and there must be no table beside them")
        return self

    @property
    def tables(self) -> tuple[MtfTable, ...]:
        """The measured functions."""
        return (self.table,) if self.table else tuple(camera.table for camera in self.cameras)


class FocalSeriesSettings(Section):
    """Images of one specimen at different defocus that the network reads together; they share the
    dose."""

    steps_A: tuple[float, ...] = key(
        (0,), unit="Å", ge=-100000, le=100000, min_length=1, unique=True
    )
    """Defocus of every image, counted from the one that is drawn."""
    step_error_A: float = key(0, unit="Å", ge=0, le=1000)
    """Standard deviation of the error of every image's defocus."""
    registration_error_A: float = key(0, unit="Å", ge=0, le=10)
    """Standard deviation, along each axis, of what the registration of the images leaves."""


class MicroscopeSettings(
    FileSection,
    OpticalRanges,
    c5_mm=(0, 0),
    astigmatism_A=(0, 0),
    focal_spread_A=(20, 40),
    vibration_A=(0, 0),
):
    """Ranges from which the conditions of every training image are drawn."""

    _WHAT = "microscope"

    gain_spread: Range = key((0, 0), unit="relative", ge=0, le=2)
    """Standard deviation of the signal of one electron: a scintillator gives it a random number of
    photons."""
    readout_e: Range = key((0, 0), unit="e", ge=0, le=100)
    """Standard deviation of the noise that the readout adds to a pixel."""
    energy_eV: float = key(unit="eV", ge=20000, le=1500000)
    """Energy of the electrons."""
    coherent_modes: int = key(1, ge=1, le=16)
    """Coherent images that an image under a spread of defocus is the sum of; 4 for MoS₂, 5 for
    particles. With 1 the wave is damped by the temporal envelope, which will do for a single layer
    of light atoms."""
    mtf: MtfSettings = part(MtfSettings)
    focal_series: FocalSeriesSettings = part(FocalSeriesSettings)
    contrast: Literal["bright", "dark", "either"] = key("either")
    """How atoms look under these ranges; a model inverts images of the other sort before it reads
    them."""
    easy: SomeRanges = part(SomeRanges)
    """Ranges at the start of a training, which then widen; those left out are full from the
    beginning."""
