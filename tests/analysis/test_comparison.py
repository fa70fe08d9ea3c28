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
from atomsight.files import sealed, tables

SETTINGS = ComparisonSettings(resamples=500)


def lattice(radius_A=14.0):
    return hexagonal(radius_A) + 0.3


def sites(positions, hop_rate, masked=False):
    table = pd.DataFrame(positions, columns=["x_A", "y_A"])
    return table.assign(masked=masked, hop_rate=hop_rate, event_rate=hop_rate + 0.1)


def random_rates(rng, true):
    """Estimates with the zeros and the ties that short series have."""
    return rng.poisson(40 * true) / 40


def compared(a, b, names=("A", "B")):
    places = (table[["x_A", "y_A"]].to_numpy() for table in (a, b))
    return compare_rates(a, b, pair_sites(*places, 1.0), names, SETTINGS)


def of_hops(table):
    return table[table["rate"] == "hmm"].set_index("test")


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


def test_sites_that_are_only_in_one_series_have_no_partner_and_are_counted():
    a = lattice()
    b = np.concatenate([a[a[:, 0] > -6], [[60.0, 60.0], [65.0, 60.0]]])
    assert_allclose(pair_sites(a, b, 1.0).shift_A, 0, atol=1e-6)
    table = compared(sites(a, 0.1), sites(b, 0.1))
    assert (table["matched"] == len(b) - 2).all()
    assert (table["only_in_a"] == len(a) - len(b) + 2).all()
    assert (table["only_in_b"] == 2).all()
    assert len(pair_sites(a, np.empty((0, 2)), 1.0).index_a) == 0


def test_the_outline_is_two_layers_thick():
    positions = lattice(radius_A=20)
    outline = comparison.outline_sites(positions)
    distance = np.linalg.norm(positions - 0.3, axis=1)
    assert outline[distance > 18.5].all()
    assert not outline[distance < 13].any()


def test_lone_sites_are_outline():
    assert comparison.outline_sites(np.array([[0.0, 0.0], [3.0, 0.0]])).all()
    assert comparison.outline_sites(np.array([[0.0, 0], [2.5, 0], [5.0, 0], [60, 60]])).all()


def test_the_table_by_hand():
    positions = lattice(radius_A=4)
    rates = np.zeros(len(positions))
    rates[:4] = [0.1, 0.2, 0.1, 0.2]
    table = compared(sites(positions, rates), sites(positions, 2 * rates), ("vacuum", "gas"))
    assert list(table) == list(comparison.COLUMNS)
    assert table["test"].tolist() == ["wilcoxon", "permutation", "mann_whitney"] * 2
    assert (table[["name_a", "name_b"]] == ["vacuum", "gas"]).all(axis=None)
    assert (table[["matched", "sites_a", "sites_b"]] == len(positions)).all(axis=None)
    assert (table[["only_in_a", "only_in_b"]] == 0).all(axis=None)
    hops = of_hops(table)
    assert_allclose(hops["ratio"], 2)
    assert_allclose(hops["mean_rate_a"], 0.6 / len(positions))
    # Paired, every resample has the same ratio; unpaired, it varies.
    assert_allclose(hops[["ratio_low", "ratio_high"]].iloc[:2], 2)
    assert hops["ratio_low"].iloc[2] < 1 < 2 < hops["ratio_high"].iloc[2]
    # Static sites carry nothing: four differences of one sign, p = 2 / 2⁴.
    assert hops.loc["permutation", "p_value"] == pytest.approx(1 / 8, abs=0.05)
    assert hops.loc["wilcoxon", "p_value"] > 0.05


def test_a_difference_is_found():
    rng = np.random.default_rng(1)
    positions = lattice()
    outline = comparison.outline_sites(positions)
    true = np.where(outline, rng.uniform(0.02, 0.2, len(positions)), 0)
    table = compared(*(sites(positions, random_rates(rng, factor * true)) for factor in (1, 2)))
    assert (table["p_value"] < 0.01).all()
    hops = of_hops(table)
    assert ((hops["ratio_low"] < 2) & (hops["ratio_high"] > 2) & (hops["ratio_low"] > 1.2)).all()


def test_series_without_a_hop_do_not_differ():
    static, moving = (sites(lattice(radius_A=6), rate) for rate in (0.0, 0.1))
    table = compared(static, static)
    assert (table["p_value"] == 1).all()
    assert of_hops(table)["ratio"].isna().all()
    assert np.isinf(of_hops(compared(static, moving))["ratio"]).all()


def test_a_rate_that_is_not_known_at_a_site_leaves_the_other_rate_alone():
    positions = lattice(radius_A=6)
    rng = np.random.default_rng(5)
    a, b = (sites(positions, rng.uniform(0, 0.2, len(positions))) for _ in range(2))
    a.loc[2, "hop_rate"] = b.loc[[2, 9], "event_rate"] = np.nan
    table = compared(a, b)
    paired = table[table["test"] == "permutation"].set_index("rate")
    assert paired["matched"].tolist() == [len(a) - 1, len(a) - 2]
    assert (table[["only_in_a", "only_in_b"]] == 0).all(axis=None)
    known = a["event_rate"].drop([2, 9])
    assert paired.loc["raw_events", "mean_rate_a"] == pytest.approx(known.mean())
    assert table.notna().all(axis=None)


