"""What is said about a MongoDB never includes who we are there."""

import pytest

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.storage.mongo import CollectionNames, open_mongo
from civitai_mock.storage.mongo.address import describe, options_left_out

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("uri", "description"),
    [
        ("mongodb://localhost:27017", "MongoDB at localhost:27017/civitai"),
        ("mongodb://localhost/", "MongoDB at localhost/civitai"),
        (f"mongodb://me:{SECRET}@mongo:27017/other?authSource=admin", "MongoDB at mongo:27017/civitai"),
        (f"mongodb://me:{SECRET}%40%2F@a:1,b:2/?replicaSet=rs", "MongoDB at a:1,b:2/civitai"),
        (f"mongodb+srv://me:{SECRET}@cluster0.x.mongodb.net/?w=1", "MongoDB at cluster0.x.mongodb.net/civitai"),
        (f"mongodb://me:{SECRET}@[::1]:27017", "MongoDB at [::1]:27017/civitai"),
        ("mongodb://host/?authMechanismProperties=TOKEN:a@b", "MongoDB at host/civitai"),
    ],
)
def test_a_description_names_the_hosts_and_the_database_only(uri: str, description: str) -> None:
    assert describe(uri, "civitai") == description


@pytest.mark.parametrize(
    "uri",
    [
        f"mongodb://me:{SECRET}/x@host",
        f"mongodb://me:{SECRET}@x@host",
        f"mongodb://host:{SECRET}",
        f"mongodb://me:pass:{SECRET}@host",
        "mongodb://",
        f"{SECRET}://host",
        f"mongodb://me:{SECRET}@host/?tls=true&tlsCAFile=/no/such/file",
    ],
)
async def test_a_uri_that_cannot_be_used_is_refused_without_quoting_it(uri: str) -> None:
    with pytest.raises(InvalidRequestError, match="MongoDB URI cannot be used") as refused:
        async with open_mongo(uri=uri, database="civitai", names=CollectionNames()):
            pass
    assert SECRET not in str(refused.value)
    assert refused.value.__suppress_context__


def test_what_the_uri_says_goes_before_our_defaults() -> None:
    defaults = {"timeoutMS": 1, "connectTimeoutMS": 2}
    assert options_left_out("mongodb://h/?TimeoutMS=5&w=1", defaults) == {"connectTimeoutMS": 2}
    assert options_left_out("mongodb://h", defaults) == defaults
