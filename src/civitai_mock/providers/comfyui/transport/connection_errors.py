"""Explain to users why an address cannot be used as a ComfyUI server: failed connections and odd HTTP statuses."""

from collections.abc import Mapping

from civitai_mock.network.connection_errors import explain_connection_error
from civitai_mock.network.redaction import redacted

CA_SETTING = "COMFY_CA_FILE"
CREDENTIALS = "it wants other credentials; see COMFY_AUTHORIZATION"
NOT_COMFYUI = "there is no ComfyUI at this address; see host, port and path"
BEHIND_PROXY = "the proxy there does not reach its ComfyUI"
NO_SOCKETS = "a proxy there may hand on no WebSockets; jobs run all the same, but report no steps"
OTHER_ADDRESS = "write that address"
MAYBE_LOGIN = "write that address, or see COMFY_AUTHORIZATION if it is a page to log in at"
EXPLANATIONS: Mapping[int, str] = {
    400: "it takes no such request; it may want https",
    401: CREDENTIALS,
    403: CREDENTIALS,
    404: NOT_COMFYUI,
    405: NOT_COMFYUI,
    407: "it is a proxy, which wants credentials of its own",
    426: "it may want https",
    502: BEHIND_PROXY,
    503: BEHIND_PROXY,
    504: BEHIND_PROXY,
}


def explain_error(error: BaseException) -> str:
    """Explain a failed connection; the way out of an untrusted certificate is COMFY_CA_FILE."""
    return explain_connection_error(error, ca_setting=CA_SETTING)


def explain_status(status: int, location: str = "", *, route: str = "") -> str:
    """Explain an HTTP status; `location` is where a redirect from `route` leads to."""
    explanation = EXPLANATIONS.get(status, "")
    if 300 <= status < 400 and location:
        address = location.removesuffix(route)
        explanation = f"it leads to {redacted(address)}; {OTHER_ADDRESS if address != location else MAYBE_LOGIN}"
    return f"answered {status}: {explanation}." if explanation else f"answered {status}."


def explain_socket_status(status: int) -> str:
    """Explain why a server that answers over HTTP may open no WebSocket."""
    explanation = CREDENTIALS if EXPLANATIONS.get(status) == CREDENTIALS else NO_SOCKETS
    return f"answered {status}: {explanation}."
