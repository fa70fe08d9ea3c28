"""Exit waves: what is kept, and what they say of the specimen."""

from pathlib import Path

import numpy as np
import pytest
import yaml

import simulate_waves
from atomsight.config.training import WaveSettings
from atomsight.files import layout
from atomsight.files.records import Structure
from atomsight.imaging.waves import band_limited, simulate_spectra

SETTINGS = WaveSettings(
    sampling_A=0.1,
    slice_thickness_A=1.0,
    k_max_per_A=1.6,
    displacement_A={"C": 0.07},
    frozen_phonons=0,
)


def specimen(*positions, cell_A=(12.0, 10.0, 4.0), number=6):
    positions = np.array(positions, float)
    return Structure(
        positions=positions,
        numbers=np.full(len(positions), number),
        cell_A=np.array(cell_A),
        sites=positions[:, :2],
        classes=np.ones(len(positions), dtype=int),
    )


def phase_at(spectrum, cell_A, x, y):
    half_y, half_x = (size // 2 for size in spectrum.shape)
    k_y = np.arange(-half_y, half_y + 1) / cell_A[1]
    k_x = np.arange(-half_x, half_x + 1) / cell_A[0]
    return np.angle(np.exp(2j * np.pi * k_y * y) @ spectrum @ np.exp(2j * np.pi * k_x * x))


def test_the_phase_peaks_at_the_atom_in_image_axes():
    """x along the columns, y along the rows: an off-centre atom catches a transposition."""
    spectrum = simulate_spectra(specimen([3.0, 7.0, 2.0]), SETTINGS, 80e3)[0]
    here = phase_at(spectrum, (12.0, 10.0), 3.0, 7.0)
    assert here > 5 * abs(phase_at(spectrum, (12.0, 10.0), 7.0, 3.0))
    assert here > phase_at(spectrum, (12.0, 10.0), 3.2, 7.0)
    assert here > phase_at(spectrum, (12.0, 10.0), 3.0, 6.8)


def test_electrons_are_not_lost_below_the_information_limit():
    spectrum = simulate_spectra(specimen([3.0, 7.0, 2.0]), SETTINGS, 80e3)[0]
    assert np.sum(np.abs(spectrum) ** 2) == pytest.approx(1, abs=1e-3)


def test_heat_blurs_the_potential():
    atom = specimen([6.0, 5.0, 2.0])
    cold = simulate_spectra(atom, SETTINGS.but(displacement_A={"C": 0.0}), 80e3)[0]
    hot = simulate_spectra(atom, SETTINGS.but(displacement_A={"C": 0.3}), 80e3)[0]
    assert phase_at(hot, (12.0, 10.0), 6, 5) < 0.8 * phase_at(cold, (12.0, 10.0), 6, 5)


def test_snapshots_of_frozen_atoms_differ_and_come_again():
    atom = specimen([6.0, 5.0, 2.0])
    hot = SETTINGS.but(displacement_A={"C": 0.2}, frozen_phonons=3)
    snapshots = simulate_spectra(atom, hot, 80e3, seed=1)
    assert snapshots.shape[0] == 3
    assert np.abs(snapshots[0] - snapshots[1]).max() > 2e-4
    np.testing.assert_array_equal(snapshots, simulate_spectra(atom, hot, 80e3, seed=1))


def test_the_mean_of_many_snapshots_is_the_blurred_wave():
    """For a single light atom the elastic wave is linear in the potential."""
    atom = specimen([6.0, 5.0, 2.0])
    still = SETTINGS.but(displacement_A={"C": 0.0})
    hot = SETTINGS.but(displacement_A={"C": 0.2})
    snapshots = simulate_spectra(atom, hot.but(frozen_phonons=200), 80e3, seed=1)
    blurred, sharp, mean = (
        phase_at(spectrum, (12.0, 10.0), 6, 5)
        for spectrum in (
            simulate_spectra(atom, hot, 80e3)[0],
            simulate_spectra(atom, still, 80e3)[0],
            snapshots.mean(axis=0),
        )
    )
    assert blurred < 0.8 * sharp
    assert mean == pytest.approx(blurred, rel=0.1)


def test_a_stored_wave_is_small():
    spectrum = band_limited(np.ones((360, 360), complex), np.array([43.2, 43.2]), 1.6)
    assert spectrum.nbytes <= 200_000
    assert spectrum[69, 69] == pytest.approx(1)


def test_a_grid_too_coarse_for_the_band_limit_is_refused():
    with pytest.raises(ValueError, match=r"does not carry 1\.6 1/Å"):
        simulate_spectra(specimen([3.0, 7.0, 2.0]), SETTINGS.but(sampling_A=0.3), 80e3)[0]


def test_waves_survive_their_file(tmp_path):
    files = tmp_path / "structures.h5", tmp_path / "waves.h5"
    structures = [specimen([3.0, 7.0, 2.0]), specimen([3.0, 7.0, 2.0], [8.0, 2.0, 2.0])]
    layout.write_structures(files[0], enumerate(structures), {})
    assert simulate_waves.main([*map(str, files), "--energy", "80000"]) == 0
    waves = layout.read_waves([files[1], files[1]])
    assert waves.spectra.shape[0] == 4
    assert [len(sites) for sites in waves.sites] == [1, 2, 1, 2]
    np.testing.assert_array_equal(waves.sites[3], structures[1].sites)
    assert waves.energy_eV == 80e3


def test_a_shard_that_fails_names_the_structure(tmp_path, capsys):
    files = tmp_path / "structures.h5", tmp_path / "waves.h5"
    structures = [(4, specimen([3.0, 7.0, 2.0])), (9, specimen([3.0, 7.0, 2.0], number=79))]
    layout.write_structures(files[0], structures, {})
    assert simulate_waves.main([*map(str, files), "--energy", "80000"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: structure 9: ")
    assert "no thermal displacement is set for Au" in error
    assert not files[1].exists()


def test_waves_to_count_with_tell_nine_atoms_of_gold_from_ten():
    """A grid of 0.125 Å, once the default, is off by more than an atom."""
    text = (Path(__file__).parents[2] / "config" / "config.yaml").read_text(encoding="utf-8")
    grid = yaml.safe_load(text)["models"]["gold_heights_laptop"]["waves"]
    chosen = WaveSettings(**grid, frozen_phonons=0)
    converged = chosen.but(sampling_A=0.05, slice_thickness_A=0.5)
    error = abs(column_amplitude(9, chosen) - column_amplitude(9, converged))
    atom = abs(column_amplitude(10, converged) - column_amplitude(9, converged))
    assert error < 0.4 * atom


def column_amplitude(count, settings):
    """What a column of gold along <110> adds to the wave, within 2 Å of it."""
    heights = 2.0 + 2.884 * np.arange(count)
    cell_A = (8.0, 8.0, 36.0)
    column = specimen(*[(4.04, 4.02, height) for height in heights], cell_A=cell_A, number=79)
    spectrum = simulate_spectra(column, settings, 300e3)[0]
    grid = np.zeros((80, 80), complex)
    orders = np.arange(len(spectrum)) - len(spectrum) // 2
    grid[np.ix_(orders, orders)] = spectrum
    y, x = np.meshgrid(np.arange(80) * 0.1, np.arange(80) * 0.1, indexing="ij")
    near = np.hypot(y - 4.02, x - 4.04) < 2
    return (np.fft.ifft2(grid, norm="forward") - 1)[near].sum()
