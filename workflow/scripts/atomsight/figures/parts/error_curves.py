"""Panels of counting errors: what several figures of doses, methods and images draw alike."""

import numpy as np
import pandas as pd
from cmcrameri import cm
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.ticker import NullFormatter, PercentFormatter

from atomsight.figures.parts import height_panels, style

#: Methods in their order: names, colours and marks. Baselines are dashed.
METHODS = {
    "network": ("network", "C0", "o"),
    "intensity_mixture": ("intensity mixture", "C1", "s"),
    "column_library": ("library match", "C2", "^"),
}

#: Errors by their size: names and colours, from light to grave; what is left is missed.
ERRORS = {
    "off_by_1": ("by 1", "#9DC3E6"),
    "off_by_2": ("by 2", "#E69F00"),
    "off_by_3plus": ("by 3 or more", "#D55E00"),
    "missed": ("missed", "0.35"),
}

_CONFUSION: Colormap = style.ramp(cm.oslo_r, 0, 0.92)

#: Shares below this are not written into a confusion matrix.
_WRITTEN = 0.005


def dose_text(dose: float) -> str:
    """Write a dose [e/Å²] with two figures at most, as a power of ten from 1000 on."""
    if dose < 1000:
        return f"{dose:.3g} e/Å²"
    power = int(np.floor(np.log10(dose) + 1e-9))
    figure = f"{dose / 10.0**power:.2g}"
    power += figure == "10"
    ten = "10" + str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return (ten if figure in ("1", "10") else f"{figure}·{ten}") + " e/Å²"


def tilt_text(low: float, high: float) -> str:
    """Write a range of tilts [°]."""
    return f"tilt up to {high:g}°" if low == 0 else f"tilt {low:g}° to {high:g}°"


def method_order(table: pd.DataFrame) -> list[str]:
    """The methods of a table, the network first."""
    order = list(METHODS)
    names = table["method"].unique()
    return sorted(names, key=lambda name: (order.index(name) if name in order else 99, name))


def method_look(name: str, further: int = 0) -> dict[str, object]:
    """Properties of the line of a method; one not known here has a further number."""
    label, colour, mark = METHODS.get(name, (name, f"C{3 + further % 4}", "v"))
    look = {"label": label, "color": colour, "marker": mark, "markersize": 3}
    return look if name == "network" else look | {"linewidth": 0.9, "dashes": (3, 1.5)}


def draw_shares(axes: Axes, rows: pd.DataFrame, name: str = "exact", **look: object) -> None:
    """Draw a share against the dose, with its interval where there are ``_low`` and ``_high``."""
    dose = rows["dose_e_per_A2"]
    (line,) = axes.plot(dose, rows[name], zorder=3, **look)
    if {f"{name}_low", f"{name}_high"} <= set(rows):
        ends = rows[[f"{name}_low", f"{name}_high"]].to_numpy(float)
        axes.vlines(dose, *ends.T, line.get_color(), linewidth=0.9, alpha=0.7)


def finish_dose_axis(axes: Axes, doses: np.ndarray, label: str = "total dose (e/Å²)") -> None:
    """Give a panel a logarithmic axis that holds all doses [e/Å²]."""
    axes.set(xscale="log", xlim=(0.75 * np.min(doses), 1.33 * np.max(doses)), xlabel=label)
    axes.xaxis.set_minor_formatter(NullFormatter())
    style.faint_lines(axes)


def finish_share_axis(axes: Axes, label: str, low: float = 0.0) -> None:
    """Give a panel an axis of shares, in percent; without a label it has no numbers either."""
    axes.set_ylim(low, 1 + 0.02 * (1 - low))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_ylabel(label)
    axes.tick_params(labelleft=bool(label))


