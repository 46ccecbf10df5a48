import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle

import pytest

from eval.bench.serve_client import press


@pytest.fixture
def server():
    """Answers everything with the status that it is told."""
    seen: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append(body)
            self.send_response(body["status"])
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}).start()
    yield f"http://127.0.0.1:{made.server_port}", seen
    made.shutdown()
    made.server_close()


def test_as_many_requests_are_made_as_are_asked_for(server):
    url, seen = server
    taken, latencies = press(url, cycle([{"status": 200, "n": i} for i in range(3)]), clients=2, requests=7)
    assert len(seen) == len(latencies) == 7
    assert 0 < max(latencies) <= taken


def test_an_answer_that_is_none_ends_the_measurement(server):
    with pytest.raises(RuntimeError, match="500"):
        press(server[0], cycle([{"status": 500}]), clients=1, requests=3)
