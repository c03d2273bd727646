"""The command `open`: show the page of the server in a browser."""

from urllib.parse import quote

from civitai_mock.cli.control.session import Session
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.namespaces import DEFAULT

PATH = "ui/"


def open_page(session: Session) -> None:
    """Print the address of the page, which a browser shows if there is one on this machine."""
    import webbrowser

    if not session.server.has_page(PATH):
        raise NotFoundError(f"{session.server.url} has no page of the control plane.")
    chosen = "" if session.namespace == DEFAULT else f"?namespace={quote(session.namespace, safe='')}"
    url = f"{session.server.url}/_mock/{PATH}{chosen}"
    session.output.line(url)
    webbrowser.open(url)
