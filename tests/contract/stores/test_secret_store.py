"""`SecretStore` and `StoreHealth`."""

import asyncio

from civitai_mock.ports import SecretStore, Stores


async def test_a_secret_is_32_bytes_and_stays_the_same(secrets: SecretStore) -> None:
    drawn = await secrets.secret("signing")
    assert len(drawn) == 32
    assert await secrets.secret("signing") == drawn


async def test_every_name_has_its_own_secret(secrets: SecretStore) -> None:
    names = ("a", "A", "", "$x.y", "'")
    assert len({await secrets.secret(name) for name in names}) == len(names)


async def test_all_who_draw_at_once_get_the_same_secret(secrets: SecretStore) -> None:
    drawn = await asyncio.gather(*(secrets.secret("signing") for _ in range(20)))
    assert len(set(drawn)) == 1


async def test_an_open_store_is_healthy_and_says_what_it_is(stores: Stores) -> None:
    await stores.health.ping()
    assert stores.health.description
