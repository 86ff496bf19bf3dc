"""Whole lists as files, streamed."""

from fastapi import APIRouter, Depends

from app.api.access import ReadAccess
from app.bootstrap import Product


def make_router(product: Product) -> APIRouter:
    """Return the routes of this file under /api/v1."""
    access = Depends(ReadAccess(product.api_tokens))
    return APIRouter(prefix="/api/v1", dependencies=[access], tags=["export"])
