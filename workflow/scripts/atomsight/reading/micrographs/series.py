"""A series: the chosen frames of one or several files, calibrated, cleaned and resampled.

The frames of focal series are registered onto each other.
"""

import glob
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from atomsight.config.reading import ImportSettings
from atomsight.errors import InputError
from atomsight.reading.micrographs.calibration import (
    recorded_sizes_A,
    same_size,
    size_in_words,
    target_pixel_size_A,
)
from atomsight.reading.micrographs.cleaning import clean, read_mask
from atomsight.reading.micrographs.recordings import (
    MIN_PIXELS,
    Header,
    edges_in_words,
    open_recording,
    read_header,
)
from atomsight.reading.micrographs.registration import register
from atomsight.reading.micrographs.resampling import (
    displace,
    resample,
    resample_usable,
    resampled_shape,
)


@dataclass(frozen=True)
class Series:
    """The chosen frames of a series and how they become calibrated ones; nothing is read yet."""

    name: str
    files: tuple[tuple[Path, tuple[int, ...]], ...]  # and the numbers of the frames to be read
    names: tuple[str, ...]  # where every frame came from
    source_shape: tuple[int, int]  # rows and columns as recorded
    step: tuple[float, float]  # a new pixel in recorded pixels, along y and x
    pixel_size_A: float
    source_pixel_size_A: float  # as recorded
    focus_A: tuple[float, ...]  # of the images of every focal series; empty for single images
    mask: np.ndarray | None  # where to analyse, in recorded pixels

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, rows and columns after resampling."""
        return (len(self.names), *resampled_shape(self.source_shape, self.step))


def open_series(path: Path | str, settings: ImportSettings) -> Series:
    """Find the files of a series, check that they fit together, and plan how to read them.

    The path is a file, or a pattern such as ``images/*.dm4``; files are taken in natural order.
    InputError if a file is missing, is not a micrograph or does not fit the others, if the pixel
    size is unknown or outside what the model can read, if the frames or the mask do not fit, or if
    the frames are no whole number of focal series.
    """
    headers = [read_header(file) for file in find_files(path)]
    _check_together(headers)
    first, shape = headers[0], headers[0].shape[1:]
    sizes = recorded_sizes_A(headers, settings.pixel_size_A, settings.series)
    source_A = float(np.sqrt(sizes[0] * sizes[1]))
    target_A = source_A
    if settings.model_pixel_size_A:
        target_A = target_pixel_size_A(sizes, settings.model_pixel_size_A, str(first.path))
    step = (target_A / sizes[0], target_A / sizes[1])
    if min(resampled_shape(shape, step)) < MIN_PIXELS:
        raise InputError(
            f"{first.path}: at {target_A:.4g} Å per pixel the image is smaller than {MIN_PIXELS} × "
            f"{MIN_PIXELS} pixels; record a larger field of view"
        )
    files = _choose_frames(headers, settings)
    _check_focus([number for _, numbers in files for number in numbers], settings)
    counts = {header.path: header.shape[0] for header in headers}
    return Series(
        name=settings.series,
        files=files,
        names=tuple(_frame_name(file, n, counts[file]) for file, numbers in files for n in numbers),
        source_shape=shape,
        step=step,
        pixel_size_A=target_A,
        source_pixel_size_A=source_A,
        focus_A=settings.focus_A,
        mask=None if settings.mask is None else read_mask(settings.mask, shape),
    )


def read_frames(series: Series) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Read, clean and resample the frames of a series, one at a time, and their usable pixels.

    InputError if a frame cannot be read, is constant or is more than half unusable.
    """
    for path, numbers in series.files:
        for number, frame in zip(numbers, open_recording(path).read(numbers), strict=True):
            image, usable = clean(frame, series.mask, f"{path}, frame {number}")
            yield resample(image, series.step), resample_usable(usable, series.step)


def read_specimens(series: Series) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Read the frames of a series, those of a focal series together and registered.

    Yields images (N, H, W), a single one or those of a focal series in their mean position; their
    usable pixels, none of which comes from outside the recorded image; and the displacement ``(x,
    y)`` that was removed (N, 2) [Å]. InputError as :func:`read_frames`, or if nothing common to
    the images of a focal series is found.
    """
    together = max(1, len(series.focus_A))
    frames = read_frames(series)
    for start in range(0, len(series.names), together):
        images, usable = (np.stack(part) for part in zip(*islice(frames, together), strict=True))
        if together == 1:
            yield images, usable, np.zeros((1, 2))
            continue
        names = series.names[start : start + together]
        shifts_A = register(images, series.pixel_size_A, names, f"series {series.name}")
        shifts_px = shifts_A / series.pixel_size_A
        registered = [displace(*given) for given in zip(images, usable, shifts_px, strict=True)]
        yield *(np.stack(part) for part in zip(*registered, strict=True)), shifts_A


def find_files(path: Path | str) -> list[Path]:
    """Find the files of a path or a pattern, in natural order: ``a2`` before ``a10``."""
    path = Path(path)
    if path.is_file():
        return [path]
    if path.is_dir():
        raise InputError(f"{path}: this is a folder; give its files, such as {path / '*.dm4'}")
    if not glob.has_magic(str(path)):
        raise InputError(f"{path}: the file does not exist")
    found = [Path(name) for name in glob.glob(str(path), recursive=True)]
    files = [file for file in found if file.is_file()]
    if not files:
        raise InputError(f"{path}: no file matches this pattern; correct the path")
    return sorted(files, key=_natural_order)


def _natural_order(path: Path) -> list[tuple[int, int | str]]:
    pieces = re.split(r"(\d+)", str(path))
    return [(0, int(piece)) if piece.isdecimal() else (1, piece) for piece in pieces if piece]


def _check_together(headers: list[Header]) -> None:
    first = headers[0]
    for other in headers[1:]:
        if other.shape[1:] != first.shape[1:]:
            raise InputError(
                f"{other.path}: its frames have {edges_in_words(other.shape[1:])} pixels, those of "
                f"{first.path} {edges_in_words(first.shape[1:])}; put them into two series"
            )
        if first.scale_A and other.scale_A and not same_size(first.scale_A, other.scale_A):
            raise InputError(
                f"{other.path}: its pixel size is {size_in_words(other.scale_A)}, that of "
                f"{first.path} {size_in_words(first.scale_A)}; put them into two series"
            )


def _choose_frames(
    headers: list[Header], settings: ImportSettings
) -> tuple[tuple[Path, tuple[int, ...]], ...]:
    ends = np.cumsum([header.shape[0] for header in headers])
    chosen = select_frames(settings.frames, int(ends[-1]), settings.series)
    file_of = np.searchsorted(ends, chosen, side="right")
    starts = np.concatenate([[0], ends[:-1]])
    return tuple(
        (headers[file].path, tuple((chosen[file_of == file] - starts[file]).tolist()))
        for file in np.unique(file_of)
    )


def _check_focus(frames: list[int], settings: ImportSettings) -> None:
    together = len(settings.focus_A)
    if together and len(frames) % together:
        raise InputError(
            f"series {settings.series}: the {len(frames)} chosen frames are not a whole number of "
            f"focal series of {together} images, as the column focus_A says; correct the column "
            "frames or focus_A"
        )


def _frame_name(path: Path, number: int, count: int) -> str:
    return path.name if count == 1 else f"{path.name}[{number}]"


def select_frames(selection: str, count: int, series: str) -> np.ndarray:
    """Frame numbers, ascending, of a selection such as ``0-9,12``; empty means all."""
    if not selection.strip():
        return np.arange(count)
    numbers: set[int] = set()
    for part in selection.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part, flags=re.ASCII)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last:
            raise InputError(
                f"frames of series {series}: {selection!r} is not a selection; write numbers from "
                "0 and ranges, such as 0-9,12"
            )
        if last >= count:
            raise InputError(
                f"frames of series {series}: there is no frame {last}; the series has {count}, "
                f"numbered from 0 to {count - 1}"
            )
        numbers.update(range(first, last + 1))
    return np.array(sorted(numbers))
