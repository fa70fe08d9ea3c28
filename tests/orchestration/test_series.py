"""What rules ask about the rows of the sheet."""

import pytest

from atomsight.errors import InputError

MADE = "results/acquisitions/simulated_"
#: A real and a simulated series of each kind that matters.
ROWS = (
    ("sheet", "images/a.tif", "graphene", 0.108, "", "", "mask.png"),
    ("pristine", f"{MADE}pristine.tif", "graphene_laptop"),
    ("particle", "frames/*.tif", "gold", 0.125, 300, "", "mask.png"),
    ("vacuum", f"{MADE}gold_vacuum.tif", "gold_laptop", "", 300),
    ("counted", f"{MADE}gold_heights.tif", "gold_heights_laptop", "", 9, "-170,-40,90"),
)


@pytest.fixture
def series(opened):
    return opened(*ROWS).series


def test_series_are_told_apart_by_what_their_model_finds(series):
    assert series.read_by("atoms") == ["sheet", "pristine"]
    assert series.read_by("columns") == ["particle", "vacuum"]
    assert series.read_by("heights") == ["counted"]
    assert series.read_by("species") == []


def test_simulated_series_have_a_truth_and_the_others_are_the_users_own(series):
    assert series.simulated("acquisitions") == ["pristine"]
    assert series.simulated("sequences") == ["vacuum"]
    assert series.simulated("focal_series") == ["counted"]
    assert series.own() == ["sheet", "particle"]
    assert series.truth("vacuum", "sequences") == [f"{MADE}gold_vacuum_truth.h5"]
    assert series.truth("vacuum") == series.truth("vacuum", "sequences")
    assert series.truth("vacuum", "acquisitions") == []
    assert series.truth("particle") == []
    assert series.simulations()["simulated_mos2"] == "focal_series"


def test_an_image_beside_the_simulated_ones_is_the_users_own(opened):
    rows = [("mine", "results/acquisitions/mine.tif", "graphene")]
    rows += [("elsewhere", "images/simulated_pristine.tif", "graphene")]
    assert opened(*rows).series.own() == ["mine", "elsewhere"]


def test_a_glob_is_all_files_in_order_and_a_file_may_be_made_later(opened, folder):
    public = "ulm_graphene_grain_boundary"
    series = opened(*ROWS[1:], (public, f"data/images/{public}.tif", "graphene")).series
    (folder / "frames").mkdir()
    for name in ("frames/b.tif", "frames/a.tif", "frames/a.txt", "mask.png"):
        (folder / name).touch()
    assert series.files("particle") == ["frames/a.tif", "frames/b.tif"]
    assert series.files("pristine") == ["results/acquisitions/simulated_pristine.tif"]
    assert series.files(public) == [f"data/images/{public}.tif"]


@pytest.mark.parametrize(
    ("name", "there", "said"),
    [
        ("sheet", ["mask.png"], "column path: images/a.tif: this file does not exist"),
        ("sheet", ["a.tif"], "column mask: mask.png: this file does not exist"),
        ("particle", ["mask.png"], r"column path: frames/\*\.tif: no file fits this pattern"),
        ("unfetched", [], "column path: data/images/none.tif: this file does not exist"),
    ],
)
def test_files_that_are_not_there_are_told_with_the_row_that_names_them(
    opened, folder, name, there, said
):
    for file in there:
        (folder / file).touch()
    rows = [*ROWS, ("unfetched", "data/images/none.tif", "graphene")]
    with pytest.raises(InputError, match=rf"^sheet\.tsv, series {name}, {said}; correct"):
        opened(*rows).series.files(name)


def test_the_mask_of_a_particle_follows_its_drift(series):
    assert series.still_mask("sheet") == series.mask("sheet") == ["mask.png"]
    assert series.still_mask("particle") == []
    assert series.mask("particle") == ["mask.png"]
    assert series.mask("pristine") == []


def test_the_import_is_told_what_the_sheet_and_the_model_say(series):
    assert series.import_settings("sheet") == {
        "series": "sheet",
        "pixel_size_A": 0.108,
        "frames": "",
        "focus_A": (),
        "mask": "mask.png",
        "model_pixel_size_A": [0.1, 0.14],
    }
    assert series.import_settings("counted")["focus_A"] == (-170, -40, 90)
    assert series.contrast("sheet") == "auto"


def test_detection_errors_are_those_that_ship_or_measured_where_the_dose_is_known(opened, ship):
    errors = ship("platinum", "nanoparticle", ("column",)) / "detection_errors.csv"
    ship("lead", "nanoparticle", ("column",))
    rows = [
        (f"{model}_{dose}", "frames/*.tif", model, 0.06, dose)
        for model in ("gold_laptop", "platinum", "lead")
        for dose in (300, "")
    ]
    series = opened(*rows).series
    assert series.detection_errors("platinum_300") == []
    errors.touch()
    assert series.detection_errors("platinum_300") == ["data/models/platinum/detection_errors.csv"]
    assert series.detection_errors("gold_laptop_300") == [
        "results/models/gold_laptop/detection_errors.csv"
    ]
    for name in ("lead_300", "platinum_", "gold_laptop_"):
        assert series.detection_errors(name) == []


def test_comparisons_need_both_series(opened, series):
    """Those of simulated series are only made where the sheet has them."""
    assert series.comparisons() == {}
    pair = {"gases": ["particle", "vacuum"]}
    assert opened(*ROWS, comparisons=pair).series.comparisons() == pair
    with pytest.raises(InputError, match=r"comparisons\.gases: sheet is not a .* in sheet\.tsv"):
        opened(*ROWS, comparisons={"gases": ["sheet", "vacuum"]}).series.comparisons()
