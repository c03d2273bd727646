"""Settings of connections to hosts that callers name: callbacks, and images and other media fetched for jobs."""

from civitai_mock.services.host_policy import PRIVATE, PUBLIC
from civitai_mock.settings.fields import HostPatterns, SettingsGroup, setting


class ConnectionSettings(SettingsGroup):
    """Says which hosts may be called, how long that may take, and how much may be read."""

    callback_allowed_hosts: HostPatterns = setting(
        PRIVATE,
        "Lists where callbacks may go: hosts, `*.example.com`, `private` (loopback and private addresses), `public`"
        " (addresses of the internet) or `*`",
        expected="hosts with commas between them",
    )
    callback_timeout_s: float = setting(
        5, "Limits how long one attempt at a callback may take, in s", expected="a number from 0.1 to 60", ge=0.1, le=60
    )
    callback_max_attempts: int = setting(
        10, "Limits how often a callback is tried before it is given up", expected="a number from 1 to 20", ge=1, le=20
    )
    image_allowed_hosts: HostPatterns = setting(
        PUBLIC,
        "Lists where images, videos and sounds that jobs name by URL may be fetched from; it takes the same words as"
        " `CALLBACK_ALLOWED_HOSTS`",
        expected="hosts with commas between them",
    )
    image_max_bytes: int = setting(
        33_554_432,
        "Limits the size of an image that a job reads, in bytes",
        expected="a number from 1024 to 1073741824",
        ge=1024,
        le=2**30,
    )
    image_max_pixels: int = setting(
        67_108_864,
        "Limits the number of pixels of an image that a job reads",
        expected="a number from 4096 to 178956970",
        ge=4096,
        le=178_956_970,
    )
    media_max_bytes: int = setting(
        67_108_864,
        "Limits the size of a video, a sound or an image that steps of version 2 read, in bytes",
        expected="a number from 1024 to 1073741824",
        ge=1024,
        le=2**30,
    )
    image_timeout_s: float = setting(
        30, "Limits how long fetching one image may take, in s", expected="a number from 0.1 to 600", ge=0.1, le=600
    )

    @property
    def callback_patterns(self) -> list[str]:
        return self.callback_allowed_hosts.split(",")

    @property
    def image_patterns(self) -> list[str]:
        return self.image_allowed_hosts.split(",")
