"""Panels of a particle whose columns are counted, and what is said of it."""

import pandas as pd
from matplotlib.axes import Axes

from atomsight.figures.parts import column_tables, focal_panels, height_panels, site_maps
from atomsight.figures.parts.column_tables import FocalImages, SeriesTruth


def draw_counted(
    axes: Axes, series: FocalImages, table: pd.DataFrame, greatest: int, shown: site_maps.Window
) -> None:
    """Draw columns with their heights over the faint image in the middle of the series."""
    focal_panels.draw_middle(axes, series, shown)
    height_panels.draw_heights(axes, table, greatest)


def draw_difference(
    axes: Axes,
    series: FocalImages,
    pairs: pd.DataFrame,
    counted: pd.DataFrame,
    greatest: int,
    shown: site_maps.Window,
) -> None:
    """Draw how far the counts are from the truth, of true columns with the row of their partner."""
    focal_panels.draw_middle(axes, series, shown)
    height_panels.draw_differences(axes, pairs, counted, greatest)


def facts(series: FocalImages, counted: pd.DataFrame, dose_e_per_A2: float | None) -> str:
    """Say in one line what was counted, and in which focal series if there are several."""
    said = focal_panels.images_text(series, dose_e_per_A2)
    if series.count > 1:
        said = f"focal series {series.specimen + 1} of {series.count}: {said}"
    atoms = counted["expected_height"].sum()
    reliable = int(counted["reliable"].sum())
    return (
        f"{said} · {len(counted):,} columns found, {reliable:,} counts reliable · "
        f"about {atoms:,.0f} atoms"
    )


def exact_text(counted: pd.DataFrame, truth: SeriesTruth) -> str:
    """Say how many true columns are counted exactly."""
    exact, columns = column_tables.exact_counts(counted, truth)
    return f"{exact:,} of {columns:,} exact"
