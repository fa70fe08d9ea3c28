"""The script: atoms of a series in, tables of strain, bonds and rings out."""

import json

import numpy as np
import pandas as pd
import pytest
from made_lattices import BOND_A, sheet
from numpy.testing import assert_allclose

import measure_strain
from atomsight.files import sealed, tables
from atomsight.materials import mos2

# In a rhombus of eight by eight cells: whole hexagons, and atoms between three of them.
HEXAGONS, INNER = 42, 60
STRAIN_COLUMNS = ["e_xx", "e_yy", "e_xy", "rotation_rad", "planar", "rmsd"]


def write_atoms(folder, *frames):
    """Write the atoms of frames, their rows interleaved."""
    table = pd.concat(
        pd.DataFrame(positions, columns=["x_A", "y_A"]).assign(
            frame=frame, atom=range(len(positions))
        )
        for frame, positions in enumerate(frames)
    )
    table = table.sample(frac=1, random_state=0).assign(p_exists=0.8).reset_index(drop=True)
    with sealed.create(folder / "atoms.h5", {}) as file:
        tables.write_table(file, "atoms", table)
    return table


@pytest.fixture
def atoms(tmp_path):
    """Three frames: a sheet, three lone atoms, the sheet 2 % wider along x."""
    return write_atoms(tmp_path, sheet(8), sheet(8)[:3], sheet(8) * [1.02, 1])


@pytest.fixture
def run(tmp_path):
    def measure(*more, **settings):
        given = [tmp_path / "atoms.h5", tmp_path / "strain.csv", *more]
        given += ["--settings", json.dumps(settings)]
        assert measure_strain.main([str(word) for word in given]) == 0
        return pd.read_csv(tmp_path / "strain.csv")

    return measure


def test_table_has_a_row_per_atom_in_the_order_given(atoms, run):
    table = run(reference="absolute")
    assert list(table) == [*atoms, *STRAIN_COLUMNS]
    pd.testing.assert_frame_equal(table[list(atoms)], atoms, rtol=1e-5)
    for frame, e_xx in ((0, 0), (2, 0.02)):
        rows = table[table["frame"] == frame].dropna()
        assert len(rows) == INNER
        assert_allclose(rows[["e_xx", "e_yy"]] - [e_xx, 0], 0, atol=1e-6)
    assert table.loc[table["frame"] == 1, STRAIN_COLUMNS].isna().all(axis=None)


def test_hdf5_holds_strain_bonds_rings_and_the_scale(tmp_path, atoms, run):
    run("--hdf5", tmp_path / "strain.h5", "--bonds", tmp_path / "bonds.csv", bond_A=1.4)
    with sealed.open_to_read(tmp_path / "strain.h5") as file:
        table, bonds, rings = (
            tables.read_table(file, name) for name in ("strain", "bonds", "rings")
        )
        facts = dict(file.attrs)
    assert list(bonds) == ["frame", "atom_1", "atom_2", "length_A"]
    assert list(rings) == ["frame", "x_A", "y_A", "size"]
    assert rings.groupby("frame").size().to_dict() == {0: HEXAGONS, 2: HEXAGONS}
    assert facts["scale"] == pytest.approx(1.42 / 1.4 * 1.005, abs=1e-3)
    assert facts["orientation_rad"] == pytest.approx(0, abs=1e-10)
    assert facts["bond_mean_A"] == pytest.approx(bonds["length_A"].mean())
    assert facts["bond_std_A"] == pytest.approx(bonds["length_A"].std(ddof=0))
    assert json.loads(facts["settings"])["bond_A"] == 1.4
    assert table["planar"].mean() == pytest.approx(0, abs=1e-10)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "bonds.csv"), bonds, rtol=1e-5)
    # Bonds name the atoms by their numbers.
    places = atoms.set_index(["frame", "atom"])[["x_A", "y_A"]]
    first, second = (
        places.loc[pd.MultiIndex.from_frame(bonds[["frame", end]])].to_numpy()
        for end in ("atom_1", "atom_2")
    )
    assert_allclose(np.linalg.norm(first - second, axis=1), bonds["length_A"])


def test_one_line_tells_what_was_found_and_one_warns(atoms, run, capsys):
    run()
    first, second = capsys.readouterr().err.splitlines()
    assert first == "no atom matches the template in frame 1"
    assert second.startswith("259 atoms, 46.3 % matched, scale 1.00")
    assert "bond length 1.42" in second


def test_series_without_atoms_gives_empty_tables_and_a_warning(tmp_path, run, capsys):
    write_atoms(tmp_path, np.empty((0, 2)))
    assert run("--hdf5", tmp_path / "strain.h5").shape == (0, 11)
    assert "no atoms" in capsys.readouterr().err
    with sealed.open_to_read(tmp_path / "strain.h5") as file:
        assert len(tables.read_table(file, "bonds")) == len(tables.read_table(file, "rings")) == 0


def test_series_of_single_atoms_gives_empty_fields(tmp_path, run, capsys):
    write_atoms(tmp_path, np.zeros((1, 2)))
    assert run()[STRAIN_COLUMNS].isna().all(axis=None)
    assert "1 atoms, 0.0 % matched" in capsys.readouterr().err


@pytest.mark.usefixtures("atoms")
def test_the_bond_without_strain_is_that_of_the_material_unless_one_is_given(run, monkeypatch):
    def strain_along_x(*more, **settings):
        table = run(*more, reference="absolute", **settings)
        return table.loc[table["frame"] == 0, "e_xx"].mean()

    monkeypatch.setattr(mos2, "BOND_A", BOND_A / 1.01, raising=False)
    assert_allclose(strain_along_x(), 0, atol=1e-6)
    assert_allclose(strain_along_x("--material", "mos2"), 0.01, atol=1e-4)
    assert_allclose(strain_along_x("--material", "mos2", bond_A=BOND_A / 1.02), 0.02, atol=1e-4)
