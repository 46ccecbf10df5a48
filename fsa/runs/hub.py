"""`OnHub`: adds `push_to_hub` to a model that has `save_pretrained`."""

from __future__ import annotations

import tempfile
import warnings
from abc import abstractmethod
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi

from fsa.runs.licences import fetch_readme, is_local

HANDLER, REQUIREMENTS = "handler.py", "requirements.txt"


class OnHub:
    """Gives a model `push_to_hub`.

    Attributes:
        config: Plain form of the model's parts, as its config.json has it.
        origin: Folder that the model was opened from, which its model card is filled from; None for a model
            that was never saved.
    """

    config: dict[str, Any]
    origin: Path | None = None

    @abstractmethod
    def save_pretrained(self, folder: str | Path) -> None:
        """Write the model and its card into a folder."""

    def push_to_hub(
        self,
        repo_id: str,
        *,
        private: bool | None = None,
        token: str | None = None,
        revision: str | None = None,
        commit_message: str = "Upload model",
    ) -> str:
        """Upload what `save_pretrained` writes (config, weights, projection and card; nothing of the data),
        and a handler for the hub's Inference Endpoints.

        Args:
            repo_id: `owner/name` on the hub; made if there is none.
            private: Whether a repository that is made is private; None does as the owner's settings say.
            token: Of the hub; None takes that of `hf auth login` or `HF_TOKEN`.
            revision: Branch to upload to, made if there is none; None for main.
            commit_message: Of the upload.

        Returns:
            Address of the commit.

        Raises:
            HfHubHTTPError: The hub refuses (huggingface_hub's own error).
        """
        from fsa.runs.model_card import backbone_of  # tables and plots take seconds: not to open a model

        backbone = backbone_of(self.config)
        if backbone and is_local(backbone):
            warnings.warn(
                f"the backbone of this model is the folder {backbone}: elsewhere the model opens only where "
                "there is one of that name. Train with a hub id to share it",
                stacklevel=2,
            )
        if backbone:
            fetch_readme(backbone, token)  # for its licence, which the card names
        api = HfApi(token=token)
        with tempfile.TemporaryDirectory() as folder:
            self.save_pretrained(folder)
            write_handler(Path(folder))
            api.create_repo(repo_id, private=private, exist_ok=True)
            if revision and not revision.startswith("refs/"):
                api.create_branch(repo_id, branch=revision, exist_ok=True)
            uploaded = api.upload_folder(
                repo_id=repo_id, folder_path=folder, revision=revision, commit_message=commit_message
            )
        return str(uploaded.commit_url)


def write_handler(folder: Path) -> None:
    """Write what the hub's Inference Endpoints run a model by: an import of ours, and what to install."""
    (folder / HANDLER).write_text("from fsa.outputs.endpoint import EndpointHandler  # noqa: F401\n")
    (folder / REQUIREMENTS).write_text("fsa[demo]\n")
