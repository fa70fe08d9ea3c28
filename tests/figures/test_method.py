"""The method on one frame: three images of one part, and what stands between them."""

import numpy as np
import pages
import pytest
from made_sites import recording
from matplotlib.patches import FancyArrowPatch

from atomsight.figures import method


def test_image_output_and_columns_show_the_same_part_with_arrows_from_one_to_the_next():
    figure = method.draw(recording(), "Simulated gold")
    pages.assert_shows(figure, "neural\nnetwork", "segments", "Simulated gold", "129 columns found")
    images = pages.maps(figure)
    assert images == figure.axes[:3]
    assert len({(axes.get_xlim(), axes.get_ylim()) for axes in images}) == 1
    assert len(figure.findobj(FancyArrowPatch)) == 2


def test_the_window_holds_all_columns_and_stays_on_the_frame():
    made = recording(size_px=1000)
    left, top, right, bottom = method.window(made)
    assert (made.columns > [left, top]).all()
    assert (made.columns < [right, bottom]).all()
    assert right - left < 60
    edge = recording(np.array([[0.5, 0.5]]))
    assert method.window(edge) == pytest.approx((-0.1, -0.1, 19.9, 19.9))


def test_a_frame_without_columns_is_shown_whole():
    made = recording(np.empty((0, 2)))
    assert method.window(made) == pytest.approx((-0.1, -0.1, 49.9, 49.9))
    pages.assert_shows(method.draw(made, "Simulated"), "0 columns found")
