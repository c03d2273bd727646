"""The front page, and what ComfyUI's own web page would ask for next."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.providers.simulator.comfyui_server.routes.answers import JsonAnswer

PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>ComfyUI (stand-in)</title></head>
<body>
<h1>ComfyUI stand-in</h1>
<p>This server speaks ComfyUI's HTTP and WebSocket protocol without a GPU or a model. It has no graphical interface.</p>
<p>See <a href="system_stats">system_stats</a>, <a href="object_info">object_info</a>, <a href="queue">queue</a>,
<a href="history">history</a> and <a href="standin">standin</a>.</p>
</body>
</html>
"""
HTML = {"content-type": "text/html"}
UNCACHED = {"Cache-Control": "no-cache", "Pragma": "no-cache", "Expires": "0"}


async def root(_: Request) -> Response:
    return Response(PAGE, headers={**HTML, **UNCACHED})


async def index(_: Request) -> Response:
    """The same page as a file, which may be cached."""
    return Response(PAGE, headers=HTML)


async def extensions(_: Request) -> Response:
    """Scripts for the web page: there are none."""
    return JsonAnswer([])


async def nothing_by_pack(_: Request) -> Response:
    """Example workflows and translations of node packs: there are none."""
    return JsonAnswer({})


PAGE_FILES: list[BaseRoute] = [Route("/index.html", index, methods=["GET"])]  # not under /api
ROUTES: list[BaseRoute] = [
    Route("/", root, methods=["GET"]),
    Route("/extensions", extensions, methods=["GET"]),
    Route("/workflow_templates", nothing_by_pack, methods=["GET"]),
    Route("/i18n", nothing_by_pack, methods=["GET"]),
]
