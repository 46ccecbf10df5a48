"""Which pair to show a person next."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/v1/people", tags=["people"])
