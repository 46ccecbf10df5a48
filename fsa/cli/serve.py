"""`fsa serve`: rewards and answers over HTTP, for people whose choices lie in a database."""

from __future__ import annotations

from fsa.errors import ConfigError


def serve(
    model: str,
    policy: str = "",
    judge: str = "",
    candidates: str = "",
    store: str = "",
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    max_batch: int = 64,
    max_wait_ms: float = 1.0,
    max_queue: int = 1024,
    max_body_bytes: int = 1_000_000,
    max_tokens: int = 512,
    trust_remote_code: bool = False,
) -> None:
    """Serve a model over HTTP until told to stop; needs `pip install 'fsa[serve]'`.

    Args:
        model: Run folder or hub id of a reward model, or of a policy, which scores too.
        policy: Run folder or hub id of a policy for chat completions.
        judge: Folder of a saved regressor, for candidates and a target.
        candidates: JSONL file of one candidate a line, `prompt` and `response`, for the page at / and others.
        store: URL of the database of people, sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE;
            people.db in the run folder (of the starter, in this folder) if not given.
        host: Address to listen on. One that other machines reach needs a key, see `fsa keys`.
        port: Port to listen on.
        workers: Processes; each opens the models.
        max_batch: Requests computed together; 1 computes one at a time.
        max_wait_ms: Milliseconds that the first request of a batch waits for company.
        max_queue: Requests that may wait; more are answered 429.
        max_body_bytes: Largest request.
        max_tokens: Longest answer of the policy, in tokens.
        trust_remote_code: Run parts of a model that are not fsa's own.
    """
    given = dict(locals())
    try:
        from fsa.serve.server import run
        from fsa.serve.settings import Settings
    except ImportError as error:
        raise ConfigError(f"serving needs more packages ({error}): pip install 'fsa[serve]'") from error
    run(Settings(**given))
