"""Faults of what is read and reported; and the heart of it: nobody touches anybody else's scores."""

import gzip
import re
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import fsa
from eval.isolation import HEADS, drawn, largest_difference, scored
from fsa.choices.jsonl import Jsonl
from tests.faults.commands import ROOT, command, lines


def read_with(path: Path, out: Path):
    """Train for two steps on a file with the published configuration, whatever source it names."""
    return command(
        "train.reward", "--config", ROOT / "configs" / "reward" / "choices.yaml", "--source.path", path,
        "--features.class_path", "fsa.features.measured.Measured", "--projection.num_components", "null",
        "--projection.extras", "[]", "--loop.max_steps", "2", "--loop.validate_every", "2",
        "--loop.progress", "false", "--loop.accelerator", "cpu", "--loop.devices", "1", "--out", out,
        "--episodes.validation_episodes", "30",
    )  # fmt: skip


def trl_rows(**more: object) -> list[dict[str, object]]:
    return [
        {"user": f"u{u}", "prompt": f"p{i}", "chosen": f"yes {i}", "rejected": f"no {u}", **more}
        for u in range(40)
        for i in range(4)
    ]


def test_fault_N7_parquet_is_read_by_the_published_configuration(tmp_path):
    pq.write_table(pa.Table.from_pylist(trl_rows()), tmp_path / "rows.parquet")
    ended = read_with(tmp_path / "rows.parquet", tmp_path / "run")
    assert "UTF-8" not in ended.err
    ended.went_well()


def test_fault_N8_further_columns_of_trl_rows_stop_nobody(tmp_path):
    path = lines(tmp_path / "rows.jsonl", trl_rows(score_chosen=7.5))
    ended = read_with(path, tmp_path / "run").went_well()
    assert "score_chosen" in ended.err


def test_fault_F23_odd_parquet_files_are_refused_in_words(tmp_path):
    rows = trl_rows()
    columns = {name: pa.array([row[name] for row in rows]) for name in rows[0]}
    columns["chosen"] = pa.array(["9" * 5000 for _ in rows])
    columns["options"] = pa.array([["a", "b"] for _ in rows])
    del columns["rejected"]
    pq.write_table(pa.table(columns), tmp_path / "digits.parquet")
    ended = command("train.reward", "--source", "fsa.choices.rows.Rows", "--source.path",
                    tmp_path / "digits.parquet", "--out", tmp_path / "run")  # fmt: skip
    ended.refused("chosen")


def test_fault_F24_a_late_duplicate_is_found_at_once_and_said_briefly(tmp_path):
    options = [f"é{i}" for i in range(32_766)]
    row = {"user": "u", "prompt": "p", "options": [*options, options[-1]], "chosen": 0}
    started = time.monotonic()
    ended = command("train.reward", "--source", "fsa.choices.jsonl.Jsonl", "--source.path",
                    lines(tmp_path / "late.jsonl", [row]), "--out", tmp_path / "run")  # fmt: skip
    ended.refused("different from each other")
    assert time.monotonic() - started < 8
    assert len(ended.err) < 3000


def test_fault_F24_blank_lines_in_a_small_file_take_no_minute(tmp_path):
    path = tmp_path / "blank.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n" * 30_000_000, 1))
    started = time.monotonic()
    ended = command("train.reward", "--source", "fsa.choices.jsonl.Jsonl", "--source.path", path,
                    "--out", tmp_path / "run")  # fmt: skip
    ended.refused("at least one record")
    assert time.monotonic() - started < 10


def test_fault_N3_a_column_says_how_many_choices_were_really_seen(run):
    given = ["--run", run, "--context_sizes", "0,1,10", "--episodes", "40"]
    shown = command("eval.context_curve", *given).went_well().out
    # Three choices on three prompts each: one is predicted, two are left to be seen.
    for text in ((run / "eval" / "report.md").read_text(), shown):
        heads = [line for line in text.splitlines() if re.match(r"\W*(method|choices seen)\b", line)]
        assert heads
        assert all(re.search(r" 0 .* 1 .* 10 \(2\)", line) for line in heads), heads


