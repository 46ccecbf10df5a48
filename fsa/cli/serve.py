"""`fsa serve`: rewards and answers over HTTP, for people whose choices lie in a database."""

from __future__ import annotations

from typing import Any

from fsa.errors import ConfigError
from fsa.serve.settings import Settings


def serve(model: str, **settings: Any) -> None:
    """Serve a model over HTTP until told to stop; needs `pip install 'fsa[serve]'`.

    Args:
        model: Run folder or hub id of a reward model, or of a policy, which scores too.
    """
    try:
        from fsa.serve.server import run
    except ImportError as error:
        raise ConfigError(f"serving needs more packages ({error}): pip install 'fsa[serve]'") from error
    run(Settings(model=model, **settings))
