"""Host policies: the URLs and addresses that each kind of pattern allows."""

import pytest

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.services.host_policy import HostPolicy, callback_policy, image_policy
from tests.support.table import table

PRIVATE = callback_policy(["private"])
PUBLIC = image_policy(["public"])
NAMED = callback_policy(["hooks.example.com", " *.Example.org "])
ANY = callback_policy(["*"])


@table(
    ("hosts", "url"),
    [
        (PRIVATE, "http://127.0.0.1:8000/hook"),
        (PRIVATE, "https://localhost/hook?key=1"),
        (PRIVATE, "http://[::1]:8000"),
        (PRIVATE, "http://10.1.2.3/"),
        (PRIVATE, "HTTP://192.168.0.9/"),
        (PRIVATE, "http://[::ffff:172.16.0.1]/"),
        (PRIVATE, "http://user:password@app:8080/hook"),
        (PRIVATE, "http://looked-up-later.example.com/"),
        (NAMED, "https://hooks.example.com/x"),
        (NAMED, "https://HOOKS.example.com./x"),
        (NAMED, "https://a.b.example.org/x"),
        (ANY, "http://8.8.8.8/"),
        (ANY, "https://anything.test"),
        (callback_policy(["private", "8.8.8.8"]), "http://8.8.8.8/"),
        (PUBLIC, "https://8.8.8.8/x.png"),
        (PUBLIC, "https://[2001:4860:4860::8888]/"),
        (PUBLIC, "https://looked-up-later.example.com/"),
    ],
)
def test_a_url_that_can_be_used_is_accepted(hosts: HostPolicy, url: str) -> None:
    hosts.check(url, path="callbackUrl")


@table(
    ("hosts", "url"),
    [
        (PRIVATE, "http://8.8.8.8/hook"),
        (PRIVATE, "http://169.254.169.254/latest/meta-data"),
        (PRIVATE, "http://0.0.0.0/"),
        (PRIVATE, "http://[2001:4860:4860::8888]/"),
        (PRIVATE, "http://[::ffff:8.8.8.8]/"),
        (PUBLIC, "http://127.0.0.1:8188/view"),
        (PUBLIC, "http://[::ffff:10.0.0.1]/"),
        (PUBLIC, "http://169.254.169.254/latest/meta-data"),
        (NAMED, "http://127.0.0.1/"),
        (NAMED, "https://example.org/"),
        (NAMED, "https://hooks.example.com.evil.test/"),
        (ANY, "ftp://example.com/x"),
        (ANY, "file:///etc/passwd"),
        (ANY, "/hook"),
        (ANY, "http:///hook"),
        (ANY, "http://host:port/"),
        (ANY, "http://[::1/"),
        (ANY, "http://host/a b"),
        (ANY, "http://host/a\nb"),
        (ANY, ""),
    ],
)
def test_a_url_that_can_never_be_used_is_refused(hosts: HostPolicy, url: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        hosts.check(url, path="callbackUrl")
    assert list(refused.value.errors) == ["callbackUrl"]


def test_a_refusal_does_not_repeat_the_secrets_of_a_url() -> None:
    with pytest.raises(InvalidRequestError) as refused:
        PRIVATE.check("http://user:pass1word@8.8.8.8/hook?key=t0ken", path="callbackUrl")
    assert not {"pass1word", "t0ken"} & set(str(refused.value.errors).replace("/", " ").split())
    assert "pass1word" not in str(refused.value.errors)


@table(
    ("hosts", "host", "address", "allowed"),
    [
        (PRIVATE, "app", "172.18.0.3", True),
        (PRIVATE, "app", "::1", True),
        (PRIVATE, "app", "fd00::7", True),
        (PRIVATE, "app", "93.184.216.34", False),
        (PRIVATE, "app", "169.254.169.254", False),
        (PRIVATE, "app", "fe80::1%eth0", False),
        (PRIVATE, "app", "no address", False),
        (NAMED, "hooks.example.com", "93.184.216.34", True),
        (NAMED, "other.example.com", "10.0.0.1", False),
        (ANY, "app", "93.184.216.34", True),
        (ANY, "app", "169.254.169.254", True),
        (PUBLIC, "app", "93.184.216.34", True),
        (PUBLIC, "app", "2606:2800:220:1:248:1893:25c8:1946", True),
        (PUBLIC, "app", "::ffff:93.184.216.34", True),
        (PUBLIC, "app", "64:ff9b::5db8:d822", True),
        (PUBLIC, "app", "127.0.0.1", False),
        (PUBLIC, "app", "0.0.0.0", False),  # noqa: S104 - judged, not bound to
        (PUBLIC, "app", "10.0.0.1", False),
        (PUBLIC, "app", "100.64.0.1", False),
        (PUBLIC, "app", "169.254.169.254", False),
        (PUBLIC, "app", "224.0.0.1", False),
        (PUBLIC, "app", "255.255.255.255", False),
        (PUBLIC, "app", "::1", False),
        (PUBLIC, "app", "::127.0.0.1", False),
        (PUBLIC, "app", "fe80::1", False),
        (PUBLIC, "app", "fec0::1", False),
        (PUBLIC, "app", "fd00:ec2::254", False),
        (PUBLIC, "app", "ff02::1", False),
        (PUBLIC, "app", "::ffff:169.254.169.254", False),
        (PUBLIC, "app", "64:ff9b::a9fe:a9fe", False),
        (PUBLIC, "app", "2002:7f00:1::1", False),
        (PUBLIC, "app", "no address", False),
    ],
)
def test_an_address_is_allowed_by_its_host_name_or_by_its_own_kind(
    hosts: HostPolicy, host: str, address: str, allowed: bool
) -> None:
    assert hosts.allows(host, address) is allowed


def test_a_refusal_names_the_setting_that_can_change_it() -> None:
    assert PUBLIC.refusal("app") == "This server does not fetch images from the host 'app'; see IMAGE_ALLOWED_HOSTS."
