"""What an HTTP status says of an address that should be a ComfyUI server's."""

from collections.abc import Mapping

from civitai_mock.network.redaction import redacted

CREDENTIALS = "it wants other credentials; see COMFY_AUTHORIZATION"
NO_COMFYUI = "there is no ComfyUI at this address; see host, port and path"
BEHIND_PROXY = "the proxy there does not reach its ComfyUI"
NO_SOCKETS = "a proxy there may hand on no WebSockets; jobs run all the same, but tell no steps"
ANOTHER_ADDRESS = "write that address"
MAYBE_LOGIN = "write that address, or see COMFY_AUTHORIZATION if it is a page to log in at"
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


def account_of(status: int, location: str = "", *, route: str = "") -> str:
    """Say what an answer means; `location` is where a redirect from `route` leads to."""
    told = ACCOUNTS.get(status, "")
    if 300 <= status < 400 and location:
        address = location.removesuffix(route)
        told = f"it leads to {redacted(address)}; {ANOTHER_ADDRESS if address != location else MAYBE_LOGIN}"
    return f"answered {status}: {told}." if told else f"answered {status}."


def account_of_socket(status: int) -> str:
    """Say why a server that answers over HTTP may open no WebSocket."""
    told = CREDENTIALS if ACCOUNTS.get(status) == CREDENTIALS else NO_SOCKETS
    return f"answered {status}: {told}."
