"""An edit reruns what it affects."""

from pathlib import Path

import locate_atoms
from atomsight.orchestration.source_files import source_files

SCRIPTS = Path(locate_atoms.__file__).parent


def names(script, *modules):
    files = source_files(SCRIPTS / script, *map(SCRIPTS.joinpath, modules))
    return [str(path.relative_to(SCRIPTS)) for path in files]


def test_a_script_depends_on_the_modules_it_imports_and_on_theirs():
    found = names("locate_atoms.py")
    assert found[0] == "locate_atoms.py"
    used = ("reading/segmentation.py", "files/sealed.py", "files/records.py")
    assert {f"atomsight/{file}" for file in used} <= set(found)
    assert len(found) == len(set(found))
    assert "atomsight/analysis/strain.py" not in found


def test_a_kind_of_a_script_depends_on_its_own_module_only():
    found = names("evaluate.py", "atomsight/evaluation/background.py")
    assert found[0] == "evaluate.py"
    assert "atomsight/phantoms/films.py" in found
    assert "atomsight/evaluation/heights.py" not in found
    assert "atomsight/phantoms/films.py" not in names("evaluate.py")


def test_packages_and_imports_inside_functions_are_followed():
    assert "atomsight/materials/__init__.py" in names("make_structures.py")
    assert "atomsight/reading/micrographs/series.py" in names("import_series.py")
    assert "atomsight/reading/inference.py" in names("map_classes.py")
    assert "atomsight/learning/training.py" not in names("map_classes.py")


def test_imports_in_brackets_are_followed(tmp_path):
    library = tmp_path / "atomsight"
    library.mkdir()
    for name in ("__init__", "one", "two", "three"):
        (library / f"{name}.py").write_text("")
    (library / "one.py").write_text('"""Text from atomsight that is no import of it."""\n')
    script = tmp_path / "script.py"
    script.write_text("from atomsight import (\n    one,  # first\n    two as second,\n)\n")
    found = {path.name for path in source_files(script)}
    assert found == {"script.py", "__init__.py", "one.py", "two.py"}
