"""A language model of one's own making for tests of judges: scripted, tiny, or a server that misbehaves."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import Gemma3ForCausalLM, Gemma3TextConfig, PreTrainedTokenizerFast

from fsa.judge.engines.engine import Engine, Question, Reply

CHAT_TEMPLATE = (
    "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


class Scripted(Engine):
    """Answers each question by a function; a text that it gives is a reply without a problem."""

    def __init__(self, answer: Callable[[Question], str | Reply]) -> None:
        self.answer, self.asked = answer, []

    def ask(self, questions: Sequence[Question], progress: bool = False) -> list[Reply]:
        self.asked += questions
        answers = [self.answer(question) for question in questions]
        return [
            Reply(one, prompt_tokens=10, generated_tokens=5) if isinstance(one, str) else one
            for one in answers
        ]


def shown_in(question: Question) -> dict[str, str]:
    """Text of each letter in a question whose texts are single lines."""
    return dict(re.findall(r"Response ([A-Z]):\n(.*)", question.ask))


def rated(question: Question) -> str:
    """A score for each response: the number that its text ends in."""
    return json.dumps(
        {
            letter: {"reasoning": f"It ends in {text.split()[-1]}.", "score": int(text.split()[-1])}
            for letter, text in shown_in(question).items()
        }
    )


def by_length(question: Question) -> str:
    """A score for each response: its length in characters, at most 100."""
    return json.dumps(
        {
            letter: {"reasoning": "Its length.", "score": min(len(text), 100)}
            for letter, text in shown_in(question).items()
        }
    )


def byte_model(folder: Path, chat: bool = False) -> Path:
    """A causal model with random weights, a sliding window of 8 tokens and one token a byte.

    Its window is shorter than any prompt: what is kept of a prompt has to be masked right.
    """
    torch.manual_seed(0)
    tokenizer = byte_tokenizer()
    if chat:
        tokenizer.chat_template = CHAT_TEMPLATE
    config = Gemma3TextConfig(
        vocab_size=len(tokenizer) + 8,  # as wide as hardware likes, wider than there are tokens
        hidden_size=16,
        num_hidden_layers=3,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        intermediate_size=32,
        sliding_window=8,
        max_position_embeddings=4096,
        initializer_range=0.6,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=1,
    )
    Gemma3ForCausalLM(config).eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def byte_tokenizer() -> PreTrainedTokenizerFast:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate(["<pad>", "<eos>", *alphabet])}
    backend = Tokenizer(models.BPE(vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(["<pad>", "<eos>"])
    return PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>", eos_token="<eos>")


class Misbehaving:
    """A server on loopback that gives what it is told to, one behaviour a request, the last one for ever.

    Attributes:
        bodies: JSON of every request, in the order that they came.
        headers: Headers of every request.
        times: When each request came, in seconds.
    """

    def __init__(self, behaviours: Sequence[str | int | tuple[int, dict[str, str], str]]) -> None:
        self.behaviours = list(behaviours)
        self.bodies: list[dict] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.most_at_once = self._now = 0
        self._lock = threading.Lock()

    def next(self, body: dict, headers: dict[str, str]) -> str | int | tuple[int, dict[str, str], str]:
        with self._lock:
            self.bodies.append(body)
            self.headers.append(headers)
            self.times.append(time.monotonic())
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            return self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]

    def done(self) -> None:
        with self._lock:
            self._now -= 1


@contextmanager
def misbehaving(
    *behaviours: str | int | tuple[int, dict[str, str], str],
) -> Iterator[tuple[str, Misbehaving]]:
    """A running server and its address. A behaviour is the content of a good answer, the number of a status,
    "<hang>", "<close>", "<cut>" (a body that ends early), or (status, headers, raw body)."""
    state = Misbehaving(behaviours)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            what = state.next(body, dict(self.headers))
            try:
                self._give(what)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the client has gone, as it should after its time-out
            finally:
                state.done()

        def _give(self, what: str | int | tuple[int, dict[str, str], str]) -> None:
            if what == "<hang>":
                time.sleep(1.0)
            elif what == "<close>":
                self.close_connection = True
            elif what == "<cut>":
                self._send(200, {"Content-Length": "5000"}, good_body("{}"))
            elif isinstance(what, int):
                self._send(what, {}, "trouble")
            elif isinstance(what, tuple):
                self._send(*what)
            else:
                self._send(200, {}, good_body(what))

        def _send(self, status: int, headers: dict[str, str], text: str) -> None:
            raw = text.encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(raw)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def good_body(content: str | None, finish_reason: str = "stop", **message: object) -> str:
    """What an OpenAI-compatible server answers: 7 tokens read, 3 written."""
    choice = {"index": 0, "finish_reason": finish_reason, "message": {"content": content, **message}}
    return json.dumps({"choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": 3}})
