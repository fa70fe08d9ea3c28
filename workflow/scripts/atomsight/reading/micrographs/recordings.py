"""Vendor files in: the image, or the stack of images, in one file of any format.

A file is opened by RosettaSciIO, TIFF pages by tifffile. Of all that is in it the image is chosen;
its pixels are read one frame at a time.
"""

import functools
import gc
import importlib
import logging
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from rsciio import IO_PLUGINS

from atomsight.errors import InputError
from atomsight.files import provenance
from atomsight.reading.micrographs.axes import OTHER_UNITS, is_reciprocal, plain_unit, scale_A

#: Fewest rows and columns of an image.
MIN_PIXELS = 32

Read = Callable[[Iterable[int]], Iterator[np.ndarray]]


@dataclass(frozen=True)
class Header:
    """What is known of the image in a file without its pixels."""

    path: Path
    shape: tuple[int, int, int]  # frames, rows, columns
    scale_A: tuple[float, float] | None  # along y and x; None if the file has none that makes sense


@dataclass(frozen=True)
class Recording(Header):
    """The image, or the stack of images, in one file; its pixels are read when asked for.

    ``read(numbers)`` yields these frames, one array (rows, columns) at a time.
    """

    read: Read


def read_header(path: Path | str) -> Header:
    """Look at the image in a file, close the file again, and refuse an image that is too small."""
    recording = open_recording(path)
    frames, rows, columns = recording.shape
    if frames == 0 or min(rows, columns) < MIN_PIXELS:
        raise InputError(
            f"{recording.path}: the image is empty or too small ({frames} frames of {rows} × "
            f"{columns} pixels); at least {MIN_PIXELS} × {MIN_PIXELS} are needed"
        )
    return Header(recording.path, recording.shape, recording.scale_A)


def open_recording(path: Path | str) -> Recording:
    """Open the image in a file of any format that RosettaSciIO reads; its pixels are read later.

    Of several images in it the largest is taken, of equally large ones the first. InputError if the
    file cannot be read or holds no image of real space: a diffraction pattern, complex data, a
    colour photo, a spectrum.
    """
    path = Path(path)
    signals = _tiff_signals(path) if _suffix(path) in ("tif", "tiff") else _signals(path)
    provenance.note_input(path)
    refusals = [_refusal(signal) for signal in signals]
    images = [signal for signal, refusal in zip(signals, refusals, strict=True) if refusal is None]
    if not images:
        found = refusals[0] if refusals else "nothing that can be shown"
        raise InputError(f"{path}: the file holds {found}, not an image; remove it from the sheet")
    largest = max(_pixels(image) for image in images)
    candidates = [image for image in images if _pixels(image) == largest]
    if len(candidates) > 1:
        warnings.warn(
            f"{path} holds {len(candidates)} images of the same size; the first is read",
            stacklevel=2,
        )
    chosen = candidates[0]
    shape = tuple(int(edge) for edge in chosen["shape"])
    return Recording(
        path=path,
        shape=(1, *shape) if len(shape) == 2 else shape,
        scale_A=scale_A(chosen["axes"]),
        read=_explained(path, chosen["read"]),
    )


def _suffix(path: Path) -> str:
    return path.suffix[1:].lower()


def _pixels(signal: dict) -> int:
    return int(np.prod(signal["shape"][-2:]))


def _signals(path: Path) -> list[dict]:
    """Read the headers of a file: shape, type, axes and a way to the pixels of every signal."""
    plugins = [
        plugin
        for plugin in IO_PLUGINS
        if _suffix(path) in [extension.lower() for extension in plugin["file_extensions"]]
    ]
    if not plugins:
        raise InputError(
            f"{path}: files '.{_suffix(path)}' cannot be read; export the image as TIFF with 32 bit"
        )
    for plugin in plugins:
        # RosettaSciIO 0.15 cannot open these lazily; they hold one image.
        lazy = plugin["name"] != "Image"
        try:
            with _quiet():
                contents = importlib.import_module(plugin["api"]).file_reader(str(path), lazy=lazy)
            return [_signal(item, functools.partial(_from_array, item)) for item in contents]
        except Exception as error:  # a reader raises whatever a broken file makes it raise
            _let_go(error)
            failure = error
    raise _unreadable(path, failure) from failure


