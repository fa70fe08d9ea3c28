import json

import pytest

from atomsight.errors import InputError
from atomsight.orchestration.sample_sheet import read_sheet

HEADER = [
    *("series", "path", "model", "pixel_size_A", "dose_e_per_A2"),
    *("frames", "focus_A", "mask", "contrast", "notes"),
]
ROW = [
    *("boundary", "images/b.tif", "graphene", "0.108", "1e4"),
    *("0-9,12", "-170,-40,90", "m.png", "dark", "ok"),
]


@pytest.fixture
def sheet(tmp_path):
    def write(*rows, encoding="utf-8"):
        path = tmp_path / "series.tsv"
        path.write_text("\n".join("\t".join(row) for row in rows) + "\n", encoding=encoding)
        return path

    return write


def changed(**fields):
    return [fields.get(column, field) for column, field in zip(HEADER, ROW, strict=True)]


def test_a_full_row_is_read_with_its_types(sheet):
    path = sheet(HEADER, ROW)
    row = read_sheet(path).loc["boundary"]
    assert row["pixel_size_A"] == 0.108
    assert row["dose_e_per_A2"] == 1e4
    assert row["frames"] == "0-9,12"
    assert row["focus_A"] == (-170.0, -40.0, 90.0)
    assert row["contrast"] == "dark"
    assert row["path"] == str(path.parent / "images" / "b.tif")
    assert row["mask"] == str(path.parent / "m.png")


def test_only_three_columns_are_required(sheet):
    row = read_sheet(sheet(HEADER[:3], ROW[:3])).loc["boundary"]
    assert row["pixel_size_A"] is row["dose_e_per_A2"] is row["mask"] is None
    assert row["frames"] == row["contrast"] == row["notes"] == ""
    assert row["focus_A"] == ()
    assert list(row.index) == HEADER[1:]
    json.dumps(row.to_dict())


def test_one_empty_number_does_not_change_the_others(sheet):
    table = read_sheet(sheet(HEADER, ROW, changed(series="two", pixel_size_A="", frames="3")))
    assert table.loc["boundary", "pixel_size_A"] == 0.108
    assert table.loc["two", "pixel_size_A"] is None
    assert table.loc["two", "frames"] == "3"


def test_short_rows_empty_lines_comments_and_excels_mark_are_read(sheet):
    path = sheet(HEADER, ["# a remark"], ROW[:3], [""], encoding="utf-8-sig")
    assert list(read_sheet(path).index) == ["boundary"]


def test_an_absolute_path_stays(sheet, tmp_path):
    elsewhere = str(tmp_path / "elsewhere" / "*.dm4")
    assert read_sheet(sheet(HEADER, changed(path=elsewhere))).loc["boundary", "path"] == elsewhere


def test_paths_follow_a_relative_sheet(sheet, tmp_path, monkeypatch):
    sheet(HEADER, changed(path="../images/b.tif"))
    (tmp_path / "config").mkdir()
    (tmp_path / "series.tsv").rename(tmp_path / "config" / "series.tsv")
    monkeypatch.chdir(tmp_path)
    assert read_sheet("config/series.tsv").loc["boundary", "path"] == "images/b.tif"


BAD = {
    "series": ("grain boundary", "a/b", "..", "Korngröße"),
    "model": ("../model",),
    "pixel_size_A": ("0", "-0.1", "0,108", "nan", "108"),
    "dose_e_per_A2": ("low", "inf"),
    "frames": ("first", "0-"),
    "focus_A": ("under", "-40", "-170,-40,", "-170;-40;90", "-170,,90", "-170-40", "nan,3"),
    "contrast": ("black",),
}


@pytest.mark.parametrize(
    ("column", "value"), [(column, value) for column, values in BAD.items() for value in values]
)
def test_a_bad_field_is_named_with_its_row_and_column(sheet, column, value):
    path = sheet(HEADER, ROW, changed(**{"series": "two", column: value}))
    with pytest.raises(InputError, match=rf"series\.tsv, row 3, column {column}: .* must be "):
        read_sheet(path)


@pytest.mark.parametrize(
    ("text", "focus_A"),
    [
        ("-170,-40,90", (-170, -40, 90)),
        ("-170 -40 90", (-170, -40, 90)),
        (" +130.5 , 0 ", (130.5, 0)),
        ("0., -65", (0, -65)),
    ],
)
def test_the_focus_of_the_images_of_a_focal_series_is_read(sheet, text, focus_A):
    assert read_sheet(sheet(HEADER, changed(focus_A=text))).at["boundary", "focus_A"] == focus_A


@pytest.mark.parametrize("column", ["series", "path", "model"])
def test_a_required_column_must_be_there_and_filled(sheet, column):
    with pytest.raises(InputError, match=rf"row 2: the column {column} is empty"):
        read_sheet(sheet(HEADER, changed(**{column: " "})))
    with pytest.raises(InputError, match=f"the column {column} is missing"):
        read_sheet(sheet([name for name in HEADER if name != column], ROW[1:]))


@pytest.mark.parametrize("wrong", ["pixel_size_nm", "pixel_size", "dose_e_per_nm2", "Series"])
def test_a_wrong_column_name_gets_a_suggestion(sheet, wrong):
    right = next(name for name in HEADER if name[:4] == wrong[:4].lower())
    with pytest.raises(InputError, match=rf"'{wrong}'; did you mean {right}\?"):
        read_sheet(sheet([*HEADER[:3], wrong], ROW[:4]))


TWO, REPEATED = changed(series="two"), changed(focus_A="-40, 90, -40")
FAULTS = {
    "the sheet is empty": [[""]],
    "no row below its header": [HEADER],
    "by tabs": [[",".join(HEADER)], [",".join(ROW)]],
    "path occurs twice": [[*HEADER[:3], "path"], ROW[:4]],
    "row 2: 11 fields under 10 columns": [HEADER, [*ROW, "more"]],
    "row 4, column series: 'boundary' is the name of row 2": [HEADER, ROW, TWO, ROW],
    "row 2, column focus_A: -40 Å occurs twice; .* focal series differ in": [HEADER, REPEATED],
}


@pytest.mark.parametrize("sentence", FAULTS)
def test_other_faults_of_the_sheet_are_named(sheet, sentence):
    with pytest.raises(InputError, match=sentence):
        read_sheet(sheet(*FAULTS[sentence]))


def test_a_sheet_that_cannot_be_read_is_named(sheet, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_sheet(tmp_path / "absent.tsv")
    with pytest.raises(InputError, match="not UTF-8"):
        read_sheet(sheet(HEADER, changed(notes="größer"), encoding="latin-1"))
