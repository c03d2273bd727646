"""The API reference without the internet: Swagger UI at `/docs`, where calls can be tried, and ReDoc to read."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from civitai_mock.api.ui.pages import page

DOCS_URL, REDOC_URL = "/docs", "/redoc"

BOTH = {"script-src": "'self'", "connect-src": "'self'"}
# Swagger UI shows the picture that a tried call was answered with under a `blob:` URL.
SWAGGER_POLICY = {**BOTH, "style-src": "'self'", "img-src": "'self' data: blob:"}
# ReDoc writes its styles while it runs, and searches in a worker that it makes of a `blob:` URL. It also asks a CDN for
# the logo of its makers, which this policy refuses.
REDOC_POLICY = {**BOTH, "style-src": "'self' 'unsafe-inline'", "img-src": "'self' data:", "worker-src": "blob:"}


async def get_docs(request: Request) -> Response:
    return page(request, "swagger.html", policy=SWAGGER_POLICY)


async def get_redoc(request: Request) -> Response:
    return page(request, "redoc.html", policy=REDOC_POLICY)


ROUTES = [Route(DOCS_URL, get_docs), Route(REDOC_URL, get_redoc)]