def test_fault_N4_a_report_says_how_many_people_and_choices_its_predictions_are_of(run):
    given = ["--run", run, "--context_sizes", "[0]", "--episodes", "40"]
    shown = command("eval.context_curve", *given).went_well().out
    # Nothing is seen, so all three choices of a person are predicted in each of the 40 episodes.
    said = re.compile(r"n = 120 predictions a number, of (\d+) choices of (\d+) people")
    for text in ((run / "eval" / "report.md").read_text(), shown):
        found = said.search(text)
        assert found, text
        num_choices, num_people = map(int, found.groups())
        assert num_choices == 3 * num_people
        assert 2 <= num_people <= 20  # of 60, a tenth is for testing


def test_fault_N13_the_readme_says_which_texts_its_figures_are_on():
    readme = (ROOT / "README.md").read_text()
    config = (ROOT / "configs" / "reward" / "choices.yaml").read_text()
    assert re.search(r"texts? (that were |they were |was )?(also )?(seen|read) in training", readme) or (
        "by: user" not in config
    )


def test_isolation_a_score_depends_on_nobody_else(run, choices):
    """5,000 random people: alone, in batches, in any order, in threads; at most 1e-12 apart."""
    draw, everybody = np.random.default_rng(0), np.arange(5000)
    people = drawn(Jsonl(str(choices), cache=False).load(), 5000, draw)
    here = partial(scored, fsa.RewardModel.from_pretrained(run), people)
    together = here(everybody, 5000)
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda part: here(part, 100), np.array_split(everybody, 4)))
    others = [here(draw.permutation(5000), 333), here(draw.permutation(5000)[:300], 1), *parts]
    worst = max(largest_difference({i: together[i] for i in other}, other) for other in others)
    assert worst <= HEADS, worst


def test_the_help_of_a_recipe_names_every_setting_and_every_member():
    shown = "".join(command("train.reward", "--help").went_well().out.split())
    settings = {
        "loop": "training/loop.py", "episodes": "training/datamodule.py",
        "optimizer": "training/optimizers.py",
        "projection": "features/projection.py", "splits": "choices/splits.py",
    }  # fmt: skip
    wanted = []
    for slot, path in settings.items():
        text = (ROOT / "fsa" / path).read_text()
        found = re.findall(r"^    ([a-z]\w*): [^\n]* = setting\(", text, re.M)
        found = found or ["by", "fractions", "seed", "validation_by", "unseen"]
        assert len(found) >= 3, path
        wanted += [f"--{slot}.{name}" for name in found]
    for family, base in {
        "encoders": "ContextEncoder", "models": "Scorer", "choices": "Source",
        "likelihoods": "ChoiceLikelihood", "objectives": "Objective",
    }.items():  # fmt: skip
        package = f"fsa.{family}."
        members = set(re.findall(re.escape(package) + r"\w+\.[A-Z]\w+", shown))
        classes = [
            f"{package}{path.stem}.{name}"
            for path in sorted((ROOT / "fsa" / family).glob("*.py"))
            for name in re.findall(rf"^class ([A-Z]\w+)\([^)]*\b{base}\b", path.read_text(), re.M)
            if f"{name}(" and not re.search(rf"class {name}\([^)]*ABC", path.read_text())
        ]
        texts = "".join(path.read_text() for path in (ROOT / "fsa" / family).glob("*.py"))
        bases = set(re.findall(r"^class \w+\(([A-Z]\w+)", texts, re.M))  # of others, and no members
        wanted_here = {name for name in classes if name.rpartition(".")[2] not in bases}
        assert wanted_here, family
        assert members >= wanted_here, (family, wanted_here - members)
    missing = [name for name in wanted if name not in shown]
    assert not missing
