"""Micrographs, network output, planar strain and bond lengths, a row per series (the paper, Fig 7).

One frame of every series is drawn. With --scores a row says that it is simulated, and how well its
atoms and strain agree with the truth. All rows share one scale of strain.

Example:
    python plot.py strain strain.png --frames boundary=frames.h5 --maps boundary=maps.h5 \\
        --strain boundary=strain.h5 --titles boundary='graphene, 80 kV'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from atomsight.figures.parts import choice, mpl, series_tables, style
from atomsight.figures.parts.entry import NothingToShow, Picture

if TYPE_CHECKING:
    import pandas as pd

CAPTION = """
From micrographs to strain, one row per series: (a) the micrograph, with the atoms found, enlarged
where the frame is large; (b) the output of the network, one minus the probability of the
background; (c) the planar strain (e_xx + e_yy) / 2 at the atoms, relative to the mean of the series
or absolute, to the bond length of the material (here: {config[strain][reference]}), grey where the
neighbourhood of an atom is not that of a honeycomb, with pentagons and heptagons marked; (d) the
bond lengths, with mean and standard deviation. Rows that say "simulated" show simulated images and
are compared with the truth.
"""
MEMORY_MB = 3000


def of_series(sheet: Any, series: str) -> dict[str, Any]:
    return _of([series], sheet)


def of_all(sheet: Any) -> dict[str, Any]:
    if not (names := sheet.read_by("atoms")):
        raise NothingToShow(
            f"this figure shows series that a model of atoms reads, and"
            f" {sheet.configuration['series']} has none; take the row simulated_pristine of"
            " config/series.tsv"
        )
    return _of(names, sheet)


def _of(names: list[str], sheet: Any) -> dict[str, Any]:
    simulated = [name for name in names if sheet.simulation(name, "acquisitions")]
    return choice.files_of_each(names, "frames", "maps", "strain") | {
        "scores": {name: f"results/series/{name}/scores.csv" for name in simulated},
        "titles": {name: sheet.title(name) for name in names},
    }


PICTURES = (
    Picture("results/series/{series}/strain.png", of_series, "planar strain", "Series", "atoms"),
    Picture("results/graphene_strain.png", of_all, "planar strain of all series", "Graphene"),
    Picture("results/figures/fig07_graphene_strain.png", of_all, "7: strain of graphene"),
)


@dataclass(frozen=True)
class SeriesRow:
    """What is drawn of one frame of a series."""

    name: str
    notes: str
    image: np.ndarray  # (H, W)
    usable: np.ndarray  # (H, W), False where a pixel tells nothing
    foreground: np.ndarray  # (H, W), one minus the probability of the background
    pixel_size_A: float
    atoms: pd.DataFrame  # x_A, y_A, planar; planar strain is NaN where there is none
    bond_lengths_A: np.ndarray
    rings: pd.DataFrame  # x_A, y_A, size
    frame: int = 0
    frame_count: int = 1
    #: ``f1``, ``rms_error_A`` and ``planar_rms`` against the truth of a simulated series, NaN where
    #: it was not measured.
    scores: dict[str, float] | None = None

    @property
    def view_A(self) -> np.ndarray:
        """Width and height of the frame [Å]."""
        return np.array(self.image.shape[::-1]) * self.pixel_size_A

    @property
    def positions(self) -> np.ndarray:
        """Positions of the atoms, shape (N, 2) [Å]."""
        return self.atoms[["x_A", "y_A"]].to_numpy(float)


@dataclass(frozen=True)
class _Scales:
    """What all rows share."""

    strain_percent: float
    bins_A: np.ndarray  # edges


#: Places and sizes [inch].
_PANEL = 2.06
_GAP = 0.09
_MARGIN = 0.08
_HISTOGRAM_LABELS = 0.42
_HISTOGRAM = 1.5
_HEADER = 0.26
_ROW_TEXT = 0.36
_ROW_GAP = 0.14
_WORDS = 0.36
_FOOTER = 0.62
_COLUMN_LEFT = _MARGIN + np.array([0, 1, 2, 3]) * (_PANEL + _GAP) + [0, 0, 0, _HISTOGRAM_LABELS]
_WIDTH = _COLUMN_LEFT[-1] + _HISTOGRAM + _MARGIN

_COLUMNS = {
    "a": "micrograph, atoms found",
    "b": "network output",
    "c": "planar strain",
    "d": "bond lengths",
}

#: Letters of the notes that fit on a line.
_LINE_LETTERS = 125

#: A panel's height over its width.
_FLATTEST, _TALLEST = 0.5, 1.4

#: Edge of the enlarged part of a frame, the smallest frame that needs one [Å], and the share of the
#: panel that it takes.
_ZOOM_A = 20.0
_ZOOM_FROM_A = 64.0
_ZOOM_SHARE = 0.47

#: A cell of the strain map ends this far from its atom, in mean bond lengths: just beyond the
#: centre of a heptagon.
_CELL_REACH = 1.2

#: Points of the strain map along its longer edge.
_CELL_GRID = 1000

#: Smallest limit of the strain's colours [%].
_MIN_STRAIN_PERCENT = 0.5

#: Width of a bin of the histogram [Å].
_BIN_A = 0.02

#: Diameter of a dot on an atom [Å], and its smallest and largest size in print [point].
_DOT_A = 0.5
_DOT_POINTS = (0.7, 2.6)

#: Rings that are marked: marker, colour and name by the number of atoms; their size [Å], and the
#: smallest and the largest marker [point].
_RINGS = {5: ((5, 0, 0), "black", "pentagon"), 7: ((7, 0, 0), "white", "heptagon")}
_RING_A = 2.2
_RING_POINTS = (3.2, 9.0)

#: Columns of the tables of ``measure_strain.py`` that are drawn.
_TABLES = {
    "strain": ["frame", "x_A", "y_A", "planar"],
    "bonds": ["frame", "length_A"],
    "rings": ["frame", "x_A", "y_A", "size"],
}


def plot(
    frames: Annotated[dict[str, Path], "micrographs of every series"],
    maps: Annotated[dict[str, Path], "output of the network"],
    strain: Annotated[dict[str, Path], "strain, bonds and rings"],
    scores: Annotated[dict[str, Path] | None, "scores of simulated series"] = None,
    titles: Annotated[dict[str, str] | None, "what is to be said of a series"] = None,
    frame: Annotated[int, "number of the frame, from 0"] = 0,
):
    scores, titles = scores or {}, titles or {}
    needed = {"maps": maps, "strain": strain}
    series_tables.check_names(frames, needed, scores=scores, titles=titles)
    return draw(
        [
            read_row(
                name,
                titles.get(name, ""),
                (path, maps[name], strain[name]),
                frame,
                scores.get(name),
            )
            for name, path in frames.items()
        ]
    )


def read_row(
    name: str, notes: str, files: tuple[Path, Path, Path], frame: int, scores: Path | None
) -> SeriesRow:
    """Read one frame of a series, from its frames, maps and strain."""
    frames_path, maps_path, strain_path = files
    read = series_tables.read_frame(frames_path, maps_path, frame)
    of_frame = series_tables.read_tables(strain_path, _TABLES, frame)
    return SeriesRow(
        name=name,
        notes=notes,
        image=read.image,
        usable=read.usable,
        foreground=read.foreground,
        pixel_size_A=read.pixel_size_A,
        atoms=of_frame["strain"],
        bond_lengths_A=of_frame["bonds"]["length_A"].to_numpy(),
        rings=of_frame["rings"],
        frame=frame,
        frame_count=read.shape[0],
        scores=series_tables.read_scores(scores, frame) if scores else None,
    )


def draw(rows: Sequence[SeriesRow]):
    """Draw micrograph, network output, planar strain and bond lengths of every series.

    All rows share the scale of the strain and of the bond lengths.
    """
    heights = [_panel_height(row) for row in rows]
    below_text = [_ROW_TEXT + height + _ROW_GAP for height in heights]
    figure = mpl.Figure(figsize=(_WIDTH, _HEADER + sum(below_text) + _FOOTER))
    scales = _shared_scales(rows)
    tops = _HEADER + np.cumsum([0, *below_text])
    for index, (row, top, height) in enumerate(zip(rows, tops, heights, strict=False)):
        _draw_row(figure, row, top, height, scales, is_last=index == len(rows) - 1)
    for left, (mark, title) in zip(_COLUMN_LEFT, _COLUMNS.items(), strict=True):
        style.write_heading(figure, left, 0.04, mark, title, size=7.5)
    has_veil = not all(row.usable.all() for row in rows)
    _draw_footer(figure, tops[-1], scales.strain_percent, has_veil)
    return figure


def _panel_height(row: SeriesRow) -> float:
    height, width = row.image.shape
    return _PANEL * float(np.clip(height / width, _FLATTEST, _TALLEST))


def _shared_scales(rows: Sequence[SeriesRow]) -> _Scales:
    strain = np.concatenate([row.atoms["planar"].to_numpy(float) for row in rows])
    lengths = np.concatenate([row.bond_lengths_A for row in rows])
    low, high = np.percentile(lengths, (0.2, 99.8)) if lengths.size else (1.2, 1.6)
    first, last = np.floor(low * 10 - 0.5) / 10, np.ceil(high * 10 + 0.5) / 10
    return _Scales(
        strain_percent=style.symmetric_limit(100 * strain, _MIN_STRAIN_PERCENT),
        bins_A=np.linspace(first, last, round((last - first) / _BIN_A) + 1),
    )


def _draw_row(
    figure: mpl.Figure,
    row: SeriesRow,
    top: float,
    height: float,
    scales: _Scales,
    is_last: bool,
) -> None:
    style.write_row_title(figure, _MARGIN, top, row.name, row.notes, _LINE_LETTERS)
    style.write(figure, _MARGIN, top + 0.16, facts(row), color=style.MUTED_TEXT)
    top += _ROW_TEXT
    panels = [style.place(figure, left, top, _PANEL, height) for left in _COLUMN_LEFT[:3]]
    draw_micrograph(panels[0], row)
    draw_output(panels[1], row)
    draw_strain(panels[2], row, scales.strain_percent)
    histogram = style.place(figure, _COLUMN_LEFT[3], top, _HISTOGRAM, height)
    draw_bonds(histogram, row.bond_lengths_A, scales.bins_A)
    if is_last:
        histogram.set_xlabel("bond length (Å)")


def facts(row: SeriesRow) -> str:
    """Say in one line what was measured, and how well where the truth is known."""
    height, width = row.image.shape
    said = [f"{width} × {height} px of {row.pixel_size_A:.3g} Å", f"{len(row.atoms):,} atoms"]
    if row.frame_count > 1:
        said.insert(0, f"frame {row.frame} of 0–{row.frame_count - 1}")
    if row.scores is None:
        return " · ".join(said)
    f1, error_A, planar = (row.scores[name] for name in series_tables.SCORES)
    said.append(f"simulated, against the truth: F1 {f1:.3f}")
    if np.isfinite(error_A):
        said.append(f"position error {100 * error_A:.1f} pm rms per axis")
    if np.isfinite(planar):
        said.append(f"planar strain error {100 * planar:.2f} % rms")
    return " · ".join(said)


def draw_micrograph(axes: mpl.Axes, row: SeriesRow) -> None:
    """Draw the micrograph and the atoms found, enlarged in an inset where the frame is large."""
    grey = style.grey(row.image, row.usable)
    style.show_image(axes, row.image, row.pixel_size_A, **grey)
    if not row.usable.all():
        _cover(axes, row.usable)
    _dots(_enlarge(axes, row, row.image, **grey) if needs_zoom(row) else axes, row.positions)


def draw_output(axes: mpl.Axes, row: SeriesRow) -> None:
    """Draw what the network gives, enlarged likewise."""
    probability = style.probability()
    style.show_image(axes, row.foreground, row.pixel_size_A, **probability)
    if needs_zoom(row):
        _enlarge(axes, row, row.foreground, **probability)


def needs_zoom(row: SeriesRow) -> bool:
    """Whether single atoms are too small to be seen in the whole frame."""
    return bool(row.view_A.min() > _ZOOM_FROM_A)


def zoom_window(row: SeriesRow) -> tuple[slice, slice]:
    """Choose the square to enlarge: a defect in the left half of a frame, if there is one.

    The inset, in the upper right corner, does not cover it.
    """
    half = _ZOOM_A / 2
    highest = row.view_A * (0.5, 1) - half
    wanted = row.view_A * (0.27, 0.6)
    defects = row.rings.loc[row.rings["size"].isin(_RINGS), ["x_A", "y_A"]].to_numpy(float)
    defects = defects[((defects > half) & (defects < highest)).all(axis=1)]
    if len(defects):
        wanted = defects[np.linalg.norm(defects - wanted, axis=1).argmin()]
    first = np.round((np.clip(wanted, half, highest) - half) / row.pixel_size_A).astype(int)
    size = round(_ZOOM_A / row.pixel_size_A)
    return slice(first[1], first[1] + size), slice(first[0], first[0] + size)


def _enlarge(axes: mpl.Axes, row: SeriesRow, image: np.ndarray, **options: object) -> mpl.Axes:
    """Enlarge a part of a frame in the upper right corner of its panel."""
    rows, columns = zoom_window(row)
    panel = np.array([1, row.view_A[1] / row.view_A[0]])
    share = _ZOOM_SHARE * panel.min() / panel
    inset = axes.inset_axes((*(1 - share), *share))
    corner_A = columns.start * row.pixel_size_A, rows.start * row.pixel_size_A
    style.show_image(inset, image[rows, columns], row.pixel_size_A, corner_A, **options)
    edge = {"color": style.ACCENT, "linewidth": 0.9}
    inset.spines[:].set(visible=True, **edge)
    left, right, bottom, top = inset.images[0].get_extent()
    frame = {"fill": False, "edgecolor": style.ACCENT, "linewidth": 0.9}
    axes.add_patch(mpl.Rectangle((left, top), right - left, bottom - top, **frame))
    return inset


def _dots(axes: mpl.Axes, positions: np.ndarray) -> None:
    """Mark atoms by dots that leave something of the image to be seen."""
    left, right, bottom, top = axes.axis()
    points_per_A = axes.get_window_extent().width / axes.figure.dpi * 72 / (right - left)
    size = np.clip(_DOT_A * points_per_A, *_DOT_POINTS)
    axes.plot(*positions.T, "o", markersize=size, markeredgewidth=0, color=style.ACCENT)
    axes.axis((left, right, bottom, top))


def _cover(axes: mpl.Axes, usable: np.ndarray) -> None:
    """Lay a veil over the pixels that tell nothing."""
    step = style.unseen_pixels(axes, usable)
    usable = usable[::step, ::step]
    veil = np.ma.masked_where(usable, np.zeros(usable.shape, np.uint8))
    colour = mpl.ListedColormap([style.VEIL])
    axes.imshow(veil, extent=axes.images[0].get_extent(), cmap=colour, interpolation="nearest")


def draw_strain(axes: mpl.Axes, row: SeriesRow, limit_percent: float) -> None:
    """Draw the planar strain in a cell around every atom, and the pentagons and heptagons."""
    if len(row.atoms) == 0:
        style.say(axes, "no atoms found", size=8)
        return
    step_A = row.view_A.max() / _CELL_GRID
    corner_A = (step_A - row.pixel_size_A) / 2
    colours = strain_cells(row, step_A, limit_percent)
    style.show_image(axes, colours, step_A, (corner_A, corner_A))
    axes.spines[:].set(visible=True, color=style.MUTED)
    diameter = np.clip(_RING_A * 72 * _PANEL / row.view_A[0], *_RING_POINTS)
    look = {"edgecolors": "black", "linewidths": 0.5}
    for size, (marker, colour, _) in _RINGS.items():
        centres = row.rings.loc[row.rings["size"] == size, ["x_A", "y_A"]].to_numpy(float)
        axes.scatter(*centres.T, diameter**2, c=colour, marker=marker, **look)


def strain_cells(row: SeriesRow, step_A: float, limit_percent: float) -> np.ndarray:
    """Colour points by the planar strain of the nearest atom: Voronoi cells of a limited reach.

    Gives colours of shape (M, N, 4), a step apart: grey where the nearest atom has no strain, white
    where no atom is near, and everywhere if there are no bonds. There must be one atom at least.
    """
    from scipy.spatial import KDTree

    across, down = np.maximum(1, np.round(row.view_A / step_A)).astype(int)
    start = (step_A - row.pixel_size_A) / 2
    grid = np.meshgrid(start + step_A * np.arange(across), start + step_A * np.arange(down))
    bond_A = row.bond_lengths_A.mean() if row.bond_lengths_A.size else 0
    distance, nearest = KDTree(row.positions).query(
        np.stack(grid, axis=-1), distance_upper_bound=_CELL_REACH * bond_A
    )
    is_near = np.isfinite(distance)
    percent = np.full(distance.shape, np.nan)
    percent[is_near] = 100 * row.atoms["planar"].to_numpy(float)[nearest[is_near]]
    scale = mpl.Normalize(-limit_percent, limit_percent)
    colours = style.STRAIN(scale(percent))
    colours[np.isnan(percent)] = mpl.to_rgba(style.MUTED)
    colours[~is_near] = mpl.to_rgba("white")
    return colours


def draw_bonds(axes: mpl.Axes, lengths_A: np.ndarray, bins_A: np.ndarray) -> None:
    """Draw the histogram of the bond lengths, with their mean and standard deviation."""
    if lengths_A.size == 0:
        style.say(axes, "no bonds", size=8)
        return
    share = np.full(lengths_A.shape, 100 / lengths_A.size)
    axes.hist(lengths_A, bins_A, weights=share, histtype="stepfilled", alpha=0.85)
    mean, deviation = lengths_A.mean(), lengths_A.std()
    height = axes.get_window_extent().height / axes.figure.dpi
    below_words = 1 - _WORDS / height
    axes.axvline(mean, ymax=below_words, color="black", linewidth=0.7, dashes=(4, 2))
    axes.set(xlim=bins_A[[0, -1]], ylabel=f"bonds (% per {_BIN_A} Å)")
    axes.set_ylim(top=axes.get_ylim()[1] / below_words)
    axes.yaxis.set_major_locator(mpl.MaxNLocator(4))
    text = f"{mean:.3f} ± {deviation:.3f} Å\n{lengths_A.size:,} bonds"
    axes.text(0.98, 0.98, text, transform=axes.transAxes, ha="right", va="top", linespacing=1.4)


def _draw_footer(figure: mpl.Figure, top: float, limit: float, has_veil: bool) -> None:
    """Draw colour bars and explain the marks, below the columns they belong to."""
    bars = (
        (1, style.PROBABILITY, (0, 1), "1 − probability of background", "neither"),
        (2, style.STRAIN, (-limit, limit), "planar strain (%)", "both"),
    )
    for column, colours, ends, label, extend in bars:
        place = (_COLUMN_LEFT[column] + 0.2, top, _PANEL - 0.4)
        style.colour_bar(figure, place, colours, ends, label, extend, ticks=5)
    dot = {"marker": "o", "markersize": 3, "markeredgewidth": 0, "linewidth": 0}
    handles = [mpl.Line2D([], [], color=style.ACCENT, label="atom found", **dot)]
    if has_veil:
        handles.append(mpl.Patch(color=style.VEIL, label="not used"))
    _explain(figure, 0, top, handles)
    handles = [*_ring_handles(), mpl.Patch(color=style.MUTED, label="no strain")]
    _explain(figure, 2, top + 0.42, handles)


def _explain(figure: mpl.Figure, column: int, top: float, handles: list) -> None:
    """Explain marks in a line below a column."""
    middle = _COLUMN_LEFT[column] + _PANEL / 2
    look = {"borderpad": 0, "handletextpad": 0.4, "columnspacing": 1.2}
    style.explain(figure, middle, top, handles, ncols=len(handles), **look)


def _ring_handles() -> list:
    look = {"markersize": 6, "markeredgewidth": 0.5, "markeredgecolor": "black", "linewidth": 0}
    return [
        mpl.Line2D([], [], marker=marker, markerfacecolor=colour, label=name, **look)
        for marker, colour, name in _RINGS.values()
    ]
