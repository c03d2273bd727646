"""Settings of requests and answers: how many, how large and how long they may be, and the form of answers."""

from civitai_mock.api.vocabulary import ClientCompat, ResultFormat, Vocabularies
from civitai_mock.settings.fields import Name, SettingsGroup, setting


class RequestSettings(SettingsGroup):
    """Limits what requests may ask for, and chooses the form of answers."""

    wait_limit_s: float = setting(
        60, "Limits how long `wait=true` holds an answer, in s", expected="a number from 1 to 100", ge=1, le=100
    )
    workflow_wait_limit_s: float = setting(
        95, "Limits how long `wait` holds an answer of v2, in s", expected="a number from 1 to 100", ge=1, le=100
    )
    max_jobs_per_request: int = setting(
        1000, "Limits how many jobs one request may submit", expected="a number from 1 to 100000", ge=1, le=100_000
    )
    max_queued_jobs: int = setting(
        100_000,
        "Limits how many jobs wait to be claimed; more are refused with 503",
        expected="a number from 1 to 100000000",
        ge=1,
        le=100_000_000,
    )
    max_waiting_requests: int = setting(
        10_000,
        "Limits how many requests one process holds for `wait=true`; more are answered at once, with jobs that have not"
        " ended",
        expected="a number from 0 to 1000000",
        ge=0,
        le=1_000_000,
    )
    max_streams: int = setting(
        1000,
        "Limits how many streams of events one process holds open; more are refused with 503",
        expected="a number from 0 to 100000",
        ge=0,
        le=100_000,
    )
    max_bodies_bytes: int = setting(
        268_435_456,
        "Limits the size of all request bodies that one process holds at once, in bytes; more are refused with 503",
        expected="a number from 1024 to 1099511627776",
        ge=1024,
        le=2**40,
    )
    client_compat: ClientCompat = setting(
        ClientCompat.DEFAULT,
        "Says which clients can read the answers: `default`; `official`, those generated from the official"
        " description of v1 (the provider is `Civitai`); `sdk-2024`, civitai-py of PyPI and civitai of npm (the"
        " same, and `result` is one object, not a list)",
        expected="default, official or sdk-2024",
    )
    result_format: ResultFormat | None = setting(
        None,
        "Shapes the `result` of image jobs: `array` of all images, or `object` of the first; unset follows"
        " `CLIENT_COMPAT`",
        expected="array, object or nothing",
    )
    provider_name: Name | None = setting(
        None,
        "Names the provider in answers; unset follows `CLIENT_COMPAT`, and is `local` by default",
        expected="a name or nothing",
    )

    @property
    def vocabularies(self) -> Vocabularies:
        return Vocabularies(
            compat=self.client_compat, provider_name=self.provider_name, result_format=self.result_format
        )


class BodySettings(SettingsGroup):
    """Limits the bodies of single requests."""

    max_body_bytes: int = setting(
        5_242_880,
        "Limits the size of a request body, in bytes",
        expected="a number from 1024 to 1073741824",
        ge=1024,
        le=2**30,
    )
    upload_max_bytes: int = setting(
        67_108_864,
        "Limits the size of a file that is uploaded to v2, in bytes",
        expected="a number from 1024 to 1073741824",
        ge=1024,
        le=2**30,
    )
    body_timeout_s: int = setting(
        30, "Limits how long a request body may take to arrive, in s", expected="a number from 1 to 3600", ge=1, le=3600
    )
