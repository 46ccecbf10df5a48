"""Output held to a schema: nothing else can be written, and samples are samples."""

import json

import pytest
import torch

pytest.importorskip("llguidance")

from fsa.errors import ConfigError
from fsa.judge.engines.constrained import ConstrainedSampling, Grammars
from fsa.judge.schema import scores_schema
from tests.factories.judges import byte_tokenizer

TOKENIZER = byte_tokenizer()
WIDTH = len(TOKENIZER) + 8


def written(schema: dict, wishes: torch.Generator, temperature: float = 0.0, most: int = 400) -> str:
    """What comes out where the model wishes for random tokens."""
    matcher = Grammars(TOKENIZER, WIDTH).matcher(schema)
    sampling = ConstrainedSampling([matcher], [0], temperature)
    ids = torch.zeros(1, 1, dtype=torch.long)
    for _ in range(most):
        token = sampling(ids, torch.randn(1, WIDTH, generator=wishes)).argmax(-1)
        if token == TOKENIZER.eos_token_id:
            break
        ids = torch.cat([ids, token[None]], 1)
    return TOKENIZER.decode(ids[0, 1:].tolist())


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_random_wishes_become_valid_answers_written_as_json_dumps_would(temperature):
    schema, wishes = scores_schema("AB", 12), torch.Generator().manual_seed(0)
    scores = set()
    for _ in range(25):
        text = written(schema, wishes, temperature)
        answer = json.loads(text)  # strict: a raw control character would raise
        assert list(answer) == ["A", "B"]
        for entry in answer.values():
            assert list(entry) == ["reasoning", "score"]
            assert 1 <= len(entry["reasoning"]) <= 12
            assert 0 <= entry["score"] <= 100
            scores.add(entry["score"])
        assert text.startswith('{"A": {"reasoning": "')
        assert '", "score": ' in text
    assert len(scores) > 5


def test_samples_come_as_often_as_the_model_says():
    class Anything:
        """Allows the first three tokens."""

        def is_stopped(self):
            return False

        def consume_token(self, token):
            pass

        def compute_logit_bias(self):
            return bytes([200, 200, 200, 0])

    rows, probabilities = 4000, torch.tensor([0.6, 0.3, 0.1, 0.0])
    logits = torch.tensor([0.6, 0.3, 0.1, 5.0]).log().repeat(rows, 1)
    sampling = ConstrainedSampling([Anything()] * rows, range(rows), temperature=1.0)
    drawn = sampling(torch.zeros(rows, 1, dtype=torch.long), logits).argmax(-1)
    shares = torch.bincount(drawn, minlength=4) / rows
    # Four standard errors of a share: 4 * sqrt(p (1 - p) / n).
    assert (shares - probabilities).abs().le(4 * (probabilities * (1 - probabilities) / rows).sqrt()).all()
    # Half the temperature squares the odds: 0.36 : 0.09 : 0.01.
    colder = ConstrainedSampling([Anything()] * rows, range(rows), temperature=0.5)
    share = (colder(torch.zeros(rows, 1, dtype=torch.long), logits).argmax(-1) == 0).float().mean()
    assert abs(share - 0.36 / 0.46) < 4 * (0.36 / 0.46 * 0.10 / 0.46 / rows) ** 0.5


def test_a_schema_that_is_none_is_one_clear_error():
    with pytest.raises(ConfigError, match="cannot be constrained to a schema"):
        Grammars(TOKENIZER, WIDTH).matcher({"type": "wish"})
