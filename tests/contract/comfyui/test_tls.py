"""ComfyUI behind TLS: HTTP and WebSocket trust the same, and an address that is refused says why."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import pytest

from civitai_mock.network.tls import make_tls_context
from civitai_mock.providers.comfyui.options import Timeouts
from tests.support.comfyui import IMPATIENT, comfyui_at, finish, make_submission, until
from tests.support.standin import running_standin
from tests.support.tls import CA_FILE, tls_proxy

CALM = replace(IMPATIENT, timeouts=Timeouts())


@pytest.mark.parametrize("named_by", ["COMFY_CA_FILE", "SSL_CERT_FILE"])
async def test_a_ca_that_is_named_is_trusted_over_http_and_websocket(
    monkeypatch: pytest.MonkeyPatch, named_by: str
) -> None:
    if named_by == "SSL_CERT_FILE":
        monkeypatch.setenv("SSL_CERT_FILE", str(CA_FILE))
    options = replace(CALM, tls=make_tls_context(CA_FILE if named_by == "COMFY_CA_FILE" else None))
    async with (
        running_standin() as standin,
        tls_proxy(standin.port) as port,
        comfyui_at([f"https://me:secret@127.0.0.1:{port}"], options=options) as provider,
    ):
        await until(lambda: len(standin.server.life.hub.client_ids) == 1)
        assert (await finish(provider, make_submission())).tries == 1


@asynccontextmanager
async def nobody() -> AsyncIterator[str]:
    async with running_standin() as standin:
        port = standin.port
    yield f"http://me:secret@127.0.0.1:{port}"


@asynccontextmanager
async def over_tls(certificate: str, *, scheme: str = "https") -> AsyncIterator[str]:
    async with running_standin() as standin, tls_proxy(standin.port, certificate=certificate) as port:
        yield f"{scheme}://me:secret@127.0.0.1:{port}"


@asynccontextmanager
async def plain(*, scheme: str = "http", path: str = "") -> AsyncIterator[str]:
    async with running_standin() as standin:
        yield f"{scheme}://me:secret@127.0.0.1:{standin.port}{path}"


@pytest.mark.parametrize(
    ("opened", "reason"),
    [
        (nobody(), "connection refused: nothing listens at this port"),
        (over_tls("server"), "its certificate is not trusted (unable to get local issuer certificate); name its CA"),
        (over_tls("server"), "COMFY_CA_FILE"),
        (over_tls("server", scheme="http"), "it may want https"),
        (plain(scheme="https"), "it does not speak TLS; try http instead of https"),
        (plain(path="/prefix"), "answered 404: there is no ComfyUI at this address; see host, port and path"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_an_address_that_is_refused_says_why(opened: AbstractAsyncContextManager[str], reason: str) -> None:
    async with opened as url, comfyui_at([url], options=CALM) as provider:
        (worker,) = provider.workers
        assert not worker.ready
        assert reason in worker.reason
        assert "secret" not in worker.reason


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [("elsewhere", "its certificate is for another address"), ("expired", "its certificate has expired")],
)
async def test_a_certificate_that_is_trusted_must_fit_all_the_same(certificate: str, reason: str) -> None:
    options = replace(CALM, tls=make_tls_context(CA_FILE))
    async with over_tls(certificate) as url, comfyui_at([url], options=options) as provider:
        assert provider.workers[0].reason.endswith(reason)
