"""What the server is and has: its front page, node definitions, system, features."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.comfyui_standin import messages
from civitai_mock.comfyui_standin.routes.answers import JsonAnswer, standin_of


async def object_info(request: Request) -> Response:
    workshop = standin_of(request).workshop
    return JsonAnswer({name: node.wire(workshop.listing) for name, node in workshop.definitions.items()})


async def object_info_of(request: Request) -> Response:
    """`{}` for a class that there is not."""
    workshop, name = standin_of(request).workshop, request.path_params["name"]
    node = workshop.definitions.get(name)
    return JsonAnswer({name: node.wire(workshop.listing)} if node else {})


async def system_stats(request: Request) -> Response:
    return JsonAnswer(standin_of(request).workshop.installation.system.wire)


async def features(request: Request) -> Response:
    limit = standin_of(request).workshop.options.told_upload_bytes
    return JsonAnswer(messages.features(limit))


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
    Route("/object_info", object_info, methods=["GET"]),
    Route("/object_info/{name:segment}", object_info_of, methods=["GET"]),
    Route("/system_stats", system_stats, methods=["GET"]),
    Route("/features", features, methods=["GET"]),
    Route("/", root, methods=["GET"]),
    Route("/extensions", extensions, methods=["GET"]),
    Route("/workflow_templates", nothing_by_pack, methods=["GET"]),
    Route("/i18n", nothing_by_pack, methods=["GET"]),
]
