"""The table of the page, cell by cell.

Oracle: the comparison. Cost: 3 s.

Run: pytest tests/report/test_results_table.py
"""

from bakeoff.report.results_table import results_table


def test_every_row_has_a_cell_for_every_head(study, timed):
    for comparison in (study, timed):
        table = results_table(comparison)
        rows = [*table["rows"], *table["baselines"]]
        assert {len(row.cells) for row in rows} == {len(table["heads"])}
        assert [row.name for row in table["rows"] if row.strong] == ["tiny"]


def test_where_time_counts_it_stands_beside_the_parameters(study, timed):
    assert "Image in a batch" not in results_table(study)["heads"]
    table = results_table(timed)
    assert table["heads"][:3] == ["Parameters", "Image in a batch", "Test accuracy"]
    shown = {row.name: row.cells[1].text for row in table["rows"]}
    assert shown == {"cnn": "0.02 ms", "tiny": "0.05 ms", "mlp": "0.052 ms"}
