"""The flagship: what stands in its rows, and what its script refuses."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from matplotlib.text import Text
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar

import plot_strain
from atomsight.figures import strain_rows, style
from atomsight.files import layout, sealed, tables

PIXEL_A = 0.12
SCORES = {"f1": 0.9876, "rms_error_A": 0.0432, "planar_rms": 0.0051}


def lattice(size_A):
    """Atoms of graphene in a square."""
    rows, columns = np.mgrid[-60:60, -60:60]
    cells = np.stack([columns + rows / 2, rows * np.sqrt(3) / 2], axis=-1).reshape(-1, 2)
    sublattices = np.concatenate([cells, cells + np.array([0, 1 / np.sqrt(3)])])
    atoms = 1.42 * np.sqrt(3) * sublattices + size_A / 2
    return atoms[((atoms > 0) & (atoms < size_A)).all(axis=1)]


def row(shape=(160, 160), **changes):
    rng = np.random.default_rng(1)
    atoms = lattice(shape[0] * PIXEL_A)
    planar = np.where(atoms[:, 0] < 3, np.nan, 0.01 * np.sin(atoms[:, 1]))
    made = strain_rows.SeriesRow(
        name="sheet",
        notes="a sheet",
        image=rng.poisson(20, shape).astype("float32"),
        usable=np.ones(shape, bool),
        foreground=rng.random(shape, "float32"),
        pixel_size_A=PIXEL_A,
        atoms=pd.DataFrame({"x_A": atoms[:, 0], "y_A": atoms[:, 1], "planar": planar}),
        bond_lengths_A=rng.normal(1.42, 0.03, 400),
        rings=pd.DataFrame({"x_A": [9.0, 5.0], "y_A": [8.0, 4.0], "size": [5, 7]}),
    )
    return dataclasses.replace(made, **changes)


def without_atoms():
    full = row()
    return row(atoms=full.atoms[:0], rings=full.rings[:0], bond_lengths_A=np.empty(0))


def words(figure):
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def test_every_image_has_a_scale_bar():
    figure = strain_rows.draw([row(), row((640, 640))])
    shown = [axes for axes in figure.findobj(lambda artist: hasattr(artist, "images"))]
    pictures = [axes for axes in shown if axes.images and axes.get_label() != "<colorbar>"]
    assert len(pictures) == 3 + 3 + 2  # The larger frame has two insets.
    for axes in pictures:
        assert sum(isinstance(child, AnchoredSizeBar) for child in axes.get_children()) == 1


def test_the_same_rows_give_the_same_bytes(tmp_path):
    for name in ("one.png", "two.png"):
        style.save(strain_rows.draw([row(), without_atoms()]), tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_a_frame_without_atoms_says_so(tmp_path):
    figure = strain_rows.draw([without_atoms()])
    assert "no atoms found" in words(figure)
    assert "0 atoms" in words(figure)
    style.save(figure, tmp_path / "empty.png")


def test_simulated_rows_say_that_they_are_and_how_well_they_did():
    said = strain_rows.facts(row(scores=SCORES))
    for part in ("simulated", "F1 0.988", "4.3 pm", "0.51 %"):
        assert part in said
    assert "simulated" not in strain_rows.facts(row())


def test_scores_that_were_not_measured_are_left_out():
    said = strain_rows.facts(row(scores=SCORES | {"planar_rms": np.nan}))
    assert "strain" not in said
    assert "nan" not in said


def test_bond_lengths_are_written_with_their_spread_and_number():
    lengths = row().bond_lengths_A
    written = words(strain_rows.draw([row()]))
    assert f"{lengths.mean():.3f} ± {lengths.std():.3f} Å\n400 bonds" in written


def test_all_rows_share_one_symmetric_scale_of_strain():
    calm = row()
    wild = row(atoms=calm.atoms.assign(planar=5 * calm.atoms["planar"]))
    figure = strain_rows.draw([calm, wild])
    (scale,) = (axes for axes in figure.axes if axes.get_xlabel() == "planar strain (%)")
    low, high = scale.get_xlim()
    assert low == -high == -5


def test_strain_is_red_where_stretched_and_grey_where_unknown():
    atoms = pd.DataFrame(
        {"x_A": [1.0, 5.0, 9.0], "y_A": [1.0, 1.0, 1.0], "planar": [0.01, -0.01, np.nan]}
    )
    colours = strain_rows.strain_cells(row(atoms=atoms), PIXEL_A, limit_percent=1)
    stretched, squeezed, unknown = (colours[8, round(x / PIXEL_A)] for x in (1, 5, 9))
    assert stretched[0] > stretched[2]
    assert squeezed[2] > squeezed[0]
    np.testing.assert_allclose(unknown, to_rgba(style.MUTED))
    np.testing.assert_allclose(colours[100, 100], 1)  # No atom is near.


def test_a_large_frame_is_enlarged_at_a_defect_where_the_inset_does_not_cover_it():
    rings = pd.DataFrame({"x_A": [20.0, 70.0], "y_A": [30.0, 10.0], "size": [5, 7]})
    large = row((640, 640), rings=rings)
    assert strain_rows.needs_zoom(large)
    assert not strain_rows.needs_zoom(row())
    rows, columns = strain_rows.zoom_window(large)
    assert rows.start * PIXEL_A < 30 < rows.stop * PIXEL_A
    assert columns.start * PIXEL_A < 20 < columns.stop * PIXEL_A
    assert columns.stop <= 320


def test_names_and_notes_are_not_read_as_formulas(tmp_path):
    figure = strain_rows.draw([row(name=r"$\a$", notes="10 $ and 20 $")])
    style.save(figure, tmp_path / "dollars.png")
    assert "10 $ and 20 $" in words(figure)


@pytest.fixture
def files(tmp_path):
    """Frames, maps and strain of a series of two frames, and its scores."""
    made = row()
    paths = [str(tmp_path / f"{name}.h5") for name in ("frames", "maps", "strain")]
    with sealed.create(paths[0], {}) as file:
        images, usable = layout.create_frames(file, (2, 160, 160), PIXEL_A, PIXEL_A, ["a", "b"])
        images[:], usable[:] = made.image, made.usable
    with sealed.create(paths[1], {}) as file:
        maps = layout.create_maps(file, (2, 160, 160, 2), PIXEL_A, ["background", "atom"], 0.4, {})
        maps[:] = np.stack([1 - made.foreground, made.foreground], axis=-1)
    bonds = pd.DataFrame({"length_A": made.bond_lengths_A})
    with sealed.create(paths[2], {}) as file:
        for name, table in (("strain", made.atoms), ("bonds", bonds), ("rings", made.rings)):
            tables.write_table(file, name, table.assign(frame=0))
    scores = tmp_path / "scores.csv"
    scores.write_text("frame,f1,rms_error_A\n0,0.99,0.04\n")
    return paths, str(scores)


def test_the_script_draws_a_row_per_series(files, tmp_path):
    paths, scores = files
    out = tmp_path / "strain.png"
    series = ["--series", "one", *paths, "--series", "two", *paths]
    assert plot_strain.main([str(out), *series, "--scores", f"two={scores}"]) == 0
    assert out.read_bytes()[:4] == b"\x89PNG"


def test_the_script_reads_the_frame_asked_for(files):
    (frames, maps, strain), scores = files
    first = plot_strain.read_row("one", [frames, maps, strain], 0, "notes", scores)
    assert len(first.atoms) == len(row().atoms)
    assert first.scores["f1"] == 0.99
    assert np.isnan(first.scores["planar_rms"])
    second = plot_strain.read_row("one", [frames, maps, strain], 1, "notes", None)
    assert len(second.atoms) == len(second.bond_lengths_A) == 0


def cut_maps(paths):
    with sealed.change(paths[1]) as file:
        maps = file["maps"][:, :100]
        del file["maps"]
        file["maps"] = maps


@pytest.mark.parametrize(
    ("more", "spoil", "message"),
    [
        ([], lambda paths: paths.__setitem__(0, "absent.h5"), "absent.h5: the file does not exist"),
        ([], lambda paths: paths.__setitem__(2, paths[0]), "not the kind of file"),
        ([], cut_maps, "not the maps of"),
        (["--frame", "2"], None, "there is no frame 2; they run to 1"),
        (["--title", "three=x"], None, "there is no series 'three'"),
        (["--title", "one"], None, "not of the form NAME=VALUE"),
        (["--scores", "one=absent.csv"], None, "absent.csv: the file does not exist"),
    ],
)
def test_the_script_says_in_one_sentence_what_is_wrong(
    files, tmp_path, capsys, more, spoil, message
):
    paths, _ = files
    if spoil:
        spoil(paths)
    out = tmp_path / "out" / "strain.png"
    assert plot_strain.main([str(out), "--series", "one", *paths, *more]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not out.exists()


def test_the_script_shows_its_example(run_script):
    done = run_script("plot_strain.py", "--help")
    assert done.returncode == 0
    assert "--title boundary=" in done.stdout
