"""Where callbacks may go."""

import pytest

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.services.callback_hosts import CallbackHosts

PRIVATE = CallbackHosts(["private"])
NAMED = CallbackHosts(["hooks.example.com", "*.Example.org"])
ANY = CallbackHosts(["*"])


@pytest.mark.parametrize(
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
        (CallbackHosts(["private", "8.8.8.8"]), "http://8.8.8.8/"),
    ],
)
def test_a_url_that_can_be_used_is_taken(hosts: CallbackHosts, url: str) -> None:
    hosts.check(url)


@pytest.mark.parametrize(
    ("hosts", "url"),
    [
        (PRIVATE, "http://8.8.8.8/hook"),
        (PRIVATE, "http://169.254.169.254/latest/meta-data"),
        (PRIVATE, "http://0.0.0.0/"),
        (PRIVATE, "http://[2001:4860:4860::8888]/"),
        (PRIVATE, "http://[::ffff:8.8.8.8]/"),
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
def test_a_url_that_can_never_be_used_is_refused(hosts: CallbackHosts, url: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        hosts.check(url)
    assert list(refused.value.errors) == ["callbackUrl"]


def test_a_refusal_does_not_repeat_the_secrets_of_a_url() -> None:
    with pytest.raises(InvalidRequestError) as refused:
        PRIVATE.check("http://user:pass1word@8.8.8.8/hook?key=t0ken")
    assert not {"pass1word", "t0ken"} & set(str(refused.value.errors).replace("/", " ").split())
    assert "pass1word" not in str(refused.value.errors)


@pytest.mark.parametrize(
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
    ],
)
def test_an_address_is_judged_with_the_name_it_was_found_under(
    hosts: CallbackHosts, host: str, address: str, allowed: bool
) -> None:
    assert hosts.allows(host, address) is allowed
