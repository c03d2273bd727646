"""The command `clock`: see the time of a namespace, stop it, let it go on, and advance it."""

import time

from civitai_mock.cli.control.session import Session
from civitai_mock.domain.json_types import Json, JsonObject, as_object

PATH = "clock"
LOOK_SECONDS = 0.2
ADVANCING = "advancing"


def show_clock(session: Session) -> None:
    session.show(session.server.get(PATH))


def freeze(session: Session) -> None:
    setting: JsonObject = {"mode": "frozen"}
    if session.arguments.date is not None:
        setting["now"] = session.arguments.date
    session.show(session.server.change("PUT", PATH, setting))


def resume(session: Session) -> None:
    """Let it go on from where it is, which a real clock would not."""
    session.show(session.server.change("PUT", PATH, {"mode": "scaled", "rate": 1}))


def advance(session: Session) -> None:
    """Return when all that falls due on the way is done, however long that takes."""
    answer = session.server.change("POST", f"{PATH}/advance", {"by": session.arguments.duration})
    session.show(_when_ready(session, answer))


def _when_ready(session: Session, answer: Json) -> Json:
    while as_object(answer).get("status") == ADVANCING:
        time.sleep(LOOK_SECONDS)
        answer = session.server.get(PATH)
    return answer
