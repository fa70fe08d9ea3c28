"""Two series compared: the same sites are found again, and only real differences are called so."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from made_lattices import hexagonal
from numpy.testing import assert_allclose

import compare_series
from atomsight.analysis.dynamics import comparison
from atomsight.analysis.dynamics.comparison import compare_rates, pair_sites
from atomsight.config.analysis import ComparisonSettings
from atomsight.files import provenance, sealed, tables

SETTINGS = ComparisonSettings.parse({"resamples": 500}, "comparison")


def lattice(radius_A=14.0):
    return hexagonal(radius_A) + 0.3


def sites(positions, hop_rate, event_rate=None, masked=False):
    return pd.DataFrame(
        {
            "site": np.arange(len(positions)),
            "x_A": positions[:, 0],
            "y_A": positions[:, 1],
            "masked": np.broadcast_to(masked, len(positions)),
            "event_rate": hop_rate + 0.1 if event_rate is None else event_rate,
            "hop_rate": hop_rate,
        }
    )


def random_rates(rng, true):
    """Estimates with the zeros and the ties that short series have."""
    return rng.poisson(40 * true) / 40


def p_value(table, test, rate="hmm"):
    return table.loc[(table["test"] == test) & (table["rate"] == rate), "p_value"].item()


# Pairing


def test_the_same_particle_elsewhere_is_found_again():
    rng = np.random.default_rng(0)
    a = lattice()
    shift = np.array([31.3, -7.77])
    b = a + shift + rng.normal(0, 0.1, a.shape)
    order = rng.permutation(len(b))[: len(b) - 25]
    pairs = pair_sites(a, b[order], 1.0)
    assert_allclose(pairs.shift_A, shift, atol=0.05)
    assert len(pairs.index_a) == len(order)
    assert (order[pairs.index_b] == pairs.index_a).all()


def test_sites_that_are_only_in_one_series_have_no_partner():
    a = lattice()
    b = np.concatenate([a[a[:, 0] > -6], [[30.0, 30.0]]])
    pairs = pair_sites(a, b, 1.0)
    assert_allclose(pairs.shift_A, 0, atol=1e-6)
    assert len(pairs.index_a) == len(b) - 1
    assert len(pair_sites(a, np.empty((0, 2)), 1.0).index_a) == 0


# The outline


def test_the_outline_is_two_layers_thick():
    positions = lattice(radius_A=20)
    outline = comparison.outline_sites(positions)
    distance = np.linalg.norm(positions - 0.3, axis=1)
    assert outline[distance > 18.5].all()
    assert not outline[distance < 13].any()


def test_lone_sites_are_outline():
    assert comparison.outline_sites(np.array([[0.0, 0.0], [3.0, 0.0]])).all()
    assert comparison.outline_sites(np.array([[0.0, 0], [2.5, 0], [5.0, 0], [60, 60]])).all()


# Tests


def test_the_table_by_hand():
    positions = lattice(radius_A=4)
    a = np.zeros(len(positions))
    a[:4] = [0.1, 0.2, 0.1, 0.2]
    b = 2 * a
    pairs = pair_sites(positions, positions, 1.0)
    table = compare_rates(
        sites(positions, a), sites(positions, b), pairs, ("vacuum", "gas"), SETTINGS
    )
    assert list(table) == list(comparison.COLUMNS)
    assert table["test"].tolist() == ["wilcoxon", "permutation", "mann_whitney"] * 2
    assert set(table["name_a"]) == {"vacuum"}
    assert set(table["name_b"]) == {"gas"}
    assert (table[["matched", "sites_a", "sites_b"]] == len(positions)).all(axis=None)
    assert (table[["only_in_a", "only_in_b"]] == 0).all(axis=None)
    hmm = table[table["rate"] == "hmm"]
    assert_allclose(hmm["ratio"], 2)
    assert_allclose(hmm["mean_rate_a"], 0.6 / len(positions))
    # Paired, every resample has the same ratio; unpaired, it varies.
    assert_allclose(hmm[["ratio_low", "ratio_high"]].iloc[:2], 2)
    assert hmm["ratio_low"].iloc[2] < 1 < 2 < hmm["ratio_high"].iloc[2]
    # Static sites carry nothing: four differences of one sign, p = 2 / 2⁴.
    assert p_value(table, "permutation") == pytest.approx(1 / 8, abs=0.05)
    assert p_value(table, "wilcoxon") > 0.05


def test_a_difference_is_found():
    rng = np.random.default_rng(1)
    positions = lattice()
    outline = comparison.outline_sites(positions)
    true = np.where(outline, rng.uniform(0.02, 0.2, len(positions)), 0)
    series = [sites(positions, random_rates(rng, factor * true)) for factor in (1, 2)]
    table = compare_rates(*series, pair_sites(positions, positions, 1.0), ("A", "B"), SETTINGS)
    assert (table["p_value"] < 0.01).all()
    hmm = table[table["rate"] == "hmm"]
    assert ((hmm["ratio_low"] < 2) & (hmm["ratio_high"] > 2) & (hmm["ratio_low"] > 1.2)).all()


def test_series_without_a_hop_do_not_differ():
    positions = lattice(radius_A=6)
    static = sites(positions, np.zeros(len(positions)))
    table = compare_rates(
        static, static, pair_sites(positions, positions, 1.0), ("A", "B"), SETTINGS
    )
    assert (table["p_value"] == 1).all()
    assert table.loc[table["rate"] == "hmm", "ratio"].isna().all()
    moving = sites(positions, np.full(len(positions), 0.1))
    table = compare_rates(
        static, moving, pair_sites(positions, positions, 1.0), ("A", "B"), SETTINGS
    )
    assert np.isinf(table.loc[table["rate"] == "hmm", "ratio"]).all()


def test_sites_of_one_series_only_are_counted():
    a = lattice()
    b = np.concatenate([a[3:], [[60.0, 60.0], [65.0, 60.0]]])
    series = [sites(positions, np.full(len(positions), 0.1)) for positions in (a, b)]
    table = compare_rates(*series, pair_sites(a, b, 1.0), ("A", "B"), SETTINGS)
    assert (table["matched"] == len(a) - 3).all()
    assert (table["only_in_a"] == 3).all()
    assert (table["only_in_b"] == 2).all()


def test_a_rate_that_is_not_known_at_a_site_leaves_the_other_rate_alone():
    positions = lattice(radius_A=6)
    rng = np.random.default_rng(5)
    a, b = (sites(positions, rng.uniform(0, 0.2, len(positions))) for _ in range(2))
    a.loc[2, "hop_rate"] = b.loc[[2, 9], "event_rate"] = np.nan
    table = compare_rates(a, b, pair_sites(positions, positions, 1.0), ("A", "B"), SETTINGS)
    paired = table[table["test"] == "permutation"].set_index("rate")
    assert paired["matched"].tolist() == [len(a) - 1, len(a) - 2]
    assert (table[["only_in_a", "only_in_b"]] == 0).all(axis=None)
    assert paired.loc["raw_events", "mean_rate_a"] == pytest.approx(
        a["event_rate"].drop([2, 9]).mean()
    )
    assert table.notna().all(axis=None)


def test_rates_known_inside_only_are_compared_by_pairs_only():
    positions = lattice()
    table = sites(positions, np.full(len(positions), 0.1))
    table.loc[comparison.outline_sites(positions), "hop_rate"] = np.nan
    tests = compare_rates(table, table, pair_sites(positions, positions, 1.0), ("A", "B"), SETTINGS)
    assert tests.loc[tests["rate"] == "hmm", "test"].tolist() == ["wilcoxon", "permutation"]


def test_the_size_of_the_blocks_does_not_change_the_result(monkeypatch):
    rng = np.random.default_rng(6)
    a = lattice(radius_A=8)
    b = a[4:]
    series = [sites(positions, rng.uniform(0, 0.2, len(positions))) for positions in (a, b)]
    pairs = pair_sites(a, b, 1.0)
    whole = compare_rates(*series, pairs, ("A", "B"), SETTINGS)
    monkeypatch.setattr(comparison, "_BLOCK", 7 * len(a))
    pd.testing.assert_frame_equal(compare_rates(*series, pairs, ("A", "B"), SETTINGS), whole)


def test_many_sites_and_resamples_take_little_memory():
    values = np.random.default_rng(7).uniform(0, 0.2, (2, 4000))
    many = SETTINGS.but(resamples=3000)
    tracemalloc.start()
    comparison._ratio(*values, False, many)
    comparison.permutation_test(*values, many.resamples, many.seed)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6  # All of them at once are 96 MB and more.


@pytest.mark.slow
def test_equal_series_are_called_different_no_more_often_than_promised():
    rng = np.random.default_rng(2)
    positions = lattice()
    outline = comparison.outline_sites(positions)
    pairs = pair_sites(positions, positions, 1.0)
    p_values, covered = [], []
    for _ in range(300):
        true = np.where(outline, 0.2 * rng.beta(0.5, 2, len(positions)), 0)
        series = [sites(positions, random_rates(rng, true)) for _ in range(2)]
        table = compare_rates(*series, pairs, ("A", "B"), SETTINGS)[:3]
        p_values.append(table["p_value"])
        covered.append((table["ratio_low"] <= 1) & (table["ratio_high"] >= 1))
    rejected = (np.array(p_values) < 0.05).mean(axis=0)
    assert (rejected <= 0.08).all()
    assert (rejected[:2] >= 0.02).all()
    assert (np.array(covered).mean(axis=0) >= 0.9).all()


# The script


def write_sites(path, table):
    with sealed.create(path, provenance.made_by("follow_sites.py", {})) as file:
        tables.write_table(file, "sites", table)
    return str(path)


@pytest.fixture
def two_series(tmp_path):
    rng = np.random.default_rng(3)
    a = lattice()
    true = rng.uniform(0, 0.2, len(a))
    masked = a[:, 1] > 9
    table_a = sites(a, random_rates(rng, true), masked=masked)
    table_b = sites(a + np.array([12.0, 5.0]), random_rates(rng, true), masked=masked)
    # Masked sites have no rates.
    table_a.loc[masked, "hop_rate"] = np.nan
    table_b.loc[masked, "hop_rate"] = np.nan
    return tmp_path, table_a, table_b


def run(folder, table_a, table_b, *more):
    paths = [
        write_sites(folder / f"{name}.h5", table)
        for name, table in (("a", table_a), ("b", table_b))
    ]
    return compare_series.main([*paths, str(folder / "comparison.csv"), *more])


def test_the_script_writes_the_table(two_series, capsys):
    folder, a, b = two_series
    assert run(folder, a, b, "--names", "vacuum", "gas", "--settings", '{"resamples": 200}') == 0
    table = pd.read_csv(folder / "comparison.csv")
    assert list(table) == list(comparison.COLUMNS)
    kept = int((~a["masked"]).sum())
    assert (table["matched"] == kept).all()
    assert table.loc[0, ["name_a", "name_b"]].tolist() == ["vacuum", "gas"]
    assert table["p_value"].between(0, 1).all()
    caught = capsys.readouterr()
    assert "mann_whitney" in caught.out
    assert (
        f"{kept} of {kept} and {kept} sites are the same, at a shift of (12.00, 5.00)" in caught.err
    )
    assert "warning" not in caught.err


def test_series_of_different_particles_are_compared_as_samples(two_series, capsys):
    folder, a, _ = two_series
    rng = np.random.default_rng(4)
    other = sites(rng.uniform(0, 400, (150, 2)), rng.uniform(0, 0.2, 150))
    assert run(folder, a, other) == 0
    assert "fewer than half of the sites are in both series" in capsys.readouterr().err
    assert "mann_whitney" in set(pd.read_csv(folder / "comparison.csv")["test"])


def test_without_pairs_only_the_samples_are_compared(two_series, monkeypatch, capsys):
    folder, a, b = two_series
    none = comparison.Pairs(np.empty(0, int), np.empty(0, int), np.zeros(2))
    monkeypatch.setattr(comparison, "pair_sites", lambda *_: none)
    assert run(folder, a, b) == 0
    assert "no site is in both series" in capsys.readouterr().err
    table = pd.read_csv(folder / "comparison.csv")
    assert table["test"].tolist() == ["mann_whitney"] * 2


def test_without_the_hop_rates_of_a_series_raw_events_are_compared(two_series, capsys):
    folder, a, b = two_series
    assert run(folder, a, b.assign(hop_rate=np.nan)) == 0
    said = capsys.readouterr().err
    assert "b.h5: no hop rate is known, so only raw events are compared" in said
    assert "fill dose_e_per_A2 of the series in the sample sheet" in said
    assert "a.h5" not in said
    table = pd.read_csv(folder / "comparison.csv")
    assert table["test"].tolist() == ["wilcoxon", "permutation", "mann_whitney"]
    assert set(table["rate"]) == {"raw_events"}
    assert (table["matched"] == (~a["masked"]).sum()).all()


def test_a_series_of_one_frame_leaves_nothing_to_compare_and_an_empty_table(two_series, capsys):
    folder, a, b = two_series
    assert run(folder, a.assign(hop_rate=np.nan, event_rate=np.nan), b) == 0
    caught = capsys.readouterr()
    assert "a.h5: no rate is known, so nothing is compared" in caught.err
    assert "two successive frames" in caught.err
    assert "dose_e_per_A2" not in caught.err
    assert caught.out == ""
    assert (folder / "comparison.csv").read_text() == ",".join(comparison.COLUMNS) + "\n"


def test_hop_rates_are_compared_where_no_events_are_known(two_series, capsys):
    folder, a, b = two_series
    assert run(folder, a, b.assign(event_rate=np.nan)) == 0
    assert "b.h5: no event rate is known, so only hop rates are compared" in capsys.readouterr().err
    assert set(pd.read_csv(folder / "comparison.csv")["rate"]) == {"hmm"}