def _tiff_signals(path: Path) -> list[dict]:
    from rsciio import tiff

    try:
        with _quiet():
            with tifffile.TiffFile(path) as file:
                pages, unit = len(file.pages), (file.imagej_metadata or {}).get("unit")
                _check_whole(file)
                if file.pages[0].photometric == tifffile.PHOTOMETRIC.RGB:
                    return [{"shape": (), "dtype": np.dtype([("R", "u1")]), "axes": []}]
            # Read lazily, the file would stay open until the garbage is collected.
            contents = tiff.file_reader(str(path), lazy=pages > 1)
            signals = [
                _signal(content, functools.partial(_from_tiff, path, number))
                for number, content in enumerate(contents)
            ]
            if pages > 1:
                del contents
                gc.collect()
    except InputError:
        raise
    except Exception as error:
        _let_go(error)
        raise _unreadable(path, error) from error
    for axis in (axis for signal in signals for axis in signal["axes"][-2:]):
        # RosettaSciIO 0.15 reads ImageJ's scale, but of its units only the micron.
        axis["units"] = axis["units"] or unit
    return signals


def _check_whole(file: tifffile.TiffFile) -> None:
    """Refuse missing pixels, and a chain of pages that breaks off: tifffile would pass over it."""
    file.filehandle.seek(file.pages.next_page_offset)
    pointer = file.filehandle.read(file.tiff.offsetsize)
    ends = [
        offset + count
        for page in (file.pages[0], file.pages[-1])
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)
    ]
    breaks_off = any(pointer) or len(pointer) < file.tiff.offsetsize
    if breaks_off or max(ends, default=0) > file.filehandle.size:
        raise InputError(f"{file.filehandle.path}: the file is cut short; copy it again")


def _signal(content: dict, read: Read) -> dict:
    data = content["data"]
    return {"shape": data.shape, "dtype": data.dtype, "axes": content["axes"], "read": read}


def _from_array(content: dict, numbers: Iterable[int]) -> Iterator[np.ndarray]:
    data = content["data"]
    for number in numbers:
        yield np.asarray(data if data.ndim == 2 else data[number])


def _from_tiff(path: Path, series: int, numbers: Iterable[int]) -> Iterator[np.ndarray]:
    with tifffile.TiffFile(path) as file:
        pages = file.series[series]
        if len(pages.shape) == 2 or len(pages) == pages.shape[0]:
            for number in numbers:
                yield pages[number].asarray()
        else:
            stack = pages.asarray(out="memmap")
            for number in numbers:
                yield np.asarray(stack[number])


def _explained(path: Path, read: Read) -> Read:
    def frames(numbers: Iterable[int]) -> Iterator[np.ndarray]:
        try:
            with _quiet():
                iterator = read(numbers)
            while True:
                with _quiet():
                    frame = next(iterator, None)
                if frame is None:
                    return
                yield frame
        except InputError:
            raise
        except Exception as error:
            _let_go(error)
            raise _unreadable(path, error) from error

    return frames


def _let_go(error: Exception) -> None:
    """Close what a failed reader left open: its frames, kept by the error, hold the file."""
    with _quiet():
        traceback.clear_frames(error.__traceback__)
        gc.collect()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the readers' own remarks from the user: what matters is raised here."""
    loggers = [logging.getLogger(name) for name in ("rsciio", "tifffile")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _unreadable(path: Path, error: Exception) -> InputError:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return InputError(
        f"{path}: not a readable '.{_suffix(path)}' file ({reason}); export the image again"
    )


def _refusal(signal: dict) -> str | None:
    """Say what a signal is, if it is not an image or a stack of images."""
    dtype, dimensions = signal["dtype"], len(signal["shape"])
    if dtype.names:
        return "a colour photo (RGB)"
    if dtype.kind == "c":
        return "complex numbers, such as a Fourier transform"
    if dtype.kind not in "buif":
        return f"data of type {dtype}"
    navigation = sum(bool(axis.get("navigate")) for axis in signal["axes"])
    if dimensions < 2 or (navigation and dimensions - navigation < 2):
        return "a spectrum or a line profile"
    if dimensions > 3 or navigation > 1:
        return f"data of {dimensions} dimensions"
    for axis in signal["axes"][-2:]:
        unit = plain_unit(axis.get("units"))
        if is_reciprocal(unit) or unit in ("rad", "mrad"):
            return f"a diffraction pattern (its axes are in {axis['units']})"
        if unit in OTHER_UNITS:
            return f"data with an axis in {axis['units']}"
    return None


def edges_in_words(shape: tuple[int, ...]) -> str:
    """Write rows and columns, such as ``512 × 256``."""
    return " × ".join(str(edge) for edge in shape)
