"""A plugin of vLLM's: a client that asks for `model: "ann"` gets Ann's policy.

`FSA_MODEL=runs/policy FSA_PEOPLE=people.jsonl vllm serve BACKBONE --enable-lora --max-lora-rank 16`, with fsa
installed. vLLM asks resolvers for the adapter of every model that it does not know; this one folds it from
the person's choices. vLLM never asks twice, so a thread tells it to forget an adapter whose person changed.
"""

from __future__ import annotations

import asyncio
import json
import os
import urllib.error
import urllib.request
from typing import Any

from fsa.serve.in_process import MODEL
from fsa.serve.person_adapters import PersonAdapters, Watch

URL, REFRESH = "FSA_VLLM_URL", "FSA_VLLM_REFRESH"
"""Environment variables: address of this vLLM, for unloading; seconds between two looks at the people."""

_HERE, _EVERY, _PATIENCE = "http://127.0.0.1:8000", 5.0, 10.0


def register() -> None:
    """Entry point of `vllm.general_plugins`; without FSA_MODEL it does nothing.

    Raises:
        ConfigError: No people are named.
    """
    if not os.environ.get(MODEL):
        return
    from vllm.lora.request import LoRARequest
    from vllm.lora.resolver import LoRAResolver, LoRAResolverRegistry

    adapters = PersonAdapters()
    watch = Watch(adapters, unload, float(os.environ.get(REFRESH) or _EVERY))

    class PersonResolver(LoRAResolver):
        """Resolves the names of people."""

        async def resolve_lora(self, base_model_name: str, lora_name: str) -> Any:
            """The person's adapter; None leaves the name to other resolvers."""
            folder = await asyncio.to_thread(adapters.folder_of, lora_name)
            if folder is None:
                return None
            watch.start()
            # The engine gives it a number of its own.
            return LoRARequest(lora_name=lora_name, lora_int_id=1, lora_path=str(folder))

    LoRAResolverRegistry.register_resolver("fsa", PersonResolver())


def unload(name: str) -> None:
    """Make vLLM forget an adapter; one that it does not have is forgotten already.

    Needs VLLM_ALLOW_RUNTIME_LORA_UPDATING=True in vLLM's environment.

    Raises:
        OSError: vLLM cannot be reached, or refuses.
    """
    url = (os.environ.get(URL) or _HERE).rstrip("/") + "/v1/unload_lora_adapter"
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get("VLLM_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(url, json.dumps({"lora_name": name}).encode(), headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE):  # noqa: S310 # nosec B310
            return
    except urllib.error.HTTPError as error:
        said = error.read(10_000).decode(errors="replace")
        if error.code == 404 and "cannot be found" in said:
            return
        raise
