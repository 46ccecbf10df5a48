"""What those who run the server ask."""

from sqlalchemy.exc import OperationalError


def test_a_server_that_can_reach_its_database_is_ready(client):
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").json() == {"status": "ok"}


def test_without_its_database_it_lives_but_is_not_ready(client, monkeypatch):
    def gone():
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    monkeypatch.setattr(client.app.state.service.store, "check", gone)
    assert client.get("/health").status_code == 200
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"


def test_metrics_count_requests_by_route_never_by_path(client):
    client.put("/v1/people/ann-secret")
    client.post("/v1/score", json={"responses": ["a"]})
    client.get("/v1/people/somebody-else")
    page = client.get("/metrics").text
    assert 'fsa_requests_total{method="PUT",route="/v1/people/{person}",status="201"} 1.0' in page
    assert 'fsa_requests_total{method="GET",route="/v1/people/{person}",status="404"} 1.0' in page
    assert 'fsa_batch_requests_count{what="score"} 1.0' in page
    assert 'fsa_beliefs_total{found="read"} 1.0' in page
    assert "ann-secret" not in page
    assert "somebody-else" not in page


def test_there_is_a_model_for_clients_that_ask(client):
    assert [one["id"] for one in client.get("/v1/models").json()["data"]] == ["fsa"]


def test_it_says_what_it_is_and_may_be_asked(client):
    said = client.get("/v1/about").json()
    service = client.app.state.service
    assert said["model"] == service.model_hash
    assert (said["policy"], said["judge"]) == (False, False)
    assert said["max_responses"] == service.settings.max_responses
