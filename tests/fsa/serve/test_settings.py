import pytest

from fsa.errors import ConfigError
from fsa.serve.settings import Settings


def test_a_worker_gets_what_the_server_was_told():
    settings = Settings("runs/x", port=9, max_wait_ms=2.5, trust_remote_code=True)
    assert Settings.from_json(settings.to_json()) == settings


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("example.org", False)],
)
def test_only_this_machine_reaches_a_loopback_address(host, is_loopback):
    assert Settings("m", host=host).is_loopback is is_loopback


def test_people_are_kept_in_the_run_folder_unless_it_is_said_where(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Settings("starter").store_url == f"sqlite:///{tmp_path.resolve()}/people.db"
    assert Settings(str(tmp_path)).store_url == f"sqlite:///{tmp_path.resolve()}/people.db"
    assert Settings("hub/id", store="sqlite:///a.db").store_url == "sqlite:///a.db"
    with pytest.raises(ConfigError, match="--store must say where people are kept"):
        _ = Settings("hub/id").store_url


BAD = {"workers": 0, "max_batch": 0, "max_responses": 1, "port": 70_000, "max_wait_ms": -1.0}


@pytest.mark.parametrize("wait", [float("inf"), float("nan"), 60_001.0])
def test_no_request_waits_longer_than_a_minute_for_company(wait):
    with pytest.raises(ConfigError, match="max_wait_ms must be from 0 to 60,000"):
        Settings("m", max_wait_ms=wait)


@pytest.mark.parametrize("bad", BAD)
def test_a_number_that_makes_no_sense_is_refused_by_name(bad):
    with pytest.raises(ConfigError, match=bad):
        Settings("m", **{bad: BAD[bad]})
