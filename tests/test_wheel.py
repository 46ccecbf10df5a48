"""What one gets who only installs the wheel: presets, recipes and commands, in an empty folder."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
QUICK = ["--settings=--loop.max_steps=40", "--settings=--loop.progress=false"]
QUICK += ["--settings=--episodes.validation_episodes=60"]
NUMBERS = ["--features", "fsa.features.numeric.Numeric", "--features.width", "2"]
NUMBERS += ["--projection.num_components", "null", "--projection.extras", "[]"]
STEPS = ["--source.path", "people.jsonl"]
STEPS += ["--loop.max_steps", "20", "--loop.validate_every", "10", "--loop.progress", "false"]
STEPS += ["--episodes.validation_episodes", "60"]
SCORE = ["--candidates", "candidates.jsonl", "--out", "s.jsonl"]
ONE_AFTER_ANOTHER = """
import json, sys
import fsa
from fsa.cli.main import main
for words in json.loads(sys.argv[1]):
    sys.argv = ["fsa", *words]
    try:
        main()
    except SystemExit as end:
        assert not end.code, (words, end.code)
    for stream in (sys.stdout, sys.stderr):
        print("ended:", words[0], file=stream)
print(fsa.__file__)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The wheel of this checkout, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "checkout"  # so that no build folder is left in the checkout
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if names.returncode:
        pytest.skip("needs a git checkout, whose files are what a wheel is built from")
    for name in names.stdout.splitlines():
        if name.startswith(("fsa/", "configs/")) or "/" not in name:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    build = [sys.executable, "-m", "pip", "wheel", str(copy), "--no-deps", "--no-build-isolation", "-q"]
    done = subprocess.run([*build, "-w", str(folder)], capture_output=True, text=True)
    if done.returncode and "No module named pip" in done.stderr:
        pytest.skip("needs pip in this environment")
    assert not done.returncode, done.stderr
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def test_every_module_every_yaml_and_the_page_of_the_checkout_are_in_the_wheel(installed):
    code = {path.relative_to(ROOT) for path in (ROOT / "fsa").rglob("*.py")}
    presets = {
        Path("fsa/presets") / p.relative_to(ROOT / "configs") for p in (ROOT / "configs").rglob("*.yaml")
    }
    assert len(code) > 100
    assert len(presets) > 30
    inside = {name: (ROOT / "fsa" / name).iterdir() for name in ("starter", "serve/page")}
    starter, page = ({path.relative_to(ROOT) for path in found} for found in inside.values())
    assert len(starter) == len(page) == 4
    assert not [path for path in code | presets | starter | page if not (installed / path).is_file()]


@pytest.mark.slow
def test_from_the_wheel_alone_one_can_fit_score_evaluate_and_train(installed, tmp_path):
    rng = np.random.default_rng(0)
    choices = [
        {
            "user": f"u{u}",
            "prompt": f"p{i}",
            "options": rng.normal(size=(2, 2)).tolist(),
            "chosen": int(u % 2),
        }
        for u in range(30)
        for i in range(12)
    ]
    (tmp_path / "people.jsonl").write_text("\n".join(map(json.dumps, choices)))
    candidate = {"user": "u1", "prompt": "p", "response": [1.0, 0.0]}
    (tmp_path / "candidates.jsonl").write_text(json.dumps(candidate))

    commands = [
        ["fit", "people.jsonl", "--out", "run", "--folds", "1", *QUICK],
        ["score", "--model", "run", "--choices", "people.jsonl", *SCORE],
        ["evaluate", "run/folds/0/personal", "--context-sizes", "0,5", "--episodes", "20"],
        ["train", "reward", "--config", "reward/choices", *NUMBERS, *STEPS, "--out", "two"],
    ]
    # In one process: importing takes longer than the commands.
    done = subprocess.run(
        [sys.executable, "-c", ONE_AFTER_ANOTHER, json.dumps(commands)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed), "FSA_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stderr
    of_fit = [said.partition("ended: fit")[0] for said in (done.stdout, done.stderr)]
    assert "one model for everybody" in "".join(of_fit)
    assert str(installed) in done.stdout.splitlines()[-1]
    assert json.loads((tmp_path / "s.jsonl").read_text())["rank"] == 1
    assert (tmp_path / "run" / "folds" / "0" / "personal" / "eval" / "report.json").is_file()
    assert (tmp_path / "two" / "model.safetensors").is_file()


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_it_imports_and_helps_on_newer_pythons(installed, version):
    """With none of its dependencies: importing and asking for help need none."""
    here = [shutil.which(f"python{version}"), *Path.home().glob(f".pyenv/versions/{version}.*/bin/python")]
    found = [
        str(p) for p in here if p and not subprocess.run([p, "--version"], capture_output=True).returncode
    ]
    if not found:
        pytest.skip(f"needs Python {version}")
    alone = {"PYTHONPATH": str(installed), "PATH": os.environ["PATH"]}
    for command in (["-c", "import fsa"], ["-m", "fsa.cli.main", "--help"]):
        done = subprocess.run([found[0], *command], env=alone, capture_output=True, text=True)
        assert not done.returncode, done.stderr
    assert "fsa COMMAND --help says more" in done.stdout
