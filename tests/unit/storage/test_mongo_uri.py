"""What is said about a MongoDB never includes who we are there."""

import pytest

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.storage.mongo import CollectionNames, open_mongo
from civitai_mock.storage.mongo.uri import describe, options_left_out, unknown_options

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
        f"mongodb://me:a@{SECRET}/x@host/?tls=true",
    ],
)
async def test_a_uri_that_cannot_be_used_is_refused_without_quoting_it(uri: str) -> None:
    with pytest.raises(InvalidRequestError, match="MongoDB URI cannot be used") as refused:
        async with open_mongo(uri=uri, database="civitai", names=CollectionNames()):
            pass
    assert SECRET not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@pytest.mark.parametrize(
    ("option", "rule"),
    [
        ("tls=1", ": The value of tls must be 'true' or 'false'."),
        ("ssl=yes", ": The value of tls must be 'true' or 'false'."),
        ("connectTimeoutMS=soon", ": connecttimeoutms must be an integer or float."),
        ("tlsCAFile=/no/such/file", ": The tlscafile file is not readable."),
        ("authMechanism=NONE", ": authmechanism must be in"),
        (f"authMechanismProperties={SECRET}", ": Malformed auth mechanism properties."),
        ("zlibCompressionLevel=99", "."),
        ("retryWrites", ": MongoDB URI options are key=value pairs."),
    ],
)
async def test_an_option_that_the_driver_would_pass_over_is_refused(option: str, rule: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        async with open_mongo(uri=f"mongodb://me:{SECRET}@h/?w=1&{option}", database="x", names=CollectionNames()):
            pass
    assert refused.value.message.startswith(f"MONGODB_URI: its option {option.partition('=')[0]} cannot be used{rule}")
    assert SECRET not in refused.value.message


@pytest.mark.parametrize(
    ("options", "unknown"),
    [
        ("", []),
        ("useNewUrlParser=true&w=1&UseUnifiedTopology=true", ["usenewurlparser", "useunifiedtopology"]),
        ("authSource=admin;tsl=true", ["tsl"]),
        ("srvServiceName=x", []),
        ("tls=true&tlsInsecure=true&replicaSet=rs0&retryWrites=false&appName=mine", []),
    ],
)
def test_options_of_other_drivers_are_told_of_and_passed_over(options: str, unknown: list[str]) -> None:
    assert unknown_options(f"mongodb://h/?{options}") == unknown


def test_what_the_uri_says_goes_before_our_defaults() -> None:
    defaults = {"timeoutMS": 1, "connectTimeoutMS": 2}
    assert options_left_out("mongodb://h/?TimeoutMS=5&w=1", defaults) == {"connectTimeoutMS": 2}
    assert options_left_out("mongodb://h", defaults) == defaults
