import numpy as np
import pytest

import eval.bench.serve as recipe
from eval.bench.serve_models import Load


def test_batches_are_compared_with_one_at_a_time(monkeypatch, tmp_path):
    """Rate 400 against 100 a second; of the processor 1 ms against 4 a request."""
    said = iter([(400.0, 5.0, 9.0, 1.0), (100.0, 20.0, 30.0, 4.0)] * 2)

    class Server:
        def __enter__(self) -> str:
            return "http://x"

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(recipe, "serving", lambda *_, **__: Server())
    monkeypatch.setattr(recipe, "_with_processor_time", lambda *_: next(said))
    figures = recipe._speed(Load("numbers", tmp_path, 1), 8, 1.0, 2, at_least=4.0)
    values = {figure.metric: figure.value for figure in figures}
    assert values["numbers_batching"] == 4.0
    assert values["numbers_processor"] == 4.0
    assert (values["numbers_rate"], values["numbers_rate_alone"]) == (400, 100)
    assert (values["numbers_p50"], values["numbers_p99"]) == (5, 9)
    assert figures[0].is_kept
    assert np.isfinite(list(values.values())).all()


def test_a_server_that_ended_never_gets_ready():
    with pytest.raises(RuntimeError, match="does not get ready"):
        recipe.wait("http://127.0.0.1:9", lambda: False)
