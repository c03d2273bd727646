"""Query parameters of plain routes, read as ASP.NET reads them."""

from collections.abc import Mapping

from starlette.requests import Request

from civitai_mock.generation.request_errors import fault

FLAGS: Mapping[str, bool] = {"true": True, "1": True, "false": False, "0": False}


def flag(request: Request, name: str, *, default: bool = False) -> bool:
    """A boolean in any case; raise `InvalidRequestError` for anything else."""
    text = request.query_params.get(name)
    if text is None:
        return default
    value = FLAGS.get(text.lower())
    if value is None:
        raise fault(name, f"The value '{text}' is not valid; expected true or false.")
    return value


def required(request: Request, name: str) -> str:
    """Raise `InvalidRequestError` if it is missing or empty."""
    text = request.query_params.get(name)
    if not text:
        raise fault(name, f"The {name} field is required.")
    return text
