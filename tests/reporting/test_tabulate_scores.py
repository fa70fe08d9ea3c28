"""The page of scores in the report."""

import pandas as pd

import tabulate_scores
from atomsight.files import provenance


def test_every_table_stands_on_the_page_under_its_name(tmp_path):
    one, other, page = (tmp_path / name for name in ("one.csv", "other.csv", "page.html"))
    columns = {"dose_e_per_A2": [1000, 3000], "f1": [0.98765432, None], "kind": ["<edge>", "bulk"]}
    pd.DataFrame(columns).to_csv(one, index=False)
    pd.DataFrame({"recall": []}).to_csv(other, index=False)
    settings = '{"seed": 7, "strain": {"reference": "relative", "rows": [1, 2]}}'
    given = [str(page), str(one), str(other), "--settings", settings]
    assert tabulate_scores.main(given) == 0
    text = page.read_text(encoding="utf-8")
    assert f"<h2>{one}</h2>" in text
    assert "<td>1000</td><td>0.9877</td><td>&lt;edge&gt;</td>" in text
    assert "<td>3000</td><td></td><td>bulk</td>" in text
    assert f"<h2>{other}</h2>" in text
    assert "<th>recall</th>" in text
    assert "<td>seed</td><td>7</td>" in text
    assert "<td>strain.rows</td><td>[1, 2]</td>" in text
    assert provenance.git_state() in text
