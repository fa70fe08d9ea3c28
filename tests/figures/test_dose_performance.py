"""Performance against the dose: drawn where it belongs, and the script refuses what it must."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import plot_dose_performance
from atomsight.figures import dose_performance, style


def evaluation():
    hits, inventions, misses = np.array([[50, 90, 100], [20, 3, 0], [50, 10, 0]])
    return pd.DataFrame(
        {
            "dose_e_per_A2": [100, 1000, 10000],
            "true_positives": hits,
            "false_positives": inventions,
            "false_negatives": misses,
            "precision": hits / (hits + inventions),
            "recall": hits / (hits + misses),
            "f1": 2 * hits / (2 * hits + inventions + misses),
            "rms_error_A": [np.nan, 0.1, 0.05],
            "recall_boundary": [0.4, 0.8, 1.0],
        }
    )


def test_the_title_says_that_it_is_simulated():
    figure = dose_performance.draw(evaluation())
    assert [text.get_text() for text in figure.texts] == ["Simulated polycrystalline graphene"]


def test_errors_are_drawn_in_picometres_over_the_dose():
    figure = dose_performance.draw(evaluation())
    (line,) = figure.axes[1].lines
    assert_allclose(line.get_xdata(), [100, 1000, 10000])
    assert_allclose(line.get_ydata(), [np.nan, 10, 5])


def test_the_script_draws_the_same_bytes_again(tmp_path):
    table = tmp_path / "evaluation.csv"
    evaluation().to_csv(table, index=False)
    drawn = [tmp_path / "one.png", tmp_path / "two.png"]
    for path in drawn:
        assert plot_dose_performance.main([str(path), str(table)]) == 0
    assert drawn[0].read_bytes() == drawn[1].read_bytes()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, "does not exist"),
        (evaluation().drop(columns="f1"), "the column 'f1' is missing"),
        (evaluation().assign(dose_e_per_A2=0), "doses above zero"),
        (evaluation()[:0], "doses above zero"),
    ],
)
def test_the_script_says_in_one_sentence_what_is_wrong(tmp_path, capsys, table, message):
    path = tmp_path / "evaluation.csv"
    if table is not None:
        table.to_csv(path, index=False)
    assert plot_dose_performance.main([str(tmp_path / "figure.png"), str(path)]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_the_script_refuses_another_format(tmp_path, capsys):
    assert plot_dose_performance.main([str(tmp_path / "figure.pdf"), "absent.csv"]) == 1
    assert "ends in .png" in capsys.readouterr().err
    style.check_output("figure.png")