def draw_error_sizes(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the share of wrong counts by their size against the dose, as stacked bars.

    The rows are of one method and tilt, by rising dose. Over a bar is the share of all errors [%].
    """
    place = np.log10(rows["dose_e_per_A2"].to_numpy(float))
    width = 0.8 * np.min(np.diff(place), initial=0.5)
    below = np.zeros(len(rows))
    for name, share in error_shares(rows).items():
        axes.bar(place, share, width, below, color=ERRORS[name][1], zorder=2)
        below += share
    for x, total in zip(place, below, strict=True):
        percent = 100 * total
        text = f"{percent:.0f}" if percent >= 9.95 else f"{percent:.1f}"
        axes.text(x, total + 0.01, text, ha="center", va="bottom", size=5.5)
    powers = np.arange(np.ceil(place.min() - 1e-6), np.floor(place.max() + 1e-6) + 1)
    axes.set_xticks(powers, [f"$10^{{{power:.0f}}}$" for power in powers])
    axes.set_xlim(place.min() - width, place.max() + width)
    style.faint_lines(axes)


def error_shares(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Share of the true columns with an error of every size, by the keys of :data:`ERRORS`.

    Missed is what was counted neither rightly nor wrongly.
    """
    shares = {name: rows[name].to_numpy(float) for name in ERRORS if name != "missed"}
    answered = rows["exact"].to_numpy(float) + sum(shares.values())
    return shares | {"missed": np.clip(1 - answered, 0, 1)}


def draw_confusion(axes: Axes, rows: pd.DataFrame, greatest: int) -> None:
    """Draw how the columns of every true height were counted [% of that height].

    The rows are of one method, tilt and dose: ``true_height, counted_height, columns``. Counted 0
    is missed, true 0 is invented, and the greatest class holds all greater heights too.
    """
    shares = confusion_shares(rows, greatest)
    axes.imshow(shares, cmap=_CONFUSION, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    for row, column in np.argwhere(shares >= _WRITTEN):
        share = shares[row, column]
        colour = "white" if share > 0.55 else "black"
        text = f"{100 * share:.0f}"
        axes.text(column, row, text, ha="center", va="center", size=4.6, color=colour)
    names = height_panels.class_texts(np.arange(1, greatest + 1), greatest)
    axes.set_xticks(range(greatest + 1), ["missed", *names])
    axes.get_xticklabels()[0].set_rotation(90)
    axes.set_yticks(range(greatest), names)
    axes.tick_params(length=0, pad=1.5, labelsize=5.5)
    axes.spines[:].set(visible=True, color=style.MUTED)
    axes.axvline(0.5, color=style.MUTED, linewidth=0.8)
    axes.set(xlabel="counted atoms", ylabel="true atoms")


def confusion_shares(rows: pd.DataFrame, greatest: int) -> np.ndarray:
    """Share of the columns of a true height that were counted as so many, shape (N, N + 1).

    True heights run from 1, counted ones from 0, which is missed; NaN without such a column.
    """
    counts = np.zeros((greatest + 1, greatest + 1))
    heights = np.minimum(rows[["true_height", "counted_height"]].to_numpy(int), greatest)
    np.add.at(counts, tuple(heights.T), rows["columns"].to_numpy(float))
    totals = counts[1:].sum(axis=1, keepdims=True)
    return np.divide(counts[1:], totals, out=np.full_like(counts[1:], np.nan), where=totals > 0)


def draw_reliability(axes: Axes, rows: pd.DataFrame, **look: object) -> None:
    """Draw the share of right counts against the probability that was stated for them.

    The rows are bins, ``confidence, columns, exact``; a mark's area is as the number of columns.
    """
    rows = rows.sort_values("confidence")
    (line,) = axes.plot(rows["confidence"], rows["exact"], linewidth=0.9, zorder=3, **look)
    columns = rows["columns"].to_numpy(float)
    sizes = 3 + 32 * columns / max(columns.max(initial=1), 1)
    dots = {"color": line.get_color(), "linewidths": 0, "zorder": 4}
    axes.scatter(rows["confidence"], rows["exact"], sizes, **dots)


def finish_reliability(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], color="0.5", linewidth=0.7, linestyle=(0, (3, 2)), zorder=1)
    axes.set(xlim=(0, 1.03), xlabel="stated probability of the count")
    finish_share_axis(axes, "share right")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def shades(count: int) -> list[tuple]:
    """Colours of an order, from dark to bright."""
    return [cm.batlow(place) for place in np.linspace(0.08, 0.78, count)]


def draw_abstention(axes: Axes, rows: pd.DataFrame, **look: object) -> None:
    """Draw the share of wrong counts against the share of columns that are answered."""
    rows = rows.sort_values("answered_share")
    axes.plot(rows["answered_share"], rows["error"], zorder=3, **look)


def finish_abstention(axes: Axes) -> None:
    axes.set(xlim=(0, 1.03), xlabel="share answered, the surest first", ylabel="share wrong")
    axes.set_ylim(bottom=0)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    style.faint_lines(axes)
