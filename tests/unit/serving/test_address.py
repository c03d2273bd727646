"""Where a server can be reached: its URL, its interfaces, and whether it is cut off in a container."""

from pathlib import Path

import pytest

from civitai_mock.serving import address


@pytest.mark.parametrize(
    ("host", "in_container", "cut_off"),
    [
        ("127.0.0.1", True, True),
        ("127.0.1.1", True, True),
        ("localhost", True, True),
        ("::1", True, True),
        ("0.0.0.0", True, False),  # noqa: S104 - only looked at
        ("127.0.0.1", False, False),
    ],
)
def test_a_server_on_loopback_in_a_container_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str, in_container: bool, cut_off: bool
) -> None:
    mark = str(tmp_path) if in_container else str(tmp_path / "absent")
    monkeypatch.setattr(address, "CONTAINER_MARKS", (mark,))
    assert address.is_cut_off(host) is cut_off


@pytest.mark.parametrize(
    ("host", "url"),
    [("0.0.0.0", "http://127.0.0.1:1"), ("::", "http://[::1]:1"), ("mock", "http://mock:1")],  # noqa: S104
)
def test_the_url_of_a_server_is_one_that_can_be_opened_beside_it(host: str, url: str) -> None:
    assert address.url_of(host, 1) == url


@pytest.mark.parametrize(
    ("host", "interfaces"),
    [("::", ("::", "0.0.0.0")), ("0.0.0.0", ("0.0.0.0",)), ("::1", ("::1",)), ("mock", ("mock",))],  # noqa: S104
)
def test_every_interface_is_one_of_ipv4_too(host: str, interfaces: tuple[str, ...]) -> None:
    assert address.interfaces_of(host) == interfaces
