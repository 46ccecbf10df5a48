import pytest
import torch

from fsa.devices import torch_device


@pytest.mark.parametrize(("there", "device"), [(True, "cuda"), (False, "cpu")])
def test_auto_is_a_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch, there: bool, device: str):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert torch_device() == torch.device(device)


def test_a_device_by_its_name():
    assert torch_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(RuntimeError, match="abacus"):
        torch_device("abacus")
