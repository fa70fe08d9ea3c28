"""Our files: whole or absent, the same every time, with units."""

import tracemalloc

import h5py
import numpy as np
import pandas as pd
import pytest

from atomsight.errors import InputError
from atomsight.files import layout, provenance, sealed, tables

X_A, CLASSES = [1.5, 2.5, np.nan], ["atom", "atom", "pair"]
TABLE = pd.DataFrame({"frame": [0, 0, 1], "x_A": X_A, "class": CLASSES})


@pytest.fixture
def path(tmp_path):
    """A file with a table."""
    made_by = provenance.made_by("test.py", {"key": [1, 2]}, seed=4)
    with sealed.create(tmp_path / "table.h5", made_by) as file:
        tables.write_table(file, "atoms", TABLE)
    return tmp_path / "table.h5"


@pytest.fixture
def frames_of(tmp_path):
    """A file of frames."""

    def write(shape, names, focus_A=()):
        with sealed.create(tmp_path / "frames.h5", {}) as file:
            layout.create_frames(file, shape, 0.1, 0.1, names, focus_A)
        return tmp_path / "frames.h5"

    return write


def test_a_table_survives_with_its_order_and_units(path):
    with sealed.open_to_read(path) as file:
        pd.testing.assert_frame_equal(tables.read_table(file, "atoms"), TABLE, check_dtype=False)
        assert file["atoms/x_A"].attrs["units"] == "angstrom"


def test_a_file_says_what_made_it(path):
    with h5py.File(path) as file:
        assert file.attrs["made_by"] == "test.py"
        assert file.attrs["settings"] == '{"key": [1, 2]}'
        assert file.attrs["seed"] == 4
        assert "numpy" in file.attrs["versions"]


def test_an_error_leaves_an_older_file_as_it_was_and_no_partial_one(path):
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError), sealed.create(path, {}) as file:
        file["data"] = 1 / 0
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda file: file["maps"], "'maps'.*give the file"),
        (lambda file: file["atoms/y_A"], "'atoms/y_A'.*give the file"),
        (lambda file: file["atoms"]["y_A"], "'y_A'.*give the file"),
        (lambda file: file.attrs["pixel_size_A"], "'pixel_size_A'.*give the file"),
        (lambda file: file["atoms"].attrs["pixel_size_A"], "'pixel_size_A'.*give the file"),
        (lambda file: tables.read_table(file, "columns"), "'columns'.*give the file"),
        (lambda file: tables.read_table(file, "atoms", ["x_A", "y_A"]), "column 'y_A'; .*rm"),
    ],
)
def test_what_a_file_lacks_is_named(path, ask, said):
    refused = pytest.raises(InputError, match=rf"table\.h5: .*{said}")
    with sealed.open_to_read(path) as file, refused:
        ask(file)


def test_what_a_file_may_lack_is_asked_for_as_usual(path):
    with sealed.open_to_read(path) as file:
        assert "maps" not in file
        assert file.get("maps") is None
        assert file.attrs.get("pixel_size_A", 3) == 3
        assert [name for name, _ in file["atoms"].items()] == sorted(TABLE)


def test_waves_of_several_shards_are_in_memory_once(tmp_path):
    shards = []
    for number in range(4):
        shards.append(tmp_path / f"{number}.h5")
        spectra = np.full((8, 1, 129, 129), number, "complex64")
        sites = [(one, np.full((3, 2), number), np.ones(3, int)) for one in spectra]
        layout.write_waves(shards[-1], sites, (12.0, 12.0), 80e3, {})
    tracemalloc.start()
    waves = layout.read_waves(shards)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * waves.spectra.nbytes
    expected = np.repeat(range(4), 8)
    np.testing.assert_array_equal(waves.spectra[:, 0, 7, 5], expected)
    np.testing.assert_array_equal([sites[0, 0] for sites in waves.sites], expected)


@pytest.mark.parametrize("reader", [sealed.open_to_read, layout.open_frames])
def test_an_error_of_the_step_itself_is_not_blamed_on_its_file(frames_of, reader):
    with pytest.raises(KeyError, match="Au"), reader(frames_of((2, 2, 3), "ab")):
        {"C": 0.07}["Au"]


def test_hdf5_of_another_program_is_refused(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["atoms"] = 1
    with pytest.raises(InputError, match=r"other\.h5: .*no seal of atomsight"):
        sealed.check_seal(tmp_path / "other.h5")


def test_a_long_movie_keeps_the_names_of_its_frames(frames_of):
    """Attributes of HDF5 end at 64 kB; the names of a movie are longer."""
    names = [f"movie_of_the_edge_{index:05d}.dm4" for index in range(5000)]
    with layout.open_frames(frames_of((5000, 1, 1), names)) as frames:
        assert list(frames.names) == names


@pytest.mark.parametrize(("focus_A", "together"), [((-170.0, -40.0, 90.0), 3), ((), 1)])
def test_frames_of_focal_series_say_which_belong_together(frames_of, focus_A, together):
    with layout.open_frames(frames_of((6, 2, 3), "abcdef", focus_A)) as frames:
        assert frames.focus_A == focus_A
        assert frames.frames_per_specimen == together


def test_shifts_have_units(tmp_path):
    with sealed.create(tmp_path / "frames.h5", {}) as file:
        layout.write_shifts(file, np.ones((6, 2)))
        assert file["shift_A"].attrs["units"] == "angstrom"
