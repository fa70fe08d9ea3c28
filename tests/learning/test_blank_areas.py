"""Blank areas show nothing, and nothing is to be found in them."""

import numpy as np
from keras import ops

from atomsight.learning import blank_areas


def test_as_many_images_have_one_as_were_asked_for():
    drawn = blank_areas.draw(2000, 24, 0.3, np.random.default_rng(0))
    assert abs(drawn["blank"].any(axis=(1, 2)).mean() - 0.3) < 0.04
    assert abs(np.mean(drawn["blank_level"] == 0) - 0.5) < 0.04
    assert not blank_areas.draw(50, 24, 0.0, np.random.default_rng(0))["blank"].any()


def test_something_is_always_left_to_see():
    for make in (blank_areas.beyond_a_line, blank_areas.rectangle):
        for seed in range(200):
            assert not make(32, np.random.default_rng(seed)).all()


def test_blank_pixels_show_one_level_and_are_background():
    rng = np.random.default_rng(3)
    drawn = blank_areas.draw(4, 16, 1.0, rng)
    blank, level = drawn["blank"], drawn["blank_level"]
    images = rng.random((4, 3, 16, 16)).astype("float32")
    truth = rng.dirichlet([1, 1, 1], (4, 16, 16)).astype("float32")
    shown = ops.convert_to_numpy(blank_areas.blank_images(images, blank, level))
    wanted = ops.convert_to_numpy(blank_areas.blank_truth(truth, blank))
    seen = np.broadcast_to(~blank[:, None], images.shape)
    np.testing.assert_array_equal(shown[seen], images[seen])
    for index in range(4):
        assert (shown[index][:, blank[index]] == level[index]).all()
    np.testing.assert_array_equal(wanted[~blank], truth[~blank])
    np.testing.assert_array_equal(wanted[blank], np.broadcast_to([1, 0, 0], wanted[blank].shape))
