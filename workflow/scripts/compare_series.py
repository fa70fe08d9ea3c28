"""Test whether the sites of one series hop more often than those of another.

The sites of B are registered with those of A by a translation and paired; masked sites are left
out. COMPARISON.csv has one row per test, for the hop rates of the hidden Markov model (rate: hmm)
and for the raw ones (rate: raw_events): test, rate, name_a, name_b, sites_a, sites_b (that the test
looks at), matched, only_in_a, only_in_b (sites without a partner), mean_rate_a, mean_rate_b, ratio
(b over a), ratio_low, ratio_high, statistic, p_value. A rate that is not known in both series is
left out with a warning; without any the table has no rows. Faint sites have no hop rate and are
left out of its tests.

The tests: wilcoxon and permutation compare the pairs, the second by the difference of the means;
mann_whitney compares all sites at the outlines, for series of different particles.

A place that is always empty in a series is no site there and has no partner, although its rate
there is zero: sites of B only make the ratio too low, sites of A only too high. The p-value is over
the sites of this pair of recordings. It does not tell whether other particles would differ too.

Settings: match_radius_A, confidence, resamples, seed.

Example:
    python compare_series.py vacuum/sites.h5 gas/sites.h5 comparison.csv --names vacuum gas
"""

import argparse
import logging
import sys
from typing import TYPE_CHECKING

import numpy as np

from atomsight import command_line
from atomsight.config.analysis import ComparisonSettings
from atomsight.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from atomsight.analysis.dynamics.comparison import Pairs

RATES = ["event_rate", "hop_rate"]


@command_line.script
def main(argv: list[str] | None = None) -> None:
    """Read the sites of two series, pair them, test, print and write the table."""
    given = parse(argv)
    from atomsight.analysis.dynamics import comparison
    from atomsight.files import tables

    chosen = ComparisonSettings.parse(given.settings, "comparison")
    sites_a, sites_b = read_sites(given.sites_a), read_sites(given.sites_b)
    pairs = comparison.pair_sites(
        sites_a[["x_A", "y_A"]].to_numpy(float),
        sites_b[["x_A", "y_A"]].to_numpy(float),
        chosen.match_radius_A,
    )
    report(len(sites_a), len(sites_b), pairs)
    warn_of_unknown(given.sites_a, sites_a)
    warn_of_unknown(given.sites_b, sites_b)
    table = comparison.compare_rates(sites_a, sites_b, pairs, tuple(given.names), chosen)
    tables.write_csv(given.comparison, table)
    if len(table):
        command_line.print_table(table)


def parse(argv: list[str] | None) -> argparse.Namespace:
    arguments = command_line.parser(__doc__)
    arguments.add_argument("sites_a", metavar="A.h5", help="the sites of one series")
    arguments.add_argument("sites_b", metavar="B.h5", help="the sites of the other")
    arguments.add_argument("comparison", metavar="COMPARISON.csv", help="the table to write")
    arguments.add_argument(
        "--names", nargs=2, default=["A", "B"], metavar=("A", "B"), help="names of the series"
    )
    command_line.add_settings(arguments, "comparison", ComparisonSettings)
    return arguments.parse_args(argv)


def read_sites(path: str) -> "pd.DataFrame":
    """Read the sites that are not masked; a rate that is not known is NaN."""
    from atomsight.files import sealed, tables

    with sealed.open_to_read(path) as file:
        sites = tables.read_table(file, "sites", ["x_A", "y_A", "masked", *RATES])
    sites = sites[~sites["masked"].to_numpy(bool)]
    if sites.empty:
        raise InputError(f"{path}: no site is left outside the substrate; check its mask")
    return sites.reset_index(drop=True)


def warn_of_unknown(path: str, sites: "pd.DataFrame") -> None:
    """Warn where a rate is not known at any site and can therefore not be compared."""
    events, hops = (np.isfinite(sites[rate].to_numpy(float)).any() for rate in RATES)
    if not events and not hops:
        logging.warning(
            "warning: %s: no rate is known, so nothing is compared; it takes a site that is in "
            "view in two successive frames",
            path,
        )
    elif not events:
        logging.warning(
            "warning: %s: no event rate is known, so only hop rates are compared; it takes a site "
            "that is in view in two successive frames",
            path,
        )
    elif not hops:
        logging.warning(
            "warning: %s: no hop rate is known, so only raw events are compared; fill "
            "dose_e_per_A2 of the series in the sample sheet, or, where it is filled, see the log "
            "of follow_sites.py",
            path,
        )


def report(count_a: int, count_b: int, pairs: "Pairs") -> None:
    """Log how the series are registered, and warn where they hardly overlap."""
    matched = len(pairs.index_a)
    logging.info(
        "%d of %d and %d sites are the same, at a shift of (%.2f, %.2f) Å",
        matched,
        count_a,
        count_b,
        *pairs.shift_A,
    )
    if matched == 0:
        logging.warning("warning: no site is in both series; only the test of all sites is made")
    elif matched < min(count_a, count_b) / 2:
        logging.warning(
            "warning: fewer than half of the sites are in both series, as if the particles were "
            "not the same; read the test of all sites (mann_whitney)"
        )


if __name__ == "__main__":
    sys.exit(main())
