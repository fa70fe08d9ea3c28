"""Counted columns of one particle, and the picture of all that counting can."""

import dataclasses

import made_columns
import made_sites
import numpy as np
import pytest

import plot_column_heights
import plot_gold_heights
from atomsight.errors import InputError
from atomsight.figures import column_heights, column_tables, gold_heights, height_panels
from atomsight.figures.counting_scores import Scores


def particle():
    true = made_columns.true_columns()
    return gold_heights.Particle(made_columns.images(), made_columns.counted_columns(), true, 3e4)


def scores():
    return Scores(
        made_columns.summary(),
        made_columns.confusion(),
        made_columns.reliability(),
        made_columns.abstention(),
    )


def test_differences_are_counts_minus_truth_up_to_the_last_class():
    counted, true = made_columns.counted_columns(), made_columns.true_columns()
    pairs = column_tables.match(counted, true)
    off = height_panels.differences(pairs, counted, made_columns.GREATEST)
    assert pairs["found"][0] == -1
    assert list(off) == [1] + [0] * (len(true) - 2)
    assert true["height"].max() > made_columns.GREATEST
    said = column_heights.exact_text(pairs, counted, made_columns.GREATEST)
    assert said == "127 of 129 exact"


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("known", [True, False])
def test_nothing_is_cut_off_whatever_the_number_of_images(count, known):
    series, counted = made_columns.images(count), made_columns.counted_columns()
    true = made_columns.true_columns() if known else None
    figure = column_heights.draw(series, counted, true, 3e4 if known else None, "a $ particle")
    assert made_sites.overhang(figure) < 0.005
    maps = [axes for axes in figure.axes if made_sites.scale_bars(axes)]
    assert len(maps) == min(count, 3) + (3 if known else 2)
    assert all(made_sites.scale_bars(axes) == 1 for axes in maps)


def test_the_words_say_focus_dose_and_how_many_counts_are_reliable():
    made = particle()
    figure = column_heights.draw(made.series, made.counted, made.true, 3e4, "Simulated gold")
    words = made_sites.words(figure)
    for said in ("17 nm overfocus", "9 nm underfocus", "3 images, 3·10⁴ e/Å² in all", "Simulated"):
        assert said in words
    reliable = int(made.counted["reliable"].sum())
    assert f"129 columns found, {reliable:,} counts reliable" in words


def test_discs_carry_their_numbers_and_open_ones_are_not_reliable():
    made = particle()
    figure = column_heights.draw(made.series, made.counted, made.true, 3e4, "Simulated")
    counted = figure.axes[3]
    (discs,) = counted.collections
    is_white = (discs.get_facecolors() == 1).all(axis=1)
    np.testing.assert_array_equal(is_white, ~made.counted["reliable"])
    numbers = [text.get_text() for text in counted.texts if text.get_text().isdigit()]
    assert numbers == [str(height) for height in made.counted["height"]]


def test_a_particle_of_which_nothing_is_found_is_drawn_too():
    made = particle()
    nothing = made.counted[:0]
    for true in (made.true, None):
        figure = column_heights.draw(made.series, nothing, true, None, "")
        assert made_sites.overhang(figure) < 0.005


def test_an_image_without_focus_says_so():
    assert "focus not known" in made_sites.words(
        column_heights.draw(made_columns.images(1), made_columns.counted_columns(), None, None, "")
    )


def test_the_picture_of_the_whole_holds_images_counts_and_scores():
    figure = gold_heights.draw(particle(), scores(), 3e4, "Simulated gold particle")
    assert made_sites.overhang(figure) < 0.005
    assert sum(made_sites.scale_bars(axes) for axes in figure.axes) == 5
    words = made_sites.words(figure)
    for said in (
        "tilt up to 0.5°, 10⁴ e/Å²",
        "library match",
        "calibration error",
        "by 3 or more",
        "share answered, the surest first",
        "Simulated particles",
    ):
        assert said in words


def test_it_can_do_without_other_methods_and_with_one_range_of_tilts():
    one = Scores(
        *(
            table.query("method == 'network' and tilt_high_deg == 3")
            for table in vars(scores()).values()
        )
    )
    figure = gold_heights.draw(particle(), one, 3e4, "Simulated gold particle")
    assert made_sites.overhang(figure) < 0.005


@pytest.fixture
def files(tmp_path):
    """Paths of images, counted columns and truth."""
    paths = [str(tmp_path / name) for name in ("frames.h5", "heights.csv", "truth.h5")]
    made_columns.write_frames(paths[0], made_columns.images())
    made_columns.counted_columns().to_csv(paths[1], index=False)
    true = made_columns.true_columns()
    made_columns.write_truth(paths[2], true.assign(**{"class": true["height"].astype(str)}))
    return paths


@pytest.fixture
def tables(tmp_path):
    """Options that name the tables of scores."""
    options = []
    for name, table in vars(scores()).items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        options += [f"--{name}", str(tmp_path / f"{name}.csv")]
    return options


def test_the_scripts_draw_the_same_bytes_again(files, tables, tmp_path):
    drawn = [tmp_path / "one.png", tmp_path / "two.png"]
    for path in drawn:
        assert plot_column_heights.main([str(path), *files[:2], "--truth", files[2]]) == 0
    assert drawn[0].read_bytes() == drawn[1].read_bytes()
    for path in drawn:
        assert plot_gold_heights.main([str(path), *files, *tables]) == 0
    assert drawn[0].read_bytes() == drawn[1].read_bytes()


def test_a_real_series_is_drawn_without_a_truth(files, tmp_path):
    out = tmp_path / "real.png"
    assert plot_column_heights.main([str(out), *files[:2], "--title", "gold"]) == 0
    assert out.read_bytes()[:4] == b"\x89PNG"


def test_heights_read_from_text_are_as_they_were(files):
    table = column_tables.read_heights(files[1])
    made = made_columns.counted_columns()
    assert list(table["reason"]) == list(made["reason"])
    assert list(table["reliable"]) == list(made["reliable"])
    assert column_tables.greatest_height(table) == made_columns.GREATEST


def test_one_specimen_of_several_is_read(tmp_path):
    both = made_columns.images()
    path = tmp_path / "frames.h5"
    twice = np.concatenate([both.images, 2 * both.images])
    made_columns.write_frames(path, dataclasses.replace(both, images=twice))
    second = column_tables.read_images(path, 1)
    np.testing.assert_allclose(second.images, 2 * both.images)
    assert second.focus_A == made_columns.FOCUS_A
    with pytest.raises(InputError, match="there is no specimen 2; they run to 1"):
        column_tables.read_images(path, 2)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda paths: paths.__setitem__(0, "absent.h5"), "absent.h5: the file does not exist"),
        (lambda paths: paths.__setitem__(2, paths[0]), "not the kind of file"),
        (
            lambda paths: (
                made_columns.counted_columns().drop(columns="reason").to_csv(paths[1], index=False)
            ),
            "the column 'reason' or 'p_1' is missing",
        ),
        (
            lambda paths: made_columns.write_truth(paths[2], made_columns.true_species()),
            "its classes are no numbers of atoms",
        ),
    ],
)
def test_the_script_says_in_one_sentence_what_is_wrong(files, tmp_path, capsys, spoil, message):
    spoil(files)
    out = tmp_path / "heights.png"
    assert plot_column_heights.main([str(out), *files[:2], "--truth", files[2]]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not out.exists()
