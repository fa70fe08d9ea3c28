"""What a model's card says of the focus it has learned, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
from made_models import ATOM_CARD, COLUMN_CARD

from atomsight.errors import InputError
from atomsight.learning import models

SERIES_CARD = replace(
    COLUMN_CARD,
    name="heights",
    frames=3,
    contrast="either",
    microscope={
        "defocus_A": [-60, -20],
        "focal_series": {"steps_A": [-130, 0, 130], "step_error_A": 3.0},
    },
)


def refusal(card, focus_A):
    with pytest.raises(InputError) as caught:
        models.check_focus(card, focus_A, "frames.h5")
    return str(caught.value)


def test_old_cards_are_of_single_images():
    assert ATOM_CARD.focus_steps_A == (0.0,)
    assert SERIES_CARD.focus_steps_A == (-130.0, 0.0, 130.0)


def test_the_tolerance_grows_with_the_error_that_was_learned():
    assert models.focus_tolerance_A({}) == models.focus_tolerance_A(SERIES_CARD.microscope) == 10.0
    assert models.focus_tolerance_A({"focal_series": {"step_error_A": 8.0}}) == 24.0


@pytest.mark.parametrize(
    "focus_A",
    [
        (-170.0, -40.0, 90.0),
        (-190.0, -60.0, 70.0),
        (-141.0, -11.0, 119.0),
        (-180.0, -40.0, 90.0),
        (-170.0, -45.0, 95.0),
        (90.0, -40.0, -170.0),
    ],
)
def test_a_focal_series_as_learned_is_read(focus_A):
    assert models.check_focus(SERIES_CARD, focus_A, "frames.h5") is None


def test_single_images_need_no_focus():
    assert models.check_focus(ATOM_CARD, (), "frames.h5") is None


def test_an_unknown_focus_is_asked_for():
    assert refusal(SERIES_CARD, ()) == (
        "frames.h5: the model heights reads 3 images of different focus together, but the focus of "
        "these is unknown; fill in the column focus_A, such as -170,-40,90"
    )


def test_two_images_are_not_three():
    assert refusal(SERIES_CARD, (-170.0, -40.0)) == (
        "frames.h5: the column focus_A tells of 2 images, -170,-40 Å, but the model heights reads "
        "3 images together, such as -170,-40,90 Å; correct the column or take another model"
    )


def test_a_model_of_single_images_refuses_a_focal_series():
    card = replace(ATOM_CARD, microscope={"defocus_A": [-60, -20]})
    assert refusal(card, (-170.0, -40.0, 90.0)) == (
        "frames.h5: the column focus_A tells of 3 images, -170,-40,90 Å, but the model tiny reads "
        "single images; correct the column or take another model"
    )


def test_other_steps_are_refused():
    assert refusal(SERIES_CARD, (-100.0, -40.0, 20.0)) == (
        "frames.h5: the focus -100,-40,20 Å is not in the steps that the model heights has "
        "learned, -170,-40,90 Å to 10 Å; correct the column focus_A, or train a model on these "
        "steps (focal_series of its microscope)"
    )


@pytest.mark.parametrize(
    ("focus_A", "off"),
    [((-20.0, 110.0, 240.0), "+150 Å"), ((-208.0, -78.0, 52.0), "-38 Å")],
)
def test_a_focus_outside_the_range_is_refused(focus_A, off):
    sentence = refusal(SERIES_CARD, focus_A)
    assert f"but all its images are {off} off -170,-40,90 Å, more than the ±20 Å" in sentence


def test_a_reversed_sign_is_told():
    assert "underfocus is positive" in refusal(SERIES_CARD, (170.0, 40.0, -90.0))


def test_images_are_read_in_the_order_of_the_steps():
    focus_A = (90.0, -170.0, -40.0)
    order = models.reading_order(SERIES_CARD, focus_A)
    np.testing.assert_array_equal(np.array(focus_A)[order], [-170, -40, 90])
