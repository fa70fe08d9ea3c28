"""What the figures of sites are drawn from, as one record of a series."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from atomsight.errors import InputError
from atomsight.files import layout, sealed, tables

#: Columns of sites that are drawn.
SITE_COLUMNS = (
    "site",
    "x_A",
    "y_A",
    "masked",
    "occurrence",
    "events",
    "event_rate",
    "hop_rate",
    "hopping",
)

#: Columns of the path of a series.
DRIFT_COLUMNS = ("frame", "x_A", "y_A", "used")

#: Columns of sites matched with the truth.
TRUTH_COLUMNS = (
    "dynamic",
    "true_hop_rate",
    "hop_rate",
    "hop_rate_low",
    "hop_rate_high",
    "event_rate",
    "masked",
)

#: Columns of a comparison of two series.
COMPARISON_COLUMNS = (
    "mean_rate_a",
    "mean_rate_b",
    "ratio",
    "ratio_low",
    "ratio_high",
    "p_value",
)

_COMPARISON_WORDS = ("test", "rate", "name_a", "name_b")


@dataclass(frozen=True)
class Substrate:
    """The mean image of a series, and what of it is substrate.

    Attributes
    ----------
    mean_image : ndarray of shape (H, W)
        Drift-corrected mean; NaN where no frame reaches.
    mask : ndarray of shape (H, W), bool
        True on the substrate, which is not analysed.
    pixel_size_A : float
        Size of a pixel [Å].
    corner_A : tuple of 2 floats
        Position ``(x, y)`` of the centre of the first pixel, in reference coordinates [Å].
    source : str
        Where the mask comes from: ``automatic``, ``file: NAME`` or ``none``.
    """

    mean_image: np.ndarray
    mask: np.ndarray
    pixel_size_A: float
    corner_A: tuple[float, float]
    source: str


@dataclass(frozen=True)
class SiteSeries:
    """The sites of a series and what was seen at them.

    Attributes
    ----------
    name, notes : str
        Name of the series, and what is to be said of it.
    sites : DataFrame
        One row per site, with :data:`SITE_COLUMNS`; positions in reference coordinates [Å].
    occupied : ndarray of shape (S, F), int8
        1 where a column was seen, 0 where none, -1 where the site is out of view or the frame was
        not used.
    p_occupied : ndarray of shape (S, F)
        Probability that the site is occupied, from all frames; NaN where it was not estimated.
    drift : DataFrame
        One row per frame, with :data:`DRIFT_COLUMNS` [Å].
    dose_e_per_A2 : float
        Dose of a frame [e/Å²]; NaN where it is not known.
    confidence : float
        Probability that the interval of a hop rate holds the true one.
    substrate : Substrate
        Mean image and mask.
    """

    name: str
    notes: str
    sites: pd.DataFrame
    occupied: np.ndarray
    p_occupied: np.ndarray
    drift: pd.DataFrame
    dose_e_per_A2: float
    confidence: float
    substrate: Substrate

    @property
    def positions(self) -> np.ndarray:
        """Positions of the sites [Å], an ndarray of shape (S, 2)."""
        return self.sites[["x_A", "y_A"]].to_numpy(float)

    @property
    def analysed(self) -> np.ndarray:
        """Whether a site is analysed, an ndarray of shape (S,): it is not on the substrate."""
        return ~self.sites["masked"].to_numpy(bool)

    @property
    def hopping(self) -> np.ndarray:
        """Whether a site hops beyond doubt, an ndarray of shape (S,)."""
        return self.sites["hopping"].to_numpy(bool) & self.analysed

    @property
    def used_frames(self) -> np.ndarray:
        """Numbers of the frames that were used, an ndarray."""
        return self.drift.loc[self.drift["used"].astype(bool), "frame"].to_numpy(int)

    @property
    def has_hop_rates(self) -> bool:
        """Whether hop rates were estimated."""
        return bool(np.isfinite(self.sites.loc[self.analysed, "hop_rate"].astype(float)).any())


@dataclass(frozen=True)
class Recording:
    """One frame of a series as recorded, and what is found in it.

    Attributes
    ----------
    frame : int
        Number of the frame, from 0.
    image : ndarray of shape (H, W)
        The micrograph.
    foreground : ndarray of shape (H, W)
        Output of the network: one minus the probability of the background.
    pixel_size_A : float
        Size of a pixel [Å].
    columns : ndarray of shape (N, 2)
        Positions ``(x, y)`` of the columns found in it [Å].
    drift_A : tuple of 2 floats
        Position in the frame minus position in the reference [Å].
    """

    frame: int
    image: np.ndarray
    foreground: np.ndarray
    pixel_size_A: float
    columns: np.ndarray
    drift_A: tuple[float, float] = (0.0, 0.0)


def read_series(
    name: str, notes: str, sites_path: Path | str, substrate_path: Path | str
) -> SiteSeries:
    """Read the sites of a series.

    Parameters
    ----------
    name, notes : str
        Name of the series, and what is to be said of it.
    sites_path : path
        A file of ``follow_sites.py``.
    substrate_path : path
        A file of ``mask_substrate.py``.

    Returns
    -------
    SiteSeries
        The series.

    Raises
    ------
    InputError
        If a file is missing or of another kind, or if the two do not belong together.
    """
    with sealed.open_to_read(sites_path) as file:
        sites = tables.read_table(file, "sites", SITE_COLUMNS)
        drift = tables.read_table(file, "drift", DRIFT_COLUMNS)
        occupied, p_occupied = file["occupied"][...], file["p_occupied"][...]
        dose, confidence = (float(file.attrs[name]) for name in ("dose_e_per_A2", "confidence"))
        pixel_size_A = float(file.attrs["pixel_size_A"])
    substrate = _read_substrate(substrate_path)
    if not np.isclose(substrate.pixel_size_A, pixel_size_A):
        raise InputError(
            f"{substrate_path}: its pixels are of {substrate.pixel_size_A:g} Å, those of "
            f"{sites_path} of {pixel_size_A:g} Å; give the substrate of the same series"
        )
    return SiteSeries(
        name=name,
        notes=notes,
        sites=sites,
        occupied=occupied,
        p_occupied=p_occupied,
        drift=drift,
        dose_e_per_A2=dose,
        confidence=confidence,
        substrate=substrate,
    )


def _read_substrate(path: Path | str) -> Substrate:
    with sealed.open_to_read(path) as file:
        x_A, y_A = (float(value) for value in file.attrs["corner_A"])
        return Substrate(
            mean_image=file["mean_image"][...],
            mask=file["mask"][...].astype(bool),
            pixel_size_A=float(file.attrs["pixel_size_A"]),
            corner_A=(x_A, y_A),
            source=str(file.attrs["source"]),
        )


def read_recording(
    frames_path: Path | str, maps_path: Path | str, atoms_path: Path | str, frame: int
) -> Recording:
    """Read one frame of a series, its output of the network and the columns found in it.

    Parameters
    ----------
    frames_path, maps_path, atoms_path : path
        Files of ``import_series.py``, ``map_classes.py`` and ``locate_atoms.py``.
    frame : int
        Number of the frame.

    Returns
    -------
    Recording
        The frame, without drift.

    Raises
    ------
    InputError
        If a file is missing or of another kind, has no such frame, or does not fit the others.
    """
    with layout.open_frames(frames_path) as frames:
        shape, pixel_size_A = frames.images.shape, frames.pixel_size_A
        if not 0 <= frame < shape[0]:
            raise InputError(
                f"{frames_path}: there is no frame {frame}; they run to {shape[0] - 1}"
            )
        image = frames.images[frame]
    with layout.open_maps(maps_path) as maps:
        if maps.maps.shape[:3] != shape:
            raise InputError(f"{maps_path}: not the maps of {frames_path}; make them again")
        foreground = 1 - maps.maps[frame, ..., 0]
    with sealed.open_to_read(atoms_path) as file:
        atoms = tables.read_table(file, "atoms", ("frame", "x_A", "y_A"))
        if tuple(file.attrs["frame_shape"]) != shape:
            raise InputError(f"{atoms_path}: not the columns of {frames_path}; find them again")
    found = atoms.loc[atoms["frame"] == frame, ["x_A", "y_A"]].to_numpy(float)
    return Recording(frame, image, foreground, pixel_size_A, found)


def read_truth(path: Path | str) -> pd.DataFrame:
    """Read the sites of a simulated series that were matched with the truth.

    Parameters
    ----------
    path : path
        A table of ``score.py dynamics``.

    Returns
    -------
    DataFrame
        One row per site that is analysed, with :data:`TRUTH_COLUMNS`.

    Raises
    ------
    InputError
        If the file is missing or no such table.
    """
    table = tables.read_csv(path, TRUTH_COLUMNS)
    return table[~table["masked"].astype(bool)].reset_index(drop=True)


def read_comparison(path: Path | str) -> pd.DataFrame:
    """Read the comparison of two series.

    Parameters
    ----------
    path : path
        A table of ``compare_series.py``.

    Returns
    -------
    DataFrame
        One row per test, with :data:`COMPARISON_COLUMNS`.

    Raises
    ------
    InputError
        If the file is missing or no such table.
    """
    table = tables.read_csv(path, COMPARISON_COLUMNS)
    missing = [column for column in _COMPARISON_WORDS if column not in table]
    if missing:
        raise InputError(f"{path}: the column {missing[0]!r} is missing; make the table again")
    return table
