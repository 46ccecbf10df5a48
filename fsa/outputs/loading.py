"""`load`: a reward model or a policy, whichever a folder holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fsa.outputs.policy import Policy
from fsa.outputs.reward_model import RewardModel
from fsa.runs.folder import CONFIG_JSON, read_json
from fsa.runs.opening import local_folder


def load(
    name: str | Path = "starter", *, revision: str | None = None, trust_remote_code: bool = False
) -> RewardModel:
    """Open a trained model: a `Policy` where the folder holds one, else a `RewardModel`.

    Args:
        name: Run folder, hub id, or "starter", the small model that comes with fsa.
        revision: Branch, tag or commit of a hub id.
        trust_remote_code: Whether parts that are not fsa's own may be imported and run.

    Raises:
        CheckpointError: There is no such model, or it cannot be opened; see `RewardModel.from_pretrained`.

    Example:
        >>> person = fsa.load("starter").for_user(choices)  # doctest: +SKIP
        >>> person.rank("How do I tie a tie?", answers, top_k=1)  # doctest: +SKIP
        [{'corpus_id': 2, 'score': 1.7, 'text': 'Cross the ends.'}]
    """
    folder = local_folder(name, revision)
    config: Any = read_json(folder / CONFIG_JSON)
    is_policy = isinstance(config, dict) and config.get("format") == Policy.layout
    kind = Policy if is_policy else RewardModel
    return kind.from_pretrained(folder, trust_remote_code=trust_remote_code)
