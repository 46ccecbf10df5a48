"""The page's files; what it does is tested in a browser, in tests/fsa/serve/page."""

import re

import pytest

from tests.fsa.serve.small import text_rewards

FILES = {
    "/": "text/html; charset=utf-8",
    "/page/page.js": "text/javascript; charset=utf-8",
    "/page/page.css": "text/css; charset=utf-8",
    "/page/favicon.svg": "image/svg+xml",
    "/favicon.ico": "image/svg+xml",
}


@pytest.mark.parametrize("path", FILES)
def test_files_come_with_a_policy_that_lets_nothing_else_in(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers.get_list("content-type") == [FILES[path]]
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert {policy[f"{kind}-src"] for kind in ("script", "style", "img", "connect")} == {"'self'"}
    assert policy["frame-ancestors"] == policy["trusted-types"] == "'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_page_asks_for_nothing_that_the_server_does_not_have(client):
    page = client.get("/").text
    named = re.findall(r'(?:href|src)="([^"#]+)"', page)
    assert len(named) >= 4
    assert {client.get(path).status_code for path in named} == {200}
    assert "//" not in re.sub(r"<!doctype[^>]*>", "", page)
    assert "style=" not in page
    assert not re.search(r"\son\w+=", page)


def test_no_file_makes_markup_of_texts(client):
    script = client.get("/page/page.js").text
    makers = "innerHTML outerHTML insertAdjacent document.write eval( DOMParser import("
    for name in makers.split():
        assert name not in script


def test_the_page_alone_needs_no_key(serve):
    client = serve(text_rewards())
    client.app.state.service.keys.add("acme", ["read"])
    assert client.get("/").status_code == 200
    assert client.get("/v1/candidates").status_code == 401
    assert client.get("/v1/about").status_code == 401
