"""The plugin inside an engine that follows vLLM's protocol of resolvers line by line."""

import asyncio
import json
import os
import sys
import threading
import time
import tomllib
from abc import ABC, abstractmethod
from collections import defaultdict
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from pkgutil import resolve_name
from types import ModuleType

import pytest
from peft import PeftModel
from transformers import AutoModelForCausalLM

from fsa.serve import vllm
from tests.factories.policies import make_policy
from tests.factories.reward_models import text_choices_of

ROOT = Path(__file__).parents[3]


@dataclass
class LoRARequest:
    """As in vllm/lora/request.py."""

    lora_name: str
    lora_int_id: int
    lora_path: str

    def __post_init__(self):
        assert self.lora_int_id >= 1
        assert self.lora_path


class LoRAResolver(ABC):
    """As in vllm/lora/resolver.py."""

    @abstractmethod
    async def resolve_lora(self, base_model_name, lora_name): ...


class Registry:
    """As in vllm/lora/resolver.py."""

    def __init__(self):
        self.resolvers = {}

    def register_resolver(self, name, resolver):
        assert isinstance(resolver, LoRAResolver)
        self.resolvers[name] = resolver


class Engine:
    """`OpenAIServingModels`: knows adapters by name, asks resolvers for those it does not know."""

    def __init__(self, registry, base):
        self.base, self.resolvers = base, list(registry.resolvers.values())
        self.lora_requests, self.locks, self.counter = {}, defaultdict(asyncio.Lock), 0
        self.loaded = []  # names, as often as their weights were read

    async def resolve_lora(self, lora_name):
        async with self.locks[lora_name]:
            if lora_name in self.lora_requests:
                return self.lora_requests[lora_name]
            self.counter += 1
            number = self.counter
            for resolver in self.resolvers:
                request = await resolver.resolve_lora(self.base, lora_name)
                if request is not None:
                    request.lora_int_id = number
                    PeftModel.from_pretrained(
                        AutoModelForCausalLM.from_pretrained(self.base), request.lora_path
                    )
                    self.loaded.append(lora_name)
                    self.lora_requests[lora_name] = request
                    return request
            return 404

    def unload_lora_adapter(self, lora_name):
        if lora_name not in self.lora_requests:
            message = f"The lora adapter '{lora_name}' cannot be found."
            return 404, {"error": {"message": message, "type": "NotFoundError", "code": 404}}
        del self.lora_requests[lora_name]
        return 200, f"Success: LoRA adapter '{lora_name}' removed successfully."


def write(path, people, age=0):
    lines = [{"user": user, **one} for user, each in people.items() for one in each]
    path.with_suffix(".new").write_text("".join(json.dumps(line) + "\n" for line in lines))
    os.utime(path.with_suffix(".new"), ns=(age, age))
    path.with_suffix(".new").rename(path)


@pytest.fixture
def registry(monkeypatch):
    """vLLM's modules, as much of them as the plugin imports."""
    found = Registry()
    for name, members in {
        "vllm": {},
        "vllm.lora": {},
        "vllm.lora.request": {"LoRARequest": LoRARequest},
        "vllm.lora.resolver": {"LoRAResolver": LoRAResolver, "LoRAResolverRegistry": found},
    }.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    return found


@pytest.fixture
def engine(registry, tmp_path, llama, own_cache, monkeypatch):
    """An engine with the plugin, whose route for unloading answers over HTTP."""
    make_policy(llama).save_pretrained(tmp_path / "policy")
    write(tmp_path / "people.jsonl", {"ann": text_choices_of(0, 3), "bob": text_choices_of(1, 3)})
    monkeypatch.setenv("FSA_MODEL", str(tmp_path / "policy"))
    monkeypatch.setenv("FSA_PEOPLE", str(tmp_path / "people.jsonl"))
    monkeypatch.setenv("FSA_VLLM_REFRESH", "0.05")
    vllm.register()
    found = Engine(registry, str(llama))

    class Route(BaseHTTPRequestHandler):
        def do_POST(self):
            assert self.path == "/v1/unload_lora_adapter"
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, said = found.unload_lora_adapter(**body)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, *said): ...

    server = HTTPServer(("127.0.0.1", 0), Route)
    monkeypatch.setenv("FSA_VLLM_URL", f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()


def soon(is_so):
    end = time.monotonic() + 20
    while not is_so() and time.monotonic() < end:
        time.sleep(0.02)
    return is_so()


def test_a_person_is_folded_once_dropped_when_their_choices_change_and_gone_when_erased(engine, tmp_path):
    async def asked(*names):
        return await asyncio.gather(*(engine.resolve_lora(name) for name in names))

    ann, bob, again, nobody = asyncio.run(asked("ann", "bob", "ann", "zoe"))
    assert again is ann
    assert nobody == 404
    assert sorted(engine.loaded) == ["ann", "bob"]
    assert ann.lora_path != bob.lora_path
    assert ann.lora_int_id != bob.lora_int_id

    people = {"ann": text_choices_of(0, 5), "bob": text_choices_of(1, 3)}
    write(tmp_path / "people.jsonl", people, age=1)
    assert soon(lambda: "ann" not in engine.lora_requests)
    assert "bob" in engine.lora_requests
    [changed] = asyncio.run(asked("ann"))
    assert changed.lora_path != ann.lora_path
    assert not Path(ann.lora_path).exists()

    write(tmp_path / "people.jsonl", {"bob": people["bob"]}, age=2)
    assert soon(lambda: "ann" not in engine.lora_requests)
    assert asyncio.run(asked("ann")) == [404]
    assert not Path(changed.lora_path).exists()
    assert engine.loaded.count("bob") == 1


def test_without_a_model_the_plugin_is_not_there(registry, monkeypatch):
    monkeypatch.delenv("FSA_MODEL", raising=False)
    vllm.register()
    assert registry.resolvers == {}


def test_vllm_finds_the_plugin_by_its_entry_point():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    [path] = project["entry-points"]["vllm.general_plugins"].values()
    assert resolve_name(path) is vllm.register
