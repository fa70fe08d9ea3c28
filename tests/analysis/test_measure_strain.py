"""The script: atoms of a series in, tables of strain, bonds and rings out."""

import json

import numpy as np
import pandas as pd
import pytest
from ase.build import graphene
from numpy.testing import assert_allclose

import measure_strain
from atomsight.files import provenance, sealed, tables
from atomsight.materials import mos2

BOND_A = 1.42
# In a rhombus of eight by eight cells: whole hexagons, and atoms between three of them.
HEXAGONS, INNER = 42, 60
STRAIN_COLUMNS = ["e_xx", "e_yy", "e_xy", "rotation_rad", "planar", "rmsd"]


def frame_table(frame, positions):
    count = len(positions)
    return pd.DataFrame(
        {
            "frame": np.full(count, frame),
            "atom": np.arange(count),
            "x_A": positions[:, 0],
            "y_A": positions[:, 1],
            "class": np.ones(count, int),
            "p_class": np.full(count, 0.9),
            "p_exists": np.full(count, 0.8),
            "p_carbon": np.full(count, 0.9),
        }
    )


def sheet(cells=8):
    return graphene(a=np.sqrt(3) * BOND_A, size=(cells, cells, 1)).positions[:, :2]


def write_atoms(path, table):
    with sealed.create(path, provenance.made_by("locate_atoms.py", {})) as file:
        tables.write_table(file, "atoms", table)
    return path


@pytest.fixture
def series(tmp_path):
    """Three frames: a sheet, three lone atoms, the sheet 2 % wider along x; rows interleaved."""
    frames = [sheet(), sheet()[:3], sheet() * [1.02, 1]]
    table = pd.concat([frame_table(i, frame) for i, frame in enumerate(frames)])
    shuffled = table.sample(frac=1, random_state=0).reset_index(drop=True)
    write_atoms(tmp_path / "atoms.h5", shuffled)
    return tmp_path, shuffled


def run(folder, *more, **settings):
    arguments = [folder / "atoms.h5", folder / "strain.csv", *more]
    settings = ["--settings", json.dumps(settings)] if settings else []
    return measure_strain.main([str(argument) for argument in arguments] + settings)


def test_table_has_a_row_per_atom_in_the_order_given(series):
    folder, atoms = series
    assert run(folder, reference="absolute") == 0
    table = pd.read_csv(folder / "strain.csv")
    assert list(table) == [*atoms, *STRAIN_COLUMNS]
    pd.testing.assert_frame_equal(table[list(atoms)], atoms, rtol=1e-5)
    for frame, e_xx in ((0, 0), (2, 0.02)):
        rows = table[table["frame"] == frame].dropna()
        assert len(rows) == INNER
        assert_allclose(rows["e_xx"], e_xx, atol=1e-6)
        assert_allclose(rows["e_yy"], 0, atol=1e-6)
    assert table.loc[table["frame"] == 1, STRAIN_COLUMNS].isna().all(axis=None)


def test_hdf5_holds_strain_bonds_rings_and_the_scale(series):
    folder, _ = series
    bonds_csv = folder / "bonds.csv"
    assert run(folder, "--hdf5", folder / "strain.h5", "--bonds", bonds_csv, bond_A=1.4) == 0
    with sealed.open_to_read(folder / "strain.h5") as file:
        table = tables.read_table(file, "strain")
        bonds = tables.read_table(file, "bonds")
        rings = tables.read_table(file, "rings")
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
    pd.testing.assert_frame_equal(pd.read_csv(bonds_csv), bonds, rtol=1e-5)


def test_bonds_name_the_atoms_by_their_numbers(series):
    folder, atoms = series
    run(folder, "--bonds", folder / "bonds.csv")
    bonds = pd.read_csv(folder / "bonds.csv")
    places = atoms.set_index(["frame", "atom"])[["x_A", "y_A"]]
    ends = [
        places.loc[list(zip(bonds["frame"], bonds[end], strict=True))].to_numpy()
        for end in ("atom_1", "atom_2")
    ]
    assert_allclose(np.linalg.norm(ends[0] - ends[1], axis=1), bonds["length_A"], rtol=1e-5)


def test_one_line_tells_what_was_found_and_one_warns(series, capsys):
    folder, _ = series
    run(folder)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "no atom matches the template in frame 1"
    assert lines[1].startswith("259 atoms, 46.3 % matched, scale 1.00")
    assert "bond length 1.42" in lines[1]
    assert len(lines) == 2


def test_series_without_atoms_gives_empty_tables_and_a_warning(tmp_path, capsys):
    write_atoms(tmp_path / "atoms.h5", frame_table(0, np.empty((0, 2))))
    assert run(tmp_path, "--hdf5", tmp_path / "strain.h5") == 0
    assert "no atoms" in capsys.readouterr().err
    assert pd.read_csv(tmp_path / "strain.csv").shape == (0, 14)
    with sealed.open_to_read(tmp_path / "strain.h5") as file:
        assert len(tables.read_table(file, "bonds")) == len(tables.read_table(file, "rings")) == 0


def test_series_of_single_atoms_gives_empty_fields(tmp_path, capsys):
    write_atoms(tmp_path / "atoms.h5", frame_table(0, np.zeros((1, 2))))
    assert run(tmp_path) == 0
    assert "1 atoms, 0.0 % matched" in capsys.readouterr().err
    assert pd.read_csv(tmp_path / "strain.csv")[STRAIN_COLUMNS].isna().all(axis=None)


def test_the_bond_without_strain_is_that_of_the_material_unless_one_is_given(series, monkeypatch):
    folder, _ = series

    def strain_along_x(*more, **settings):
        assert run(folder, *more, reference="absolute", **settings) == 0
        table = pd.read_csv(folder / "strain.csv")
        return table.loc[table["frame"] == 0, "e_xx"].mean()

    monkeypatch.setattr(mos2, "BOND_A", BOND_A / 1.01, raising=False)
    assert_allclose(strain_along_x(), 0, atol=1e-6)
    assert_allclose(strain_along_x("--material", "mos2"), 0.01, atol=1e-4)
    assert_allclose(strain_along_x("--material", "mos2", bond_A=BOND_A / 1.02), 0.02, atol=1e-4)


def test_a_material_without_a_bond_length_needs_one_in_the_settings(series, capsys):
    folder, _ = series
    assert run(folder, "--material", "nanoparticle") == 1
    message = capsys.readouterr().err
    assert "nanoparticle has no bond length; set strain.bond_A" in message
