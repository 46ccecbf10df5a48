"""The page at `/`, on which a person chooses and watches the model understand: files of the package."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter, Response

router = APIRouter(include_in_schema=False)

_KINDS = {
    "index.html": "text/html; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "favicon.svg": "image/svg+xml",
}
# Nothing but this server's own files, no markup made by code, in no other page's frame.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_FOLDER = files("fsa.serve") / "page"
_FILES = {name: (_FOLDER / name).read_bytes() for name in _KINDS}


@router.get("/")
async def page() -> Response:
    """The page."""
    return _file("index.html")


@router.get("/page/page.js")
async def script() -> Response:
    """What moves it."""
    return _file("page.js")


@router.get("/page/page.css")
async def style() -> Response:
    """How it looks."""
    return _file("page.css")


@router.get("/page/favicon.svg")
@router.get("/favicon.ico")
async def favicon() -> Response:
    """Its mark, which browsers show beside its name."""
    return _file("favicon.svg")


def _file(name: str) -> Response:
    return Response(_FILES[name], headers={**_HEADERS, "Content-Type": _KINDS[name]})
