"""What an HTTP status says of an address that should be a ComfyUI server's."""

from collections.abc import Mapping

from civitai_mock.domain.address import shown

CREDENTIALS = "it wants other credentials; see COMFY_AUTHORIZATION"
NO_COMFYUI = "there is no ComfyUI at this address; see host, port and path"
BEHIND_PROXY = "the proxy there does not reach its ComfyUI"
ACCOUNTS: Mapping[int, str] = {
    400: "it takes no such request; it may want https",
    401: CREDENTIALS,
    403: CREDENTIALS,
    404: NO_COMFYUI,
    405: NO_COMFYUI,
    407: "it is a proxy, which wants credentials of its own",
    426: "it may want https",
    502: BEHIND_PROXY,
    503: BEHIND_PROXY,
    504: BEHIND_PROXY,
}


def account_of(status: int, location: str = "") -> str:
    """`location` is where a redirect leads to."""
    told = ACCOUNTS.get(status, "")
    if 300 <= status < 400 and location:
        told = f"it leads to {shown(location)}; write that address"
    return f"answered {status}: {told}." if told else f"answered {status}."
