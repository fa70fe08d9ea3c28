"""What the figures of sites are drawn from, as one record of a series."""

from collections.abc import Collection, Mapping, Sequence
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
    "faint",
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
    "faint",
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


#: Scores of a frame whose truth is known.
SCORES = ("f1", "rms_error_A", "planar_rms")


@dataclass(frozen=True)
class Substrate:
    """The mean image of a series, and what of it is substrate."""

    mean_image: np.ndarray  # (H, W), drift-corrected; NaN where no frame reaches
    mask: np.ndarray  # (H, W), True on the substrate, which is not analysed
    pixel_size_A: float
    corner_A: tuple[float, float]  # centre of the first pixel (x, y), in reference coordinates
    source: str  # of the mask: "automatic", "file: NAME" or "none"


@dataclass(frozen=True)
class SiteSeries:
    """The sites of a series and what was seen at them; positions in reference coordinates [Å]."""

    name: str
    notes: str
    sites: pd.DataFrame  # SITE_COLUMNS
    occupied: np.ndarray  # (S, F): 1 a column was seen, 0 none, -1 out of view or frame not used
    p_occupied: np.ndarray  # (S, F), from all frames; NaN where not estimated or faint
    drift: pd.DataFrame  # DRIFT_COLUMNS [Å]
    dose_e_per_A2: float  # of a frame; NaN where it is not known
    confidence: float  # probability that the interval of a hop rate holds the true one
    substrate: Substrate

    @property
    def positions(self) -> np.ndarray:
        """Positions of the sites, shape (S, 2) [Å]."""
        return self.sites[["x_A", "y_A"]].to_numpy(float)

    @property
    def analysed(self) -> np.ndarray:
        """Whether a site is analysed, shape (S,): it is not on the substrate."""
        return ~self.sites["masked"].to_numpy(bool)

    @property
    def hopping(self) -> np.ndarray:
        """Whether the errors of detection do not explain the changes of a site, shape (S,)."""
        return self.sites["hopping"].to_numpy(bool) & self.analysed

    @property
    def faint(self) -> np.ndarray:
        """Whether an error rate of the site's own explains its changes as well, shape (S,)."""
        return self.sites["faint"].to_numpy(bool) & self.analysed

    @property
    def used_frames(self) -> np.ndarray:
        """Numbers of the frames that were used."""
        return self.drift.loc[self.drift["used"].astype(bool), "frame"].to_numpy(int)

    @property
    def has_hop_rates(self) -> bool:
        """Whether hop rates were estimated."""
        return bool(np.isfinite(self.sites.loc[self.analysed, "hop_rate"].astype(float)).any())


@dataclass(frozen=True)
class Recording:
    """One frame of a series as recorded, and what is found in it."""

    frame: int
    image: np.ndarray  # (H, W)
    foreground: np.ndarray  # (H, W), one minus the probability of the background
    pixel_size_A: float
    columns: np.ndarray  # (N, 2), positions (x, y) of the columns found [Å]
    drift_A: tuple[float, float] = (0.0, 0.0)  # position in the frame minus that in the reference


@dataclass(frozen=True)
class Frame:
    """One frame of a series, and what the network gives for it."""

    image: np.ndarray  # (H, W)
    usable: np.ndarray  # (H, W), False where a pixel tells nothing
    foreground: np.ndarray  # (H, W), one minus the probability of the background
    pixel_size_A: float
    shape: tuple[int, int, int]  # of all frames (F, H, W)


def check_names(
    names: Collection[str],
    needed: Mapping[str, Mapping[str, object]],
    **optional: Mapping[str, object],
) -> None:
    """See that what is given by name belongs to a series, and that none lacks what it needs."""
    for option, values in {**needed, **optional}.items():
        for name in values:
            if name not in names:
                raise InputError(
                    f"--{option}: there is no series {name!r}; given are {', '.join(names)}"
                )
    for option, values in needed.items():
        for name in names:
            if name not in values:
                raise InputError(f"--{option}: the series {name} has no file; add {name}=FILE")


def read_series(
    name: str, notes: str, sites_path: Path | str, substrate_path: Path | str
) -> SiteSeries:
    """Read the sites of a series from files of ``follow_sites.py`` and ``mask_substrate.py``.

    Raises :class:`InputError` if the two do not belong together.
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


def read_tables(
    path: Path | str, columns: Mapping[str, Sequence[str]], frame: int
) -> dict[str, pd.DataFrame]:
    """Read the rows of a frame from tables of a file, some columns of each."""
    with sealed.open_to_read(path) as file:
        found = {name: tables.read_table(file, name, some)[some] for name, some in columns.items()}
    return {
        name: table[table["frame"] == frame].reset_index(drop=True) for name, table in found.items()
    }


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


def read_frame(frames_path: Path | str, maps_path: Path | str, frame: int) -> Frame:
    """Read one frame of a series and its output of the network.

    Raises :class:`InputError` if there is no such frame, or the files do not fit each other.
    """
    with layout.open_frames(frames_path) as frames:
        shape, pixel_size_A = frames.images.shape, frames.pixel_size_A
        if not 0 <= frame < shape[0]:
            raise InputError(
                f"{frames_path}: there is no frame {frame}; they run to {shape[0] - 1}"
            )
        image, usable = frames.images[frame], frames.usable[frame]
    with layout.open_maps(maps_path) as maps:
        if maps.maps.shape[:3] != shape:
            raise InputError(f"{maps_path}: not the maps of {frames_path}; make them again")
        # All of it: HDF5 takes seconds to pick one class out of every pixel.
        foreground = 1 - maps.maps[frame][..., 0]
    return Frame(image, usable, foreground, pixel_size_A, shape)


def read_recording(
    frames_path: Path | str, maps_path: Path | str, atoms_path: Path | str, frame: int
) -> Recording:
    """Read one frame as :func:`read_frame` does, and the columns found in it."""
    read = read_frame(frames_path, maps_path, frame)
    with sealed.open_to_read(atoms_path) as file:
        atoms = tables.read_table(file, "atoms", ("frame", "x_A", "y_A"))
        if tuple(file.attrs["frame_shape"]) != read.shape:
            raise InputError(f"{atoms_path}: not the columns of {frames_path}; find them again")
    found = atoms.loc[atoms["frame"] == frame, ["x_A", "y_A"]].to_numpy(float)
    return Recording(frame, read.image, read.foreground, read.pixel_size_A, found)


def read_truth(path: Path | str) -> pd.DataFrame:
    """Read the analysed sites of a simulated series that scores matched with the truth."""
    table = tables.read_csv(path, TRUTH_COLUMNS)
    return table[~table["masked"].astype(bool)].reset_index(drop=True)


def read_comparison(path: Path | str) -> pd.DataFrame:
    """Read the tests by which ``compare_series.py`` compares two series."""
    return tables.read_csv(path, COMPARISON_COLUMNS, _COMPARISON_WORDS)


def read_scores(path: Path | str, frame: int) -> dict[str, float]:
    """Read the :data:`SCORES` of a frame, as ``score.py`` writes them; NaN where not measured."""
    table = tables.read_csv(path, ["frame", "f1", "rms_error_A"])
    rows = table[table["frame"] == frame]
    if rows.empty:
        raise InputError(f"{path}: there is no frame {frame}; score the series again")
    return rows.iloc[0].reindex(SCORES).astype(float).to_dict()
