"""Exit waves: what is kept, and what they say of the specimen."""

import dataclasses
from pathlib import Path

import ase
import numpy as np
import pytest
import yaml
from made_inputs import flat_molecule

import simulate_waves
from atomsight.config.training import WaveSettings
from atomsight.files import layout
from atomsight.imaging.waves import band_limited, simulate_spectra, thermal_displacements_A

SETTINGS = WaveSettings(sampling_A=0.1)
CELL_A = (12.0, 10.0)
ATOM = flat_molecule([(3, 7)], CELL_A)
CENTRAL = flat_molecule([(6, 5)], CELL_A)


def phase_at(spectrum, x, y):
    half_y, half_x = (size // 2 for size in spectrum.shape)
    k_y = np.arange(-half_y, half_y + 1) / CELL_A[1]
    k_x = np.arange(-half_x, half_x + 1) / CELL_A[0]
    return np.angle(np.exp(2j * np.pi * k_y * y) @ spectrum @ np.exp(2j * np.pi * k_x * x))


def test_the_phase_peaks_at_the_atom_in_image_axes():
    """x along the columns, y along the rows: an off-centre atom catches a transposition."""
    spectrum = simulate_spectra(ATOM, SETTINGS, 80e3)[0]
    here = phase_at(spectrum, 3.0, 7.0)
    assert here > 5 * abs(phase_at(spectrum, 7.0, 3.0))
    assert here > phase_at(spectrum, 3.2, 7.0)
    assert here > phase_at(spectrum, 3.0, 6.8)


def test_electrons_are_not_lost_below_the_information_limit():
    spectrum = simulate_spectra(ATOM, SETTINGS, 80e3)[0]
    assert np.sum(np.abs(spectrum) ** 2) == pytest.approx(1, abs=1e-3)


def test_snapshots_of_frozen_atoms_differ_and_come_again():
    hot = SETTINGS.but(displacement_A={"C": (0.2, 0.2)}, frozen_phonons=3)
    snapshots = simulate_spectra(CENTRAL, hot, 80e3, seed=1)
    assert snapshots.shape[0] == 3
    assert np.abs(snapshots[0] - snapshots[1]).max() > 2e-4
    np.testing.assert_array_equal(snapshots, simulate_spectra(CENTRAL, hot, 80e3, seed=1))


def test_heat_blurs_the_potential_as_the_mean_of_many_snapshots_does():
    """For a single light atom the elastic wave is linear in the potential."""
    still, hot = (SETTINGS.but(displacement_A={"C": (rms_A, rms_A)}) for rms_A in (0.0, 0.2))
    sharp, blurred, mean = (
        phase_at(simulate_spectra(CENTRAL, chosen, 80e3, seed=1).mean(axis=0), 6, 5)
        for chosen in (still, hot, hot.but(frozen_phonons=200))
    )
    assert blurred < 0.8 * sharp
    assert mean == pytest.approx(blurred, rel=0.1)


def test_an_element_that_is_not_named_moves_as_most_do():
    named, other = (
        SETTINGS.but(displacement_A={"C": (0.06, 0.11)}),
        SETTINGS.but(displacement_A={"Si": (0.07, 0.07)}),
    )
    spectra = [simulate_spectra(ATOM, chosen, 80e3) for chosen in (named, other)]
    np.testing.assert_array_equal(*spectra)


def test_specimens_are_as_hot_as_they_happen_to_be_and_all_their_elements_alike():
    chosen = SETTINGS.but(displacement_A={"Au": (0.07, 0.11), "C": (0.0, 0.2)})
    both = ase.Atoms("AuC")
    drawn = [thermal_displacements_A(both, chosen, seed) for seed in range(200)]
    gold, carbon = (np.array([one[symbol] for one in drawn]) for symbol in ("Au", "C"))
    assert 0.07 <= gold.min() < 0.073
    assert 0.107 < gold.max() <= 0.11
    np.testing.assert_allclose((gold - 0.07) / 0.04, carbon / 0.2)
    spectra = [np.abs(simulate_spectra(ATOM, chosen, 80e3, seed)[0]) for seed in (0, 1)]
    assert np.abs(spectra[0] - spectra[1]).max() > 1e-5


def test_a_stored_wave_is_small():
    spectrum = band_limited(np.ones((360, 360), complex), np.array([43.2, 43.2]), 1.6)
    assert spectrum.nbytes <= 200_000
    assert spectrum[69, 69] == pytest.approx(1)


def test_a_grid_too_coarse_for_the_band_limit_is_refused():
    with pytest.raises(ValueError, match=r"does not carry 1\.6 1/Å.*lower sampling_A or k_max"):
        simulate_spectra(ATOM, SETTINGS.but(sampling_A=0.3), 80e3)


def test_waves_survive_their_file(tmp_path):
    files = tmp_path / "structures.h5", tmp_path / "waves.h5"
    structures = [ATOM, flat_molecule([(3, 7), (8, 2)], CELL_A)]
    layout.write_structures(files[0], enumerate(structures), {})
    assert simulate_waves.main([*map(str, files), "--energy", "80000"]) == 0
    waves = layout.read_waves([files[1], files[1]])
    assert waves.spectra.shape[0] == 4
    assert [len(sites) for sites in waves.sites] == [1, 2, 1, 2]
    np.testing.assert_array_equal(waves.sites[3], structures[1].sites)
    assert waves.energy_eV == 80e3


def test_a_shard_that_fails_names_the_structure(tmp_path, capsys):
    files = tmp_path / "structures.h5", tmp_path / "waves.h5"
    layout.write_structures(files[0], [(9, ATOM)], {})
    coarse = ["--energy", "80000", "--settings", '{"sampling_A": 0.3}']
    assert simulate_waves.main([*map(str, files), *coarse]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: structure 9: ")
    assert "does not carry 1.6 1/Å" in error
    assert error.rstrip().endswith("lower sampling_A or k_max_per_A")
    assert not files[1].exists()


def test_waves_to_count_with_tell_nine_atoms_of_gold_from_ten():
    """The wave behind nine atoms is right to a tenth of what one atom changes."""
    text = (Path(__file__).parents[2] / "config" / "config.yaml").read_text(encoding="utf-8")
    grid = yaml.safe_load(text)["models"]["gold_heights_laptop"]["waves"]
    chosen = WaveSettings.parse(grid | {"displacement_A": {"Au": [0.085, 0.085]}}, "waves")
    converged = chosen.but(sampling_A=0.04, slice_thickness_A=0.25)
    error = abs(column_amplitude(9, chosen) - column_amplitude(9, converged))
    atom = abs(column_amplitude(10, converged) - column_amplitude(9, converged))
    assert error < 0.1 * atom


def column_amplitude(count, settings):
    """What a column of gold along <110> adds to the wave, within 2 Å of it."""
    atoms = flat_molecule([(4.04, 4.02)] * count, (8, 8), number=79)
    atoms.positions[:, 2] = 2.0 + 2.884 * np.arange(count)
    column = dataclasses.replace(atoms, cell_A=np.array([8.0, 8.0, 36.0]))
    spectrum = simulate_spectra(column, settings, 300e3)[0]
    grid = np.zeros((80, 80), complex)
    orders = np.arange(len(spectrum)) - len(spectrum) // 2
    grid[np.ix_(orders, orders)] = spectrum
    y, x = 0.1 * np.indices((80, 80))
    near = np.hypot(y - 4.02, x - 4.04) < 2
    return (np.fft.ifft2(grid, norm="forward") - 1)[near].sum()
