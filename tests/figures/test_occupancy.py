"""Occupancy of one series: what its maps and rasters show, and what they say where they cannot."""

import dataclasses

import made_sites
import numpy as np
import pages
import pytest
from matplotlib.collections import EllipseCollection
from numpy.testing import assert_allclose, assert_array_equal

from atomsight.figures import occupancy
from atomsight.figures.parts import rasters, site_maps


@pytest.fixture(scope="module")
def series():
    return made_sites.make_series(notes="Simulated: gold in vacuum")[0]


@pytest.mark.parametrize("frames", [1, 3, 40, 1000])
@pytest.mark.parametrize("rates", [True, False])
def test_nothing_is_cut_off_and_every_image_has_a_scale_bar(frames, rates):
    made, _ = made_sites.make_series(frames, notes="Simulated", rates=rates and frames > 1)
    figure = occupancy.draw(made)
    pages.assert_shows(figure)
    assert len(pages.maps(figure)) == (3 if frames > 1 else 2)


def test_the_title_and_the_facts_say_what_was_seen(series):
    sites = f"{series.analysed.sum()} sites, {(~series.analysed).sum()} more on the substrate"
    facts = ("39 of 40 frames", "316 e/Å²", sites, f"{series.hopping.sum()} hopping")
    pages.assert_shows(occupancy.draw(series), "Simulated: gold in vacuum", *facts)


@pytest.mark.parametrize(
    ("source", "mask", "said"),
    [
        ("automatic", True, "substrate (automatic mask)"),
        ("file: mask.png", True, "substrate (mask from a file)"),
        ("automatic", False, "no substrate (automatic mask)"),
        ("none", False, "no substrate mask"),
    ],
)
def test_the_figure_says_where_the_mask_comes_from(series, source, mask, said):
    mask = series.substrate.mask & mask
    substrate = dataclasses.replace(series.substrate, source=source, mask=mask)
    pages.assert_shows(occupancy.draw(dataclasses.replace(series, substrate=substrate)), said)


def test_the_veil_lies_over_the_substrate_in_every_map(series):
    figure = occupancy.draw(series)
    for axes in figure.axes[:3]:
        veil = axes.images[1]
        assert_array_equal(~np.ma.getmaskarray(veil.get_array()), series.substrate.mask)
        left, right, bottom, top = veil.get_extent()
        assert_allclose((left, top, right, bottom), site_maps.field(series))


def test_one_frame_says_what_it_cannot_tell():
    made, _ = made_sites.make_series(1, rates=False)
    pages.assert_shows(occupancy.draw(made), "no changes can be seen", "no drift", "1 frame ·")


def test_without_hop_rates_the_raw_events_are_shown_and_named():
    made, _ = made_sites.make_series(20, rates=False)
    said = ("raw event rate (no hop rates estimated)", "changes per frame as observed")
    assert "hopping" not in pages.assert_shows(occupancy.draw(made), *said)


def test_a_series_without_sites_says_so(series):
    none = {name: getattr(series, name)[:0] for name in ("sites", "occupied", "p_occupied")}
    empty = occupancy.draw(dataclasses.replace(series, **none))
    pages.assert_shows(empty, "no sites found", "no site changes")


def marks(axes):
    return [part for part in axes.collections if isinstance(part, EllipseCollection)]


def test_rings_are_round_the_hopping_sites_and_discs_on_the_others(series):
    discs, rings = marks(occupancy.draw(series).axes[2])
    assert_allclose(discs.get_offsets(), series.positions[series.analysed])
    assert_allclose(rings.get_offsets(), series.positions[series.hopping])


def test_faint_sites_are_grey_and_their_occupancy_is_not_known():
    made, _ = made_sites.make_series(faint_sites=4)
    figure = occupancy.draw(made)
    pages.assert_shows(figure, "4 faint", "faint: no rate", "or (e) faint")
    _, _, grey, _ = marks(figure.axes[2])
    assert_allclose(grey.get_offsets(), made.positions[made.faint])


def test_colours_are_those_of_the_values(series):
    discs = marks(occupancy.draw(series).axes[1])[0]
    expected = site_maps.OCCURRENCE(series.sites.loc[series.analysed, "occurrence"].to_numpy())
    assert_allclose(discs.get_facecolors(), expected)


def test_the_window_holds_all_sites_that_are_analysed(series):
    left, top, right, bottom = site_maps.window(series)
    points = series.positions[series.analysed]
    assert (points > [left, top]).all()
    assert (points < [right, bottom]).all()
    whole = site_maps.field(series)
    assert left >= whole[0]
    assert bottom <= whole[3]
    assert site_maps.aspect((left, top, right, bottom)) == pytest.approx(1)


def test_the_raster_shows_sites_that_change_round_the_particle(series):
    chosen = rasters.changing_sites(series)
    assert len(chosen) == rasters.MAX_SITES
    assert (series.sites["events"].to_numpy()[chosen] > 0).all()
    assert set(np.flatnonzero(series.hopping)) <= set(chosen)
    middle = series.positions[series.analysed].mean(axis=0)
    angle = np.degrees(np.arctan2(*(series.positions[chosen] - middle).T[::-1]))
    assert (np.diff(np.mod(angle + 135, 360)) >= 0).all()


def test_many_frames_are_averaged_and_the_unknown_does_not_count():
    values = np.array([[1.0, 0.0, np.nan, 1.0, np.nan, np.nan, 1.0]])
    means, size = rasters.bin_frames(values, most=4)
    assert size == 2
    assert_allclose(means, [[0.5, 1.0, np.nan, 1.0]])
    same, size = rasters.bin_frames(values)
    assert size == 1
    assert_array_equal(same, values)


def test_the_drift_begins_at_the_reference(series):
    figure = occupancy.draw(series)
    (axes,) = (axes for axes in figure.axes if axes.get_xlabel() == "x (Å)")
    used = series.drift[series.drift["used"]]
    assert_allclose(axes.lines[0].get_xdata(), used["x_A"])
    assert_allclose(axes.lines[1].get_xdata(), [0])
    bottom, top = axes.get_ylim()
    assert bottom > top  # y runs down, as in images
