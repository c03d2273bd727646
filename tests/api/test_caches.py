"""Calls that empty caches are answered, and have nothing to do."""

import httpx
import pytest

from tests.support.served_app import serve

USER = "/v2/consumer/civitai"


@pytest.mark.parametrize("path", ["/7", "/7/tokens", "/-7", "/2147483647/tokens"])
async def test_the_answer_is_empty(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.delete(USER + path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-type" not in answer.headers


@pytest.mark.parametrize("user", ["seven", "2147483648", "7.5", "%D9%A7", "--7", "9" * 400])
async def test_a_user_has_a_number(client: httpx.AsyncClient, user: str) -> None:
    answer = await client.delete(f"{USER}/{user}/tokens")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["userId"])


async def test_it_is_for_those_who_may_call() -> None:
    async with serve(auth="tokens", auth_tokens="alice") as served:
        assert (await served.client.delete(f"{USER}/7")).status_code == 401
