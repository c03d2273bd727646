"""The routes about the server: its node definitions, system and features, and its front page."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from civitai_mock.comfyui_standin import messages
from civitai_mock.comfyui_standin.routes.responses import ComfyJsonResponse, standin_of

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
HTML_HEADERS = {"content-type": "text/html"}
UNCACHED_HEADERS = {"Cache-Control": "no-cache", "Pragma": "no-cache", "Expires": "0"}


async def get_object_info(request: Request) -> Response:
    state = standin_of(request).state
    text = state.object_info.text(state.definitions, state.list_folder)
    return Response(text, media_type=ComfyJsonResponse.media_type)


async def get_node_info(request: Request) -> Response:
    """Return one definition, or `{}` for an unknown class."""
    state, name = standin_of(request).state, request.path_params["name"]
    node = state.definitions.get(name)
    return ComfyJsonResponse({name: node.wire(state.list_folder)} if node else {})


async def get_system_stats(request: Request) -> Response:
    return ComfyJsonResponse(standin_of(request).state.installation.system.wire)


async def get_features(request: Request) -> Response:
    return ComfyJsonResponse(messages.features(standin_of(request).state.options.reported_upload_bytes))


async def get_root(_: Request) -> Response:
    return Response(PAGE, headers={**HTML_HEADERS, **UNCACHED_HEADERS})


async def get_index(_: Request) -> Response:
    """Return the same page as a file, which may be cached."""
    return Response(PAGE, headers=HTML_HEADERS)


async def get_extensions(_: Request) -> Response:
    """List scripts for the web page: there are none."""
    return ComfyJsonResponse([])


async def get_node_pack_files(_: Request) -> Response:
    """List example workflows or translations of node packs: there are none."""
    return ComfyJsonResponse({})


PAGE_FILES: list[BaseRoute] = [Route("/index.html", get_index, methods=["GET"])]  # not under /api
ROUTES: list[BaseRoute] = [
    Route("/object_info", get_object_info, methods=["GET"]),
    Route("/object_info/{name:segment}", get_node_info, methods=["GET"]),
    Route("/system_stats", get_system_stats, methods=["GET"]),
    Route("/features", get_features, methods=["GET"]),
    Route("/", get_root, methods=["GET"]),
    Route("/extensions", get_extensions, methods=["GET"]),
    Route("/workflow_templates", get_node_pack_files, methods=["GET"]),
    Route("/i18n", get_node_pack_files, methods=["GET"]),
]
