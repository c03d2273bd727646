"""COMFY_HTTP_URL and COMFY_WS_URL list addresses of servers, and errors in them repeat no secret."""

import pytest

from civitai_mock.providers.comfyui.address import ComfyServer, parse_servers
from tests.support.table import table


@table(
    ("http", "expected"),
    [
        ("http://gpu:8188", ComfyServer("gpu:8188", "http://gpu:8188", "ws://gpu:8188/ws")),
        ("http://gpu:8188/", ComfyServer("gpu:8188", "http://gpu:8188", "ws://gpu:8188/ws")),
        ("http://gpu:8188/prompt", ComfyServer("gpu:8188", "http://gpu:8188", "ws://gpu:8188/ws")),
        ("http://gpu:8188/prompt/", ComfyServer("gpu:8188", "http://gpu:8188", "ws://gpu:8188/ws")),
        ("https://gpu", ComfyServer("gpu", "https://gpu", "wss://gpu/ws")),
        ("https://gpu/a/b", ComfyServer("gpu/a/b", "https://gpu/a/b", "wss://gpu/a/b/ws")),
        ("https://gpu/a/prompt", ComfyServer("gpu/a", "https://gpu/a", "wss://gpu/a/ws")),
        ("http://[::1]:8188", ComfyServer("[::1]:8188", "http://[::1]:8188", "ws://[::1]:8188/ws")),
        ("http://me:pw@gpu:1", ComfyServer("gpu:1", "http://me:pw@gpu:1", "ws://me:pw@gpu:1/ws")),
        ("http://gpu/promptly", ComfyServer("gpu/promptly", "http://gpu/promptly", "ws://gpu/promptly/ws")),
    ],
)
def test_the_socket_address_follows_from_the_http_address(http: str, expected: ComfyServer) -> None:
    assert parse_servers(http) == (expected,)


@pytest.mark.parametrize(
    ("http", "expected"),
    [
        ("http://gpu:8188/prompt", "http://gpu:8188/"),
        ("https://me:pw@gpu/a/b/", "https://gpu/a/b/"),
        ("http://me:p%40w@[::1]:8188", "http://[::1]:8188/"),
    ],
)
def test_people_find_a_server_at_its_address_without_user_and_password(http: str, expected: str) -> None:
    assert [server.page_url for server in parse_servers(http)] == [expected]


def test_several_addresses_are_separated_by_commas() -> None:
    servers = parse_servers(" http://a:1 ,http://b:2/prompt,, ")
    assert [server.id for server in servers] == ["a:1", "b:2"]


@pytest.mark.parametrize("ws", ["ws://x:9", "ws://x:9/", "ws://x:9/ws", "ws://x:9/ws/"])
def test_a_given_socket_address_ends_with_the_socket_route(ws: str) -> None:
    assert parse_servers("http://a:1", ws)[0].ws_url == "ws://x:9/ws"


def test_socket_addresses_belong_to_the_http_addresses_in_their_order() -> None:
    servers = parse_servers("http://a,http://b", "wss://x/one,ws://y")
    assert [server.ws_url for server in servers] == ["wss://x/one/ws", "ws://y/ws"]


@table(
    ("http", "ws", "complaint"),
    [
        ("", None, "no address"),
        (" , ", None, "no address"),
        ("gpu:8188", None, "'gpu:8188' is not http://host:port or https://host:port"),
        ("ftp://gpu", None, "is not http"),
        ("http://", None, "is not http"),
        ("http://gpu:99999", None, "'http://gpu:99999' is not http://host:port"),
        ("http://gpu,gpu2:8188", None, "'http://gpu,gpu2:8188' is not http://host:port"),
        ("http://gpu:0", None, "no usable port"),
        ("http://gpu?x=1", None, "must end with its path"),
        ("http://gpu#x", None, "must end with its path"),
        ("http://a,http://b", "ws://a", "1 WebSocket addresses for 2 HTTP addresses"),
        ("http://a", "http://a/ws", "is not ws://host:port or wss://host:port"),
        ("http://a,https://a/", None, "'a' is named more than once"),
    ],
)
def test_what_is_no_address_is_refused_with_its_reason(http: str, ws: str | None, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_servers(http, ws)


@table(
    "address",
    [
        "ftp://me:secret@gpu",
        "me:secret@gpu:8188",
        "http://me:secret/x@gpu:8188",
        "http://me:1/secret@gpu:8188",
        "http://me:secret?@gpu:8188",
        "http://me:secret#@gpu:8188",
        "http://me:secret@gpu:port",
        "http://me:secret@[gpu",
        "http://gpu/?token=secret",
    ],
)
def test_a_complaint_does_not_repeat_secrets(address: str) -> None:
    with pytest.raises(ValueError, match=r"is not|has an @|must end") as caught:
        parse_servers(address)
    assert "secret" not in str(caught.value)


def test_a_password_may_have_a_comma() -> None:
    servers = parse_servers("http://me:p,w@a:1,http://b:2")
    assert [server.id for server in servers] == ["a:1", "b:2"]
