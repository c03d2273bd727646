"""HTTP statuses that ComfyUI does not answer with are explained to users."""

import pytest

from civitai_mock.providers.comfyui.transport.connection_errors import explain_status


@pytest.mark.parametrize(
    ("status", "location", "expected"),
    [
        (401, "", "answered 401: it wants other credentials; see COMFY_AUTHORIZATION."),
        (403, "", "answered 403: it wants other credentials; see COMFY_AUTHORIZATION."),
        (404, "", "answered 404: there is no ComfyUI at this address; see host, port and path."),
        (502, "", "answered 502: the proxy there does not reach its ComfyUI."),
        (
            301,
            "https://me:secret@gpu/x?token=secret",
            "answered 301: it leads to https://***@gpu/x?***; write that address, or see COMFY_AUTHORIZATION if it is a"
            " page to log in at.",
        ),
        (301, "https://gpu/comfy/queue", "answered 301: it leads to https://gpu/comfy; write that address."),
        (500, "", "answered 500."),
    ],
)
def test_a_status_says_what_may_be_wrong_with_the_address(status: int, location: str, expected: str) -> None:
    assert explain_status(status, location, route="/queue") == expected
