"""The style: scale bars that are true, limits that are fair, files that are always the same."""

import matplotlib
import numpy as np
import pages
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from atomsight.figures.parts import style


@style.styled()
def picture(pixel_size_A=0.12, shape=(150, 300)):
    figure = Figure(figsize=(4, 3))
    axes = style.place(figure, 0.5, 0.5, 3, 1.5)
    image = np.random.default_rng(0).normal(size=shape)
    style.show_image(axes, image, pixel_size_A, cmap="gray")
    return figure


@given(st.floats(1, 1e5))
def test_a_scale_bar_is_a_round_part_of_the_image(width_A):
    length = style.scale_bar_length(width_A)
    assert f"{length:e}"[0] in "125"
    assert float(f"{length:.0e}") == pytest.approx(length)
    assert 0.119 * width_A < length <= 0.3001 * width_A


@pytest.mark.parametrize("pixel_size_A", [0.05, 0.12, 1.3])
def test_a_scale_bar_is_as_long_on_paper_as_its_words_say(pixel_size_A):
    figure = picture(pixel_size_A)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    (bar,) = pages.scale_bars(axes)
    drawn = bar.size_bar.get_children()[0].get_window_extent()
    image = axes.get_window_extent()
    on_paper_A = drawn.width / image.width * 300 * pixel_size_A

    number, unit = bar.txt_label.get_text().split()
    assert on_paper_A == pytest.approx(float(number) * {"Å": 1, "nm": 10}[unit])
    assert drawn.x1 < image.x1


def test_the_first_pixel_is_centred_on_the_origin():
    left, right, bottom, top = picture(0.12, (100, 200)).axes[0].images[0].get_extent()
    np.testing.assert_allclose([left, top], -0.06)
    np.testing.assert_allclose([right, bottom], [23.94, 11.94])


@given(st.lists(st.floats(-10, 10), min_size=1), st.floats(1e-3, 1))
def test_a_limit_is_round_and_holds_nearly_all(values, smallest):
    limit = style.symmetric_limit(np.array([*values, np.nan]), smallest)
    assert limit >= smallest * (1 - 1e-9)
    assert limit >= np.percentile(np.abs(values), 98) * (1 - 1e-9)
    assert f"{limit:e}"[0] in "1235"


def test_without_values_the_limit_is_the_smallest():
    assert style.symmetric_limit(np.array([np.nan]), 0.5) == pytest.approx(0.5)


def test_grey_levels_come_from_the_pixels_that_count():
    image = np.ones((10, 10))
    image[0], image[5] = 1000, 3
    usable = image < 1000
    low, high = style.grey_limits(image, usable)
    assert (low, high) == (1, 3)


def test_a_large_image_is_drawn_in_means_of_the_pixels_that_print_cannot_show():
    """3 · 1.5 inch of 300 dpi show 900 · 450 pixels; all electrons are counted, where they are."""
    image = np.random.default_rng(0).normal(50, 1, (2704, 5403))
    figure = Figure(figsize=(4, 3), dpi=300)
    shown = style.show_image(style.place(figure, 0.5, 0.5, 3, 1.5), image, 0.12)
    drawn = shown.get_array()
    assert drawn.shape == (901, 1801)
    np.testing.assert_allclose(drawn[7, 9], image[21:24, 27:30].mean())
    left, right, bottom, top = shown.get_extent()
    np.testing.assert_allclose([left, top], -0.06)
    np.testing.assert_allclose([right, bottom], [5403 * 0.12 - 0.06, 2703 * 0.12 - 0.06])


def test_an_image_that_print_shows_whole_is_drawn_as_it_is():
    figure = Figure(figsize=(4, 3), dpi=300)
    image = np.random.default_rng(0).normal(size=(1300, 2600))
    shown = style.show_image(style.place(figure, 0.5, 0.5, 3, 1.5), image, 0.12)
    np.testing.assert_array_equal(shown.get_array(), image)


def test_grey_levels_of_a_large_image_are_nearly_those_of_all_its_pixels():
    image = np.random.default_rng(0).normal(size=(4500, 4500))
    for usable in (image < 9, image < 1):
        expected = np.percentile(image[usable], (0.5, 99.5))
        np.testing.assert_allclose(style.grey_limits(image, usable), expected, atol=0.02)


def test_the_same_figure_gives_the_same_bytes_whoever_draws_it(tmp_path):
    style.save(picture(), tmp_path / "one.png")
    with matplotlib.rc_context({"font.size": 20, "image.cmap": "jet", "savefig.dpi": 50}):
        style.save(picture(), tmp_path / "two.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    with Image.open(tmp_path / "one.png") as written:
        assert written.size == (1200, 900)
        assert written.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_the_style_leaves_nothing_behind():
    def settings():
        # To look at the backend would choose one.
        return {key: matplotlib.rcParams[key] for key in matplotlib.rcParams if key != "backend"}

    before = settings()
    picture()
    assert settings() == before


def test_a_series_without_notes_is_named_once():
    figure = Figure()
    style.write_row_title(figure, 0.1, 0.1, "one", "one", 80)
    style.write_row_title(figure, 0.1, 0.5, "two", "Simulated: two", 80)
    assert sorted(pages.words(figure).split()) == ["Simulated:", "one", "two", "two"]
