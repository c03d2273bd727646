"""Webhooks are posted to their receiver and nowhere else, and silent receivers do not hold up others."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from civitai_mock.domain.errors import ForbiddenError
from civitai_mock.network.webhook_sender import NotDeliveredError, WebhookSender
from tests.support.event_loop import until
from tests.support.receiver import ADDRESS, URL, Answer, Receiver

OTHER = "http://other.test/there"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as made:
        yield made


async def _post(sender: WebhookSender, url: str = URL) -> int:
    return await sender.post(url, content=b"event", headers={"Idempotency-Key": "job/1"})


def _redirects(times: int, *, to: str, status: int = 307) -> Answer:
    left = [status] * times
    return lambda _: httpx.Response(left.pop(), headers={"Location": to}) if left else httpx.Response(200)


async def test_a_request_goes_to_the_checked_address_under_the_name_of_the_host(receiver: Receiver) -> None:
    assert await _post(receiver.webhook_sender(), "https://receiver.test:8443/hook") == 204
    (request,) = receiver.requests
    assert (request.url.host, request.url.port, request.headers["Host"]) == (ADDRESS, 8443, "receiver.test:8443")
    assert request.extensions["sni_hostname"] == "receiver.test"


@pytest.mark.parametrize("status", [199, 303, 304, 400, 404, 410, 429, 500])
async def test_an_answer_that_is_not_2xx_is_a_failed_attempt(receiver: Receiver, status: int) -> None:
    receiver.answer = lambda _: httpx.Response(status)
    with pytest.raises(NotDeliveredError) as failed:
        await _post(receiver.webhook_sender())
    assert failed.value.status == status


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_followed_with_the_same_event(receiver: Receiver, status: int) -> None:
    receiver.answer = _redirects(3, to=OTHER, status=status)
    assert await _post(receiver.webhook_sender()) == 200
    assert [request.headers["Host"] for request in receiver.requests] == ["receiver.test", *["other.test"] * 3]
    assert {(request.method, request.content) for request in receiver.requests} == {("POST", b"event")}


async def test_a_fourth_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answer = _redirects(4, to="/again")
    with pytest.raises(NotDeliveredError, match="too many redirects"):
        await _post(receiver.webhook_sender())
    assert len(receiver.requests) == 4


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
async def test_a_redirect_that_is_not_to_be_followed_counts_as_taken(receiver: Receiver, status: int) -> None:
    receiver.answer = _redirects(1, to=OTHER, status=status)
    sender = receiver.webhook_sender()
    assert await sender.post(URL, content=b"event", headers={}, follows_redirects=False) == status
    assert len(receiver.requests) == 1
    receiver.answer = lambda _: httpx.Response(400)
    with pytest.raises(NotDeliveredError):
        await sender.post(URL, content=b"event", headers={}, follows_redirects=False)


@pytest.mark.parametrize("target", ["http://public.test/", "http://8.8.8.8/", "ftp://receiver.test/"])
async def test_a_redirect_to_a_forbidden_place_is_not_followed(receiver: Receiver, target: str) -> None:
    receiver.addresses |= {"public.test": ("93.184.216.34",), "8.8.8.8": ("8.8.8.8",)}
    receiver.answer = _redirects(1, to=target)
    with pytest.raises(ForbiddenError):
        await _post(receiver.webhook_sender())
    assert len(receiver.requests) == 1


async def test_a_name_that_leads_to_a_public_address_is_refused_unless_it_is_allowed(receiver: Receiver) -> None:
    receiver.addresses["receiver.test"] = ("93.184.216.34",)
    with pytest.raises(ForbiddenError):
        await _post(receiver.webhook_sender("private"))
    assert receiver.requests == []
    assert await _post(receiver.webhook_sender("*.test")) == 204


async def test_of_several_addresses_only_the_allowed_ones_are_tried_until_one_takes_it(receiver: Receiver) -> None:
    def only_the_last(request: httpx.Request) -> httpx.Response:
        if request.url.host != "10.0.0.9":
            raise httpx.ConnectError("refused")
        return httpx.Response(200)

    receiver.addresses["receiver.test"] = ("93.184.216.34", "::1", "10.0.0.9")
    receiver.answer = only_the_last
    assert await _post(receiver.webhook_sender()) == 200
    assert [request.url.host for request in receiver.requests] == ["::1", "10.0.0.9"]


async def test_an_answer_that_does_not_come_in_time_is_a_failed_attempt(receiver: Receiver) -> None:
    receiver.hold()
    with pytest.raises(NotDeliveredError, match="no answer in time"):
        await _post(receiver.webhook_sender(timeout=timedelta(milliseconds=1)))


@pytest.mark.parametrize("url", [URL, "http://user:secret@receiver.test/secret", "http://exa mple/secret", "http://[/"])
async def test_no_error_tells_the_url(receiver: Receiver, url: str) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"cannot reach {request.url}")

    receiver.answer = away
    with pytest.raises(NotDeliveredError) as failed:
        await _post(receiver.webhook_sender(), url)
    assert "secret" not in failed.value.message


async def test_a_receiver_that_did_not_answer_is_tried_by_one_attempt_at_a_time(receiver: Receiver) -> None:
    def away(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    sender, receiver.answer = receiver.webhook_sender(), away
    with pytest.raises(NotDeliveredError):
        await _post(sender)
    receiver.hold()
    trying = asyncio.create_task(_post(sender))
    await until(lambda: len(receiver.requests) == 2)
    with pytest.raises(NotDeliveredError, match="does not answer"):
        await _post(sender)
    elsewhere = asyncio.create_task(_post(sender, OTHER))
    await until(lambda: len(receiver.requests) == 3)
    receiver.answer = lambda _: httpx.Response(200)
    receiver.go_on()
    assert [await trying, await elsewhere, await _post(sender)] == [200, 200, 200]


async def test_a_receiver_that_answers_badly_is_tried_by_many_at_once(receiver: Receiver) -> None:
    sender, receiver.answer = receiver.webhook_sender(), lambda _: httpx.Response(500)
    with pytest.raises(NotDeliveredError):
        await _post(sender)
    receiver.hold()
    trying = [asyncio.create_task(_post(sender)) for _ in range(3)]
    await until(lambda: len(receiver.requests) == 4)
    receiver.go_on()
    assert {type(error) for error in await asyncio.gather(*trying, return_exceptions=True)} == {NotDeliveredError}
