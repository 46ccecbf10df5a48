"""Faults of training: divergence, resuming, run folders, and how a run ends."""

import hashlib
import json
import os
import re
import shutil
import signal
import tempfile
import time
from pathlib import Path

import pytest
import torch

import fsa
from tests.chaos.processes import Started
from tests.faults.commands import ROOT, command, lines, train


def weights(run: Path) -> str:
    return hashlib.sha256((run / "model.safetensors").read_bytes()).hexdigest()


def test_fault_F1_a_diverged_run_is_an_error_that_names_step_and_rate(choices, tmp_path):
    ended = train(tmp_path / "run", choices, "--optimizer.lr", "1e4", "--loop.clip", "0")
    ended.refused("step", "lr", "diverged")
    assert ended.code == 1
    assert not (tmp_path / "run" / "model.safetensors").exists()


def test_fault_F1_the_last_finite_checkpoint_is_kept(choices, tmp_path):
    train(tmp_path / "run", choices, "--loop.patience", "0").went_well()
    ended = command(
        "train.reward", "--resume", tmp_path / "run", "--loop.max_steps", "60", "--optimizer.lr", "1e4",
        "--loop.clip", "0",
    )  # fmt: skip
    ended.refused("diverged")
    best = torch.load(tmp_path / "run" / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    assert all(tensor.isfinite().all() for tensor in best.values())


def test_fault_F4_an_interrupted_overwrite_leaves_no_old_model_under_a_new_configuration(
    run, choices, tmp_path
):
    started = begun(
        tmp_path, "train.reward", "--config", run / "config.yaml", "--out", run, "--overwrite", "true",
        "--splits.seed", "1", "--d_belief", "8", "--loop.max_steps", "100000",
    )  # fmt: skip
    until(lambda: "d_belief: 8" in (run / "config.yaml").read_text(), started)
    started.kill()
    ended = command("eval.context_curve", "--run", run, "--context_sizes", "0,1", "--episodes", "20")
    ended.refused()


def test_fault_F5_the_rate_of_a_resumed_run_is_the_one_that_was_asked_for(run, tmp_path):
    other = shutil.copytree(run, tmp_path / "other")
    for folder, rate in ((run, "3e-3"), (other, "1e-9")):
        given = ["--resume", folder, "--optimizer.lr", rate, "--loop.max_steps", "40", "--loop.patience", "0"]
        command("train.reward", *given).went_well()
    last = [torch.load(each / "checkpoints/last.ckpt", weights_only=True) for each in (run, other)]
    rates = [each["optimizer_states"][0]["param_groups"][0]["initial_lr"] for each in last]
    assert rates == [3e-3, 1e-9]


def test_fault_F5_another_split_or_other_data_do_not_go_on_as_the_same_run(run, choices, tmp_path):
    command("train.reward", "--resume", run, "--splits.seed", "9").refused("splits.seed")
    half = tmp_path / "half.jsonl"
    half.write_text("".join(choices.read_text().splitlines(keepends=True)[:90]))
    command("train.reward", "--resume", run, "--source.path", half).refused("choices")


@pytest.mark.parametrize(
    "given",
    ["episodes.max_targets=0", "episodes.max_targets=-1", "optimizer.lr=-1", "episodes.max_context=-1",
     "episodes.context_sizes=[-1]", "loop.clip=-1", "loop.patience=-1"],
)  # fmt: skip
def test_fault_F7_numbers_that_make_no_sense_are_refused(given, choices, tmp_path):
    name, value = given.split("=")
    train(tmp_path / "run", choices, f"--{name}", value).refused(name.split(".")[1])


@pytest.mark.parametrize(
    "given",
    ["d_belief=0", "d_belief=-1", "num_samples=0", "episodes.users_per_step=0", "seed=-1",
     "episodes.validation_episodes=0", "episodes.context_sizes=[]", "episodes.context_sizes=[0,0]",
     "seed=99999999999999999999", "loop.devices=0", "loop.devices=x", "loop.accelerator=tpu",
     "loop.strategy=x", "loop.precision=x", "loop.precision=bf16-true", "optimizer.lr=1e38"],
)  # fmt: skip
def test_fault_F8_bad_numbers_are_no_tracebacks(given, choices, tmp_path):
    name, value = given.split("=")
    train(tmp_path / "run", choices, f"--{name}", value).refused(name.rpartition(".")[2])


def test_fault_F8_bad_numbers_of_evaluation_are_no_tracebacks(run):
    for name, value in (("episodes", "0"), ("episodes", "-1"), ("seed", "-1"), ("max_targets", "0")):
        command("eval.context_curve", "--run", run, f"--{name}", value).refused(name)


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "list", "missing"])
def test_fault_F9_a_damaged_checkpoint_is_refused_by_name(damage, run):
    last = run / "checkpoints" / "last.ckpt"
    content = bytearray(last.read_bytes())
    if damage == "cut":
        last.write_bytes(content[: len(content) // 2])
    elif damage == "empty":
        last.write_bytes(b"")
    elif damage == "list":
        torch.save([1, 2], last)
    elif damage == "missing":
        last.unlink()
    else:
        state = torch.load(last, weights_only=True)["state_dict"]
        raw = max(state.values(), key=lambda tensor: tensor.numel()).numpy().tobytes()
        place = bytes(content).find(raw)
        assert place > 0
        content[place : place + 40] = bytes(40)
        last.write_bytes(content)
    command("train.reward", "--resume", run, "--loop.max_steps", "30").refused("last.ckpt")


def test_fault_F9_a_missing_best_checkpoint_is_found_before_training(run):
    (run / "checkpoints" / "best.ckpt").unlink()
    command("train.reward", "--resume", run, "--loop.max_steps", "30").refused("best.ckpt")


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_fault_F10_a_signal_leaves_a_checkpoint_advice_and_an_exit_code(signum, code, run, tmp_path):
    out = tmp_path / "signalled"
    started = begun(
        tmp_path, "train.reward", "--config", run / "config.yaml", "--out", out, "--loop.max_steps",
        "1000000", "--loop.patience", "0", "--loop.validate_every", "1000", "--loop.checkpoint_every", "5",
    )  # fmt: skip
    until(lambda: any(out.rglob("last.ckpt")), started)
    os.kill(started.process.pid, signum)
    assert started.wait(60) == code, started.said()
    err = told(started)
    assert f"--resume {out}" in err
    assert "Traceback" not in err
    steps = [torch.load(last, weights_only=True)["global_step"] for last in out.rglob("last.ckpt")]
    assert any(f"step {step} " in err for step in steps), err


def test_fault_F11_a_folder_takes_one_process_at_a_time(run, tmp_path):
    out = tmp_path / "shared"
    given = ["train.reward", "--config", run / "config.yaml", "--out", out, "--loop.max_steps", "100000"]
    first, second = begun(tmp_path, *given), begun(tmp_path, *given)
    until(lambda: not (first.is_running and second.is_running), None, seconds=60)
    loser, winner = (second, first) if first.is_running else (first, second)
    winner.kill()
    assert loser.wait() == 1, loser.said()
    err = told(loser)
    assert "Traceback" not in err
    assert "another process" in err or "holds a run already" in err


def test_fault_F12_more_devices_than_cores_are_refused(choices, tmp_path):
    started = begun(
        tmp_path, "train.reward", "--config", ROOT / "configs/reward/choices.yaml", "--source.path", choices,
        "--features.class_path", "fsa.features.numeric.Numeric", "--features.width", "2",
        "--projection.num_components", "null", "--projection.extras", "[]", "--loop.accelerator", "cpu",
        "--loop.devices", str((os.cpu_count() or 1) + 1), "--loop.max_steps", "2", "--out", tmp_path / "run",
    )  # fmt: skip
    assert started.wait(90) == 1, started.said()
    assert "CPU cores" in started.said()


def test_fault_F14_an_overwrite_that_cannot_begin_loses_nothing(run):
    before = sorted(path.name for path in run.iterdir() if not path.name.startswith("."))
    ended = command(
        "train.reward", "--config", run / "config.yaml", "--out", run, "--overwrite", "true",
        "--source.path", run / "nope.jsonl",
    )  # fmt: skip
    ended.refused("nope.jsonl")
    assert sorted(path.name for path in run.iterdir() if not path.name.startswith(".")) == before
    assert (run / "checkpoints" / "last.ckpt").exists()


def test_fault_F15_somebodys_model_is_not_overwritten(choices, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "model.safetensors").write_bytes(b"somebody's")
    train(folder, choices).refused("model.safetensors")
    assert (folder / "model.safetensors").read_bytes() == b"somebody's"


def test_fault_F15_a_finished_run_without_its_checkpoints_is_still_a_run(run, choices):
    shutil.rmtree(run / "checkpoints")
    before = weights(run)
    train(run, choices, "--seed", "3").refused("holds a run already")
    assert weights(run) == before


def test_fault_F15_a_mixture_of_two_runs_is_refused(run, choices, tmp_path):
    other = tmp_path / "other"
    train(other, choices, "--seed", "5").went_well()
    shutil.copy(other / "model.safetensors", run / "model.safetensors")
    with pytest.raises(ValueError, match="mixture"):
        fsa.RewardModel.from_pretrained(run)


def test_fault_F19_a_configuration_that_explodes_is_refused(choices, tmp_path):
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for i in range(8):
        name, of = chr(ord("b") + i), chr(ord("a") + i)
        bomb += f"{name}: &{name} [" + ", ".join([f"*{of}"] * 9) + "]\n"
    (tmp_path / "bomb.yaml").write_text(bomb)
    started = begun(tmp_path, "train.reward", "--config", tmp_path / "bomb.yaml")
    assert started.wait(40) in (1, 2), started.said()
    err = told(started)
    assert "error: " in err
    assert "Traceback" not in err


def test_fault_F19_a_run_without_a_source_is_refused(run):
    kept = re.sub(r"source:\n(  .*\n)+", "", (run / "config.yaml").read_text())
    (run / "config.yaml").write_text(kept)
    command("eval.context_curve", "--run", run, "--episodes", "20").refused("source")


def test_fault_F19_deep_nesting_is_refused(run):
    (run / "config.yaml").write_text("source: " + "[" * 3000 + "]" * 3000)
    command("eval.context_curve", "--run", run, "--episodes", "20").refused("deep")


def test_fault_F25_an_empty_split_is_named(choices, tmp_path):
    train(tmp_path / "run", choices, "--splits.fractions", "[0.9,0,0.1]").refused("validation")


def test_fault_F26_a_group_that_is_not_there_and_a_width_that_does_not_fit_say_what_helps(choices, tmp_path):
    ended = train(tmp_path / "a", choices, "--only_group", "zz")
    ended.refused("only_group", "no group")
    ended = train(tmp_path / "b", choices, "--features.width", "1")
    ended.refused("features.width")


def test_fault_F28_choices_that_are_all_ties_have_no_accuracy(tmp_path):
    rows = [
        {"user": f"u{user}", "prompt": f"p{i}", "options": [[i, user], [user, i + 0.5]], "chosen": "tie"}
        for user in range(60)
        for i in range(3)
    ]
    out = tmp_path / "run"
    train(
        out, lines(tmp_path / "ties.jsonl", rows), "--likelihood", "fsa.likelihoods.davidson.Davidson"
    ).went_well()
    command("eval.context_curve", "--run", out, "--context_sizes", "0,1", "--episodes", "20").went_well()
    rows = json.loads((out / "eval" / "report.json").read_text())["rows"]
    found = [row["value"] for row in rows if row["metric"] == "accuracy"]
    assert 1.0 not in found


def test_fault_F31_odd_file_names_and_no_files_are_refused(choices, tmp_path):
    text = 'source: {class_path: fsa.choices.jsonl.Jsonl, init_args: {path: "a\\0b"}}'
    (tmp_path / "a.yaml").write_text(text)
    command("train.reward", "--config", tmp_path / "a.yaml", "--out", tmp_path / "a").refused(
        "cannot be read"
    )
    given = ["--source.class_path", "fsa.choices.jsonl.Jsonl", "--source.path", "[]"]
    command("train.reward", *given, "--out", tmp_path / "b").refused("one file or more")


def test_fault_N11_the_card_says_how_choices_were_split_and_the_bar_names_no_epoch(run, choices, tmp_path):
    assert "by default" not in (run / "README.md").read_text()
    ended = train(tmp_path / "bar", choices, "--loop.progress", "true")
    assert "Epoch" not in ended.went_well().out + ended.err


def begun(folder: Path, *given) -> Started:
    """A command in a process of its own, with the cache of this one."""
    log = Path(tempfile.mkdtemp(dir=folder)) / "log.txt"
    return Started(given, Path(os.environ["FSA_CACHE"]), log)


def told(started: Started) -> str:
    """All that an ended command said, and what libraries said past Python."""
    return started.log.read_text() + started.log.with_suffix(".out").read_text(errors="replace")


def until(holds, started, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if holds():
                return
        except OSError:
            pass
        if started is not None and not started.is_running:
            raise AssertionError(f"it ended with {started.wait()}: {started.said()}")
        time.sleep(0.05)
    raise AssertionError("it took too long")
