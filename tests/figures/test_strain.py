"""Strain of series: what stands in its rows."""

import made_files
import numpy as np
import pages
import pandas as pd
from made_graphene import PIXEL_A, row
from matplotlib.colors import to_rgba

from atomsight.figures import strain
from atomsight.figures.parts import style

SCORES = {"f1": 0.9876, "rms_error_A": 0.0432, "planar_rms": 0.0051}


def test_a_larger_frame_has_two_insets_with_scale_bars_of_their_own():
    figure = strain.draw([row(), row((640, 640))])
    pages.assert_shows(figure)
    assert len(pages.maps(figure)) == 3 + 3 + 2


def test_a_frame_without_atoms_says_so():
    full = row()
    empty = row(atoms=full.atoms[:0], rings=full.rings[:0], bond_lengths_A=np.empty(0))
    pages.assert_shows(strain.draw([empty]), "no atoms found", "0 atoms")


def test_simulated_rows_say_that_they_are_and_how_well_they_did():
    said = strain.facts(row(scores=SCORES))
    for part in ("simulated", "F1 0.988", "4.3 pm", "0.51 %"):
        assert part in said
    assert "simulated" not in strain.facts(row())


def test_scores_that_were_not_measured_are_left_out():
    said = strain.facts(row(scores=SCORES | {"planar_rms": np.nan}))
    assert "strain" not in said
    assert "nan" not in said


def test_bond_lengths_are_written_with_their_spread_and_number():
    lengths = row().bond_lengths_A
    said = f"{lengths.mean():.3f} ± {lengths.std():.3f} Å\n400 bonds"
    pages.assert_shows(strain.draw([row()]), said)


def test_all_rows_share_one_symmetric_scale_of_strain():
    calm = row()
    wild = row(atoms=calm.atoms.assign(planar=5 * calm.atoms["planar"]))
    figure = strain.draw([calm, wild])
    (scale,) = (axes for axes in figure.axes if axes.get_xlabel() == "planar strain (%)")
    low, high = scale.get_xlim()
    assert low == -high == -5


def test_strain_is_red_where_stretched_and_grey_where_unknown():
    atoms = pd.DataFrame(
        {"x_A": [1.0, 5.0, 9.0], "y_A": [1.0, 1.0, 1.0], "planar": [0.01, -0.01, np.nan]}
    )
    colours = strain.strain_cells(row(atoms=atoms), PIXEL_A, limit_percent=1)
    stretched, squeezed, unknown = (colours[8, round(x / PIXEL_A)] for x in (1, 5, 9))
    assert stretched[0] > stretched[2]
    assert squeezed[2] > squeezed[0]
    np.testing.assert_allclose(unknown, to_rgba(style.MUTED))
    np.testing.assert_allclose(colours[100, 100], 1)  # No atom is near.


def test_a_large_frame_is_enlarged_at_a_defect_where_the_inset_does_not_cover_it():
    rings = pd.DataFrame({"x_A": [20.0, 70.0], "y_A": [30.0, 10.0], "size": [5, 7]})
    large = row((640, 640), rings=rings)
    assert strain.needs_zoom(large)
    assert not strain.needs_zoom(row())
    rows, columns = strain.zoom_window(large)
    assert rows.start * PIXEL_A < 30 < rows.stop * PIXEL_A
    assert columns.start * PIXEL_A < 20 < columns.stop * PIXEL_A
    assert columns.stop <= 320


def test_names_and_notes_are_not_read_as_formulas():
    pages.assert_shows(strain.draw([row(name=r"$\a$", notes="10 $ and 20 $")]), "10 $ and 20 $")


def test_the_frame_asked_for_is_read(tmp_path):
    made = made_files.strain(tmp_path)
    files = [made[kind]["sheet"] for kind in ("frames", "maps", "strain")]
    first = strain.read_row("one", "notes", files, 0, made["scores"]["sheet"])
    assert len(first.atoms) == len(row().atoms)
    assert first.scores["f1"] == 0.99
    assert np.isnan(first.scores["planar_rms"])
    second = strain.read_row("one", "notes", files, 1, None)
    assert len(second.atoms) == len(second.bond_lengths_A) == 0
