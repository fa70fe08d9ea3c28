"""Sections of the reading of images: import, network, segmentation."""

from typing import Literal

from atomsight.config.section import Range, Section, key


class ImportSettings(Section):
    """How a series is read; a row of the sample sheet, and the range of the model."""

    series: str = key("series", min_length=1)
    """Name of the series, for messages."""
    pixel_size_A: float | None = key(None, unit="Å", gt=0)
    """Size of a pixel as recorded; null for the file's."""
    frames: str = key("")
    """Frames such as 0-9,12, counted from 0 over all files; empty for all."""
    focus_A: tuple[float, ...] = key((), unit="Å", ge=-100000, le=100000)
    """Defocus of the images of a focal series in the order of the frames, underfocus positive;
    so many consecutive frames belong together. Empty for single images."""
    mask: str | None = key(None, min_length=1)
    """An image that is not zero where the micrographs are to be analysed; null for everywhere."""
    model_pixel_size_A: Range | None = key(None, unit="Å", gt=0)
    """The smallest and the largest pixel that the model reads; null leaves the pixels as they are.
    """


class InferenceSettings(Section):
    """How images are read by the network."""

    memory_mb: int = key(4000, unit="MB", ge=2000)
    """Memory of a job that reads images; the larger it is, the larger are the pieces of a large
    image that go through the network at once, and the less they overlap."""
    orientations: Literal[1, 4, 8] = key(4)
    """An image is read in this many orientations and the answers are averaged; 1 is fastest, 8
    best."""


class SegmentationSettings(Section):
    """From class maps to atoms, eq 7 and 8 of the paper."""

    background_limit: float = key(0.995, gt=0, le=1)
    """ε, the watershed ends where the background is more probable than this."""
    min_existence: float = key(0.5, ge=0, le=1)
    """Segments whose probability to be an atom is lower are left out."""
    inverse_temperature: float | None = key(None, gt=0)
    """Exponent of the probabilities of the classes that calibrates them; null measures it after the
    training, on structures kept aside."""