def test_rates_known_inside_only_are_compared_by_pairs_only():
    positions = lattice()
    table = sites(positions, np.where(comparison.outline_sites(positions), np.nan, 0.1))
    assert of_hops(compared(table, table)).index.tolist() == ["wilcoxon", "permutation"]


def test_the_size_of_the_blocks_does_not_change_the_result(monkeypatch):
    rng = np.random.default_rng(6)
    a = lattice(radius_A=8)
    series = [sites(positions, rng.uniform(0, 0.2, len(positions))) for positions in (a, a[4:])]
    whole = compared(*series)
    monkeypatch.setattr(comparison, "_BLOCK", 7 * len(a))
    pd.testing.assert_frame_equal(compared(*series), whole)


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
    p_values, covered = [], []
    for _ in range(300):
        true = np.where(outline, 0.2 * rng.beta(0.5, 2, len(positions)), 0)
        table = of_hops(compared(*(sites(positions, random_rates(rng, true)) for _ in range(2))))
        p_values.append(table["p_value"])
        covered.append((table["ratio_low"] <= 1) & (table["ratio_high"] >= 1))
    rejected = (np.array(p_values) < 0.05).mean(axis=0)
    assert (rejected <= 0.08).all()
    assert (rejected[:2] >= 0.02).all()
    assert (np.array(covered).mean(axis=0) >= 0.9).all()


# The script


@pytest.fixture
def two_series():
    """A particle and, elsewhere, the same; part of it is masked and has no rates."""
    rng = np.random.default_rng(3)
    a = lattice()
    masked = a[:, 1] > 9
    true = rng.uniform(0, 0.2, len(a))
    return tuple(
        sites(places, np.where(masked, np.nan, random_rates(rng, true)), masked)
        for places in (a, a + np.array([12.0, 5.0]))
    )


@pytest.fixture
def run(tmp_path, capsys):
    """Compare two series, and give the table and what is said and printed."""

    def compare(a, b, *more):
        paths = [tmp_path / name for name in ("a.h5", "b.h5", "comparison.csv")]
        for path, table in zip(paths, (a, b), strict=False):
            with sealed.create(path, {}) as file:
                tables.write_table(file, "sites", table)
        assert compare_series.main([*map(str, paths), *more]) == 0
        return pd.read_csv(paths[2]), *reversed(capsys.readouterr())

    return compare


def test_the_script_writes_the_table(two_series, run):
    table, said, printed = run(*two_series, "--names", "vacuum", "gas")
    assert list(table) == list(comparison.COLUMNS)
    kept = (~two_series[0]["masked"]).sum()
    assert (table["matched"] == kept).all()
    assert table.loc[0, ["name_a", "name_b"]].tolist() == ["vacuum", "gas"]
    assert table["p_value"].between(0, 1).all()
    assert "mann_whitney" in printed
    assert f"{kept} of {kept} and {kept} sites are the same, at a shift of (12.00, 5.00)" in said
    assert "warning" not in said


def test_series_of_different_particles_are_compared_as_samples(two_series, run):
    rng = np.random.default_rng(4)
    other = sites(rng.uniform(0, 400, (150, 2)), rng.uniform(0, 0.2, 150))
    table, said, _ = run(two_series[0], other)
    assert "fewer than half of the sites are in both series" in said
    assert "mann_whitney" in set(table["test"])


def test_without_pairs_only_the_samples_are_compared(two_series, run, monkeypatch):
    none = comparison.Pairs(np.empty(0, int), np.empty(0, int), np.zeros(2))
    monkeypatch.setattr(comparison, "pair_sites", lambda *_: none)
    table, said, _ = run(*two_series)
    assert "no site is in both series" in said
    assert table["test"].tolist() == ["mann_whitney"] * 2


@pytest.mark.parametrize(
    ("unknown", "rates", "sentences"),
    [
        (
            ["hop_rate"],
            {"raw_events"},
            ["no hop rate is known", "only raw events", "fill dose_e_p"],
        ),
        (["event_rate"], {"hmm"}, ["no event rate is known", "only hop rates are compared"]),
        (["hop_rate", "event_rate"], set(), ["no rate is known", "two successive frames"]),
    ],
)
def test_a_rate_not_known_in_a_series_is_left_out(two_series, run, unknown, rates, sentences):
    a, b = two_series
    table, said, printed = run(a, b.assign(**dict.fromkeys(unknown, np.nan)))
    assert "b.h5: " in said
    assert "a.h5" not in said
    assert all(sentence in said for sentence in sentences)
    assert ("dose_e_per_A2" in said) == (unknown == ["hop_rate"])
    assert set(table["rate"]) == rates
    assert table["test"].tolist() == ["wilcoxon", "permutation", "mann_whitney"] * len(rates)
    assert (table["matched"] == (~a["masked"]).sum()).all()
    assert list(table) == list(comparison.COLUMNS)
    assert bool(printed) == bool(rates)
