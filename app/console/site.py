"""The site: the API and the pages around it, as one application."""

from fastapi import FastAPI

from app.api.door import make_app
from app.bootstrap import Product
from app.console import assets, log, login, lost, oidc, pages, setup
from app.console.headers import Headers
from app.console.packing import Packing


def make_site(product: Product) -> FastAPI:
    """Return the API with the console."""
    app = make_app(product)
    files = assets.Assets()
    app.include_router(assets.make_router(files))
    drawn = pages.Pages(product, files)
    # Before the others, which have a screen of the same name.
    app.include_router(log.make_router(drawn))
    app.include_router(login.make_router(drawn))
    app.include_router(oidc.make_router(drawn))
    app.include_router(setup.make_router(drawn))
    app.include_router(pages.make_router(drawn))
    lost.install(app, drawn)
    # Around all of it: what answers for a bug of ours stands outside of
    # every middleware that is added.
    app.middleware_stack = Headers(Packing(app.build_middleware_stack()))
    return app
