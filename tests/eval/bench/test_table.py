import mmap

import pytest

import eval.bench.table as bench_table
from eval.bench.process import resident
from eval.bench.table import large_table, open_and_draw
from fsa.choices.sandbox import Sandbox
from tests.factories.bench import values_of


def test_a_table_is_opened_in_a_process_of_its_own(tmp_path):
    file = tmp_path / "table.arrow"
    Sandbox(num_users=20, choices_per_user=10).load().save(file)
    opened = bench_table._opened(file, draws=2)
    assert set(opened) == {"seconds", "episodes", "megabytes", "peak"}
    assert opened["seconds"] > 0
    assert opened["episodes"] > 0


def test_resident_memory_grows_by_what_is_touched():
    # A mapping of its own: an array may be given memory that earlier tests freed and that is still resident.
    with mmap.mmap(-1, 50_000_000) as pages:
        before, _ = resident()
        for _ in range(50):
            pages.write(bytes(1_000_000))
        after, peak = resident()
    assert after - before == pytest.approx(50, abs=10)
    assert peak >= after - 1


def test_a_line_through_three_sizes_gives_ten_times_the_file(monkeypatch):
    monkeypatch.setattr(bench_table, "_opened", open_and_draw)  # here: a process takes seconds to start
    figures = large_table(num_choices=8000, repetitions=1, draws=2)
    values = values_of(figures)
    # Columns grow with the choices, texts do not: the file at ten times the size is less than ten times it.
    assert values["table_file_mb"] < values["table_file_mb_extrapolated"] < 10 * values["table_file_mb"]
    assert {figure.metric for figure in figures if figure.limit} == {
        "table_open_seconds",
        "table_resident_mb",
        "episodes_per_second",
    }
