"""`import fsa` is light, whole, and what it says it is."""

import subprocess
import sys
from pathlib import Path

import fsa

# The second of transformers' is what a language model needs, and what takes longest.
HEAVY = ("torch", "peft", "matplotlib", "transformers", "transformers.modeling_utils", "pandas")


def loaded(statement: str) -> str:
    """Modules of `HEAVY` that are there after a statement in a new process."""
    command = f"import sys; {statement}; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    return ran.stdout.strip().splitlines()[-1]


def test_importing_the_package_loads_nothing_heavy():
    assert loaded("import fsa") == "[]"


def test_help_of_the_command_loads_nothing_heavy():
    assert loaded("import fsa.cli.main") == "[]"


def test_opening_a_reward_model_loads_no_tables_plots_or_adapters():
    assert loaded("import fsa; fsa.RewardModel") == "['torch', 'transformers']"


def test_a_server_of_rewards_loads_none_either():
    assert loaded("import fsa.serve.application") == "['torch', 'transformers']"


def test_every_public_name_is_there():
    assert {name for name in fsa.__all__ if not hasattr(fsa, name)} == set()
    assert set(fsa.__all__) <= set(dir(fsa))
    assert fsa.RewardModel.__name__ == "RewardModel"
    assert not hasattr(fsa, "Nothing")


def test_the_version_is_that_of_the_distribution():
    assert fsa.__version__ == "unknown" or fsa.__version__[0].isdigit()


def test_beside_its_checkout_the_package_is_no_empty_namespace(tmp_path):
    """A folder called fsa, as a clone is, does not hide the installed package."""
    (tmp_path / "fsa" / "fsa").mkdir(parents=True)
    root = Path(fsa.__file__).parents[1]
    command = f"import sys; sys.path.append({str(root)!r}); import fsa; print(fsa.__file__)"
    ran = subprocess.run([sys.executable, "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert ran.stdout.strip() == fsa.__file__, ran.stderr
