"""Counted columns: the whole distribution is kept, and what not to rely on is said."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import count_columns
from atomsight.analysis import heights
from atomsight.config.analysis import HeightSettings
from atomsight.files import layout, sealed, tables

PIXEL_A = 0.2
SHAPE = (100, 120)


def atoms(probabilities, place=(10.0, 10.0), frame=0):
    """A table of columns, in the middle of the image."""
    table = pd.DataFrame(probabilities)
    table.columns = [f"p_{height}" for height in range(1, table.shape[1] + 1)]
    facts = {"frame": frame, "atom": range(len(table)), "x_A": place[0], "y_A": place[1]}
    told = {"class": "1", "p_class": table.max(axis=1), "p_exists": 0.9}
    return table.assign(**facts, **told)


def counted(table, clear=True):
    is_clear = np.full(len(table), clear)
    return heights.count_columns(table, is_clear, SHAPE, PIXEL_A, HeightSettings())


def test_the_whole_distribution_its_most_likely_height_and_its_mean_are_told():
    table = counted(atoms([[0.1, 0.7, 0.2, 0.0], [0.6, 0.0, 0.4, 0.0]]))
    names = ["frame", "column", "x_A", "y_A", "p_exists", "p_1", "p_2", "p_3", "p_4"]
    more = ["height", "p_height", "expected_height", "reliable", "reason"]
    assert list(table.columns) == names + more
    assert_allclose(table[["p_1", "p_2", "p_3", "p_4"]].iloc[0], [0.1, 0.7, 0.2, 0])
    assert_array_equal(table["height"], [2, 1])
    assert_allclose(table["p_height"], [0.7, 0.6])
    assert_allclose(table["expected_height"], [2.1, 1.8])
    assert table["reliable"].all()
    assert (table["reason"] == "").all()


@pytest.mark.parametrize(
    ("p", "place", "clear", "reason"),
    [
        ([0.4, 0.35, 0.25], (10, 10), True, "uncertain"),
        ([0.1, 0.1, 0.8], (10, 10), True, "above the model's range"),
        ([0.3, 0.3, 0.4], (10, 10), True, "above the model's range"),
        ([0.9, 0.1, 0.0], (2.8, 10), True, "edge of the image"),
        ([0.9, 0.1, 0.0], (10, 17), True, "edge of the image"),
        ([0.9, 0.1, 0.0], (21, 10), True, "edge of the image"),
        ([0.4, 0.4, 0.2], (0, 0), False, "unusable pixels"),
        ([0.9, 0.1, 0.0], (3, 10), True, ""),
    ],
)
def test_a_count_that_is_not_reliable_says_why(p, place, clear, reason):
    table = counted(atoms([p], place), clear)
    assert table["reason"][0] == reason
    assert table["reliable"][0] == (reason == "")


def test_no_columns_give_an_empty_table():
    table = counted(atoms(np.empty((0, 3))))
    assert len(table) == 0
    assert "reason" in table


def test_unusable_pixels_spoil_columns_up_to_a_distance():
    usable = np.ones(SHAPE, bool)
    usable[50, 50] = False
    points = np.array([[10.0, 10.0], [11.4, 10.0], [11.6, 10.0], [10.0, 2.0]])
    clear = heights.clear_of_unusable(points, usable, PIXEL_A, 1.5)
    assert_array_equal(clear, [False, False, True, True])
    usable[50, 50] = True
    assert heights.clear_of_unusable(points, usable, PIXEL_A, 1.5).all()


@pytest.fixture
def paths(tmp_path):
    """Columns of two specimens, three images of each; in one image of the second a pixel fails."""
    table = pd.concat([atoms([[0.9, 0.1, 0.0]], frame=frame) for frame in (0, 1)])
    with sealed.create(tmp_path / "atoms.h5", {}) as file:
        tables.write_table(file, "atoms", table)
        file.attrs.update(pixel_size_A=PIXEL_A, frame_shape=(2, *SHAPE))
    with sealed.create(tmp_path / "frames.h5", {}) as file:
        _, usable = layout.create_frames(file, (6, *SHAPE), PIXEL_A, PIXEL_A, "abcdef")
        usable[...] = True
        usable[4, 50, 50] = False
        file.attrs["focus_A"] = [-170.0, -40.0, 90.0]
    return tmp_path


def test_the_script_writes_both_tables_and_knows_unusable_pixels(paths):
    given = [str(paths / name) for name in ("atoms.h5", "heights.csv")]
    more = ["--frames", str(paths / "frames.h5"), "--hdf5", str(paths / "heights.h5")]
    assert count_columns.main([*given, *more]) == 0
    text = pd.read_csv(given[1], keep_default_na=False)
    assert list(text["reason"]) == ["", "unusable pixels"]
    assert list(text["reliable"]) == [True, False]
    with sealed.open_to_read(paths / "heights.h5") as file:
        table = tables.read_table(file, "heights")
        assert file.attrs["pixel_size_A"] == PIXEL_A
    pd.testing.assert_frame_equal(table, text, check_dtype=False)


def test_the_script_takes_its_thresholds_from_the_settings(paths):
    given = [str(paths / name) for name in ("atoms.h5", "heights.csv")]
    assert count_columns.main([*given, "--settings", '{"min_probability": 0.95}']) == 0
    assert set(pd.read_csv(given[1])["reason"]) == {"uncertain"}
