"""What a model's card says of the focus it has learned, and what it refuses."""

import numpy as np
import pytest
from made_models import ATOM_CARD, COLUMN_CARD, ranges

from atomsight.errors import InputError
from atomsight.learning import models

STEPS = {"steps_A": [-130, 0, 130], "step_error_A": 3.0}
SERIES_CARD = COLUMN_CARD.but(
    name="heights",
    frames=3,
    contrast="either",
    microscope=ranges(defocus_A=[-60, -20], focal_series=STEPS),
)


def test_single_images_have_one_step():
    assert ATOM_CARD.focus_steps_A == (0.0,)
    assert SERIES_CARD.focus_steps_A == (-130.0, 0.0, 130.0)


def test_the_tolerance_grows_with_the_error_that_was_learned():
    assert models.focus_tolerance_A(ranges()) == 10.0
    assert models.focus_tolerance_A(SERIES_CARD.microscope) == 10.0
    assert models.focus_tolerance_A(ranges(focal_series={"step_error_A": 8.0})) == 24.0


SHIFTED = ((-190.0, -60.0, 70.0), (-141.0, -11.0, 119.0))
STRETCHED = ((-180.0, -40.0, 90.0), (-170.0, -45.0, 95.0))
ORDERED = ((-170.0, -40.0, 90.0), (90.0, -40.0, -170.0))


@pytest.mark.parametrize("focus_A", [*ORDERED, *SHIFTED, *STRETCHED])
def test_a_focal_series_as_learned_is_read(focus_A):
    assert models.check_focus(SERIES_CARD, focus_A, "frames.h5") is None


def test_single_images_need_no_focus():
    assert models.check_focus(ATOM_CARD, (), "frames.h5") is None


@pytest.mark.parametrize(
    ("focus_A", "facts"),
    [
        ((), ["3 images", "is unknown", "fill in the column focus_A, such as -170,-40,90"]),
        ((-170.0, -40.0), ["2 images, -170,-40 Å", "3 images", "correct the column"]),
        ((-100.0, -40.0, 20.0), ["-100,-40,20 Å", "-170,-40,90 Å to 10 Å", "focal_series"]),
        ((-20.0, 110.0, 240.0), ["+150 Å off -170,-40,90 Å", "±20 Å"]),
        ((-208.0, -78.0, 52.0), ["-38 Å off -170,-40,90 Å", "±20 Å"]),
        ((170.0, 40.0, -90.0), ["underfocus is positive"]),
    ],
)
def test_a_focus_that_was_not_learned_is_refused(focus_A, facts):
    with pytest.raises(InputError) as refused:
        models.check_focus(SERIES_CARD, focus_A, "frames.h5")
    for fact in ["frames.h5: ", "heights", *facts]:
        assert fact in str(refused.value)


def test_a_model_of_single_images_refuses_a_focal_series():
    said = "3 images, -170,-40,90 Å.* the model tiny reads single images"
    with pytest.raises(InputError, match=said):
        models.check_focus(ATOM_CARD, (-170.0, -40.0, 90.0), "frames.h5")


def test_images_are_read_in_the_order_of_the_steps():
    focus_A = (90.0, -170.0, -40.0)
    order = models.reading_order(SERIES_CARD, focus_A)
    np.testing.assert_array_equal(np.array(focus_A)[order], [-170, -40, 90])
