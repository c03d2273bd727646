"""The command `open`: show the page of the server in a browser."""

from civitai_mock.cli.control.session import Session
from civitai_mock.domain.errors import NotFoundError

PATH = "ui/"


def open_page(session: Session) -> None:
    """Print the address of the page, which a browser shows if there is one on this machine."""
    import webbrowser

    if not session.server.has_page(PATH):
        raise NotFoundError(f"{session.server.url} has no page of the control plane yet.")
    url = f"{session.server.url}/_mock/{PATH}"
    session.output.line(url)
    webbrowser.open(url)
