"""Our files: whole or absent, the same every time, with units."""

import h5py
import numpy as np
import pandas as pd
import pytest

from atomsight.errors import InputError
from atomsight.files import layout, provenance, sealed, tables

TABLE = pd.DataFrame(
    {"frame": [0, 0, 1], "x_A": [1.5, 2.5, np.nan], "class": ["atom", "atom", "pair"]}
)


def write(path, made_by=None):
    with sealed.create(
        path, made_by or provenance.made_by("test.py", {"key": [1, 2]}, seed=4)
    ) as file:
        tables.write_table(file, "atoms", TABLE)
    return path


def test_a_table_survives_with_its_order_and_units(tmp_path):
    with sealed.open_to_read(write(tmp_path / "table.h5")) as file:
        pd.testing.assert_frame_equal(tables.read_table(file, "atoms"), TABLE, check_dtype=False)
        assert file["atoms/x_A"].attrs["units"] == "angstrom"


def test_a_file_says_what_made_it(tmp_path):
    with h5py.File(write(tmp_path / "table.h5")) as file:
        assert file.attrs["made_by"] == "test.py"
        assert file.attrs["settings"] == '{"key": [1, 2]}'
        assert file.attrs["seed"] == 4
        assert "numpy" in file.attrs["versions"]


def test_an_error_leaves_no_file_and_no_partial_one(tmp_path):
    class Halted(Exception):
        pass

    target = write(tmp_path / "table.h5")
    before = target.read_bytes()

    def write_half():
        with sealed.create(target, {}) as file:
            file["data"] = np.zeros(10)
            raise Halted

    with pytest.raises(Halted):
        write_half()
    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["table.h5"]


@pytest.mark.parametrize("size", [0, 100, 3000])
def test_a_file_cut_short_is_refused_by_name(tmp_path, size):
    path = write(tmp_path / "table.h5")
    path.write_bytes(path.read_bytes()[:size])
    with (
        pytest.raises(InputError, match=r"table\.h5: .*cut short"),
        sealed.open_to_read(path),
    ):
        pytest.fail("the file was opened")


@pytest.mark.parametrize(
    ("ask", "lacks"),
    [
        (lambda file: file["maps"], "maps"),
        (lambda file: file["atoms/y_A"], "atoms/y_A"),
        (lambda file: file["atoms"]["y_A"], "y_A"),
        (lambda file: file.attrs["pixel_size_A"], "pixel_size_A"),
        (lambda file: file["atoms"].attrs["pixel_size_A"], "pixel_size_A"),
        (lambda file: tables.read_table(file, "columns"), "columns"),
    ],
)
def test_what_a_file_lacks_is_named(tmp_path, ask, lacks):
    with (
        sealed.open_to_read(write(tmp_path / "table.h5")) as file,
        pytest.raises(InputError, match=rf"table\.h5: .*'{lacks}'.*give the file"),
    ):
        ask(file)


def test_a_column_that_a_table_lacks_is_named(tmp_path):
    with (
        sealed.open_to_read(write(tmp_path / "table.h5")) as file,
        pytest.raises(InputError, match=r"table\.h5: the table 'atoms' has no column 'y_A'; .*rm"),
    ):
        tables.read_table(file, "atoms", ["x_A", "y_A"])


def test_what_a_file_may_lack_is_asked_for_as_usual(tmp_path):
    with sealed.open_to_read(write(tmp_path / "table.h5")) as file:
        assert "maps" not in file
        assert file.get("maps") is None
        assert file.attrs.get("pixel_size_A", 3) == 3
        assert [name for name, _ in file["atoms"].items()] == sorted(TABLE)


@pytest.mark.parametrize("reader", [sealed.open_to_read, layout.open_frames])
def test_an_error_of_the_step_itself_is_not_blamed_on_its_file(tmp_path, reader):
    with sealed.create(tmp_path / "frames.h5", {}) as file:
        layout.create_frames(file, (2, 2, 3), 0.1, 0.1, "ab")
    with pytest.raises(KeyError, match="Au"), reader(tmp_path / "frames.h5"):
        {"C": 0.07}["Au"]


def test_hdf5_of_another_program_is_refused(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["atoms"] = 1
    with (
        pytest.raises(InputError, match=r"other\.h5: .*no seal of atomsight"),
        sealed.open_to_read(tmp_path / "other.h5"),
    ):
        pytest.fail("the file was opened")


def test_a_long_movie_keeps_the_names_of_its_frames(tmp_path):
    """Attributes of HDF5 end at 64 kB; the names of a movie are longer."""
    names = [f"movie_of_the_edge_{index:05d}.dm4" for index in range(5000)]
    with sealed.create(tmp_path / "frames.h5", {}) as file:
        layout.create_frames(file, (5000, 1, 1), 0.1, 0.1, names)
    with layout.open_frames(tmp_path / "frames.h5") as frames:
        assert list(frames.names) == names


def test_frames_of_focal_series_say_which_belong_together(tmp_path):
    with sealed.create(tmp_path / "frames.h5", {}) as file:
        layout.create_frames(file, (6, 2, 3), 0.1, 0.1, "abcdef", (-170.0, -40.0, 90.0))
        layout.write_shifts(file, np.ones((6, 2)))
    with layout.open_frames(tmp_path / "frames.h5") as frames:
        assert frames.focus_A == (-170.0, -40.0, 90.0)
        assert frames.frames_per_specimen == 3
    with sealed.open_to_read(tmp_path / "frames.h5") as file:
        assert file["shift_A"].attrs["units"] == "angstrom"


def test_single_images_stand_alone(tmp_path):
    with sealed.create(tmp_path / "frames.h5", {}) as file:
        layout.create_frames(file, (2, 2, 3), 0.1, 0.1, "ab")
    with layout.open_frames(tmp_path / "frames.h5") as frames:
        assert frames.focus_A == ()
        assert frames.frames_per_specimen == 1
