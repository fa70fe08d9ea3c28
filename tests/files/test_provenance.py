"""Provenance: every result tells by what code, settings and files it was made."""

import json
import subprocess
from pathlib import Path

import h5py
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from atomsight import command_line
from atomsight.figures.parts import style
from atomsight.files import provenance, sealed, tables


@command_line.script
def first(argv):
    """Make a file from a seed."""
    made_by = provenance.made_by("first.py", {"width": 2}, seed=7)
    with sealed.create(argv[0], made_by) as file:
        file["numbers"] = [1, 2, 3]


@command_line.script
def second(argv):
    """Make a table and a figure from that file."""
    source, table, picture = argv[:3]
    with sealed.open_to_read(source) as file:
        tables.write_csv(table, pd.DataFrame({"number": file["numbers"][...]}))
    style.save(Figure((1, 1)), picture)


@command_line.script
def third(argv):
    """Make a file from the table."""
    source, target = argv
    provenance.note_input(source)
    with sealed.create(target, provenance.made_by("third.py", {})) as file:
        file["sum"] = pd.read_csv(source)["number"].sum()


def make(folder):
    files = {name: folder / name for name in ("a.h5", "b.csv", "b.png", "c.h5")}
    data, table, figure, total = map(str, files.values())
    assert first([data]) == 0
    given = ["--settings", '{"threshold": 0.5}', "--dose", "1000.5"]
    assert second([data, table, figure, *given]) == 0
    assert third([table, total]) == 0
    return files


def attributes(path):
    with h5py.File(path) as file:
        return dict(file.attrs)


def test_a_result_tells_the_seeds_and_settings_of_all_that_it_was_made_from(tmp_path):
    files = make(tmp_path)
    kept = attributes(files["c.h5"])
    table, data = json.loads(kept["inputs"])
    assert table["file"] == "b.csv"
    assert table["sha256"] == provenance.file_sha256(files["b.csv"])
    assert table["made_by"] == "test_provenance.py"
    assert data["file"] == "a.h5"
    assert data["sha256"] == sealed.check_seal(files["a.h5"])
    assert (data["made_by"], data["seed"], data["settings"]) == ("first.py", 7, {"width": 2})
    assert data["git"] == kept["git"] == provenance.git_state()


def test_tables_and_figures_tell_the_same(tmp_path):
    files = make(tmp_path)
    beside = json.loads((tmp_path / "b.csv.json").read_text())
    inside = json.loads(Image.open(files["b.png"]).text["provenance"])
    assert beside == inside
    assert beside["arguments"] == ["--settings", '{"threshold": 0.5}', "--dose", "1000.5"]
    assert [entry["file"] for entry in beside["inputs"]] == ["a.h5"]
    assert "numpy" in beside["versions"]


def test_the_same_input_gives_the_same_bytes_in_whatever_folder(tmp_path):
    made = []
    for name in ("one", "another"):
        (tmp_path / name).mkdir()
        files = make(tmp_path / name)
        made.append({name: path.read_bytes() for name, path in files.items()})
        made[-1]["beside"] = (tmp_path / name / "b.csv.json").read_bytes()
    assert made[0] == made[1]
    assert all(str(tmp_path).encode() not in content for content in made[0].values())


def test_without_a_script_nothing_is_written_beside_a_table(tmp_path):
    tables.write_csv(tmp_path / "table.csv", pd.DataFrame({"number": [1]}))
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_thousands_of_inputs_are_summed_up(tmp_path):
    """An attribute of HDF5 holds 64 kB; whichever input changes, the sum does."""
    told = []
    for last in ("a", "b"):
        with provenance.noting("script.py", []):
            for number in range(2000):
                provenance.note_input(f"{number}.h5", f"{number:064d}", {})
            provenance.note_input("last.h5", last * 64, {})
            with sealed.create(tmp_path / "many.h5", {}):
                pass
        told.append(json.loads(attributes(tmp_path / "many.h5")["inputs"]))
    (one,), (other,) = told
    assert one["file"] == "0.h5 and 2000 more"
    assert one["sha256"] != other["sha256"]


def test_long_settings_are_left_out_before_a_file_is(tmp_path):
    settings = {"settings": {"ranges": list(range(300))}, "seed": 4, "made_by": "first.py"}
    with provenance.noting("script.py", []):
        for number in range(90):
            provenance.note_input(f"{number}.h5", f"{number:064d}", settings)
        listed = provenance.inputs()
    assert [entry["file"] for entry in listed] == [f"{number}.h5" for number in range(90)]
    assert all(entry["seed"] == 4 and "settings" not in entry for entry in listed)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    (tmp_path / "Snakefile").write_text("")
    monkeypatch.setattr(provenance, "_ROOT", tmp_path)
    provenance.git_state.cache_clear()
    yield tmp_path
    provenance.git_state.cache_clear()


def git(folder, *words):
    who = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
    return subprocess.run(
        ["git", "-C", folder, *who, *words], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_commit_is_told_and_whether_files_were_changed_since(repository):
    git(repository, "init", "--quiet")
    git(repository, "add", "Snakefile")
    git(repository, "commit", "--quiet", "--message=first")
    git(repository, "tag", "v1")
    commit = git(repository, "rev-parse", "HEAD")
    assert provenance.git_state() == commit
    (repository / "Snakefile").write_text("changed")
    provenance.git_state.cache_clear()
    assert provenance.git_state() == f"{commit}-dirty"


def test_code_outside_of_a_repository_is_unknown(repository, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(repository.parent))
    assert provenance.git_state() == "unknown"
    provenance.git_state.cache_clear()
    monkeypatch.setenv("PATH", str(Path(repository) / "no_git_here"))
    assert provenance.git_state() == "unknown"
