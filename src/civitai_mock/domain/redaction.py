"""Hide secrets in what is shown of requests: credentials, signatures, and tokens that are a right to read."""

import re
from collections.abc import Callable, Iterable
from urllib.parse import quote_plus, unquote_plus

from civitai_mock.domain.json_types import Json, JsonObject

HIDDEN = "***"
ERRORS = "errors"
LEAST_LETTERS = 4  # of a secret that is hidden inside words, too
SECRET = r"token|secret|passw|pwd|credential|cookie|authorization|signature|api[-_]?key"  # noqa: S105 - a pattern
SECRET_MEMBER = re.compile(rf"{SECRET}|^sig$", re.IGNORECASE)
SECRET_PARAMETER = re.compile(rf"{SECRET}|^(?:sig|auth|key|code|pass)$|-key$", re.IGNORECASE)
TOKEN_PATH = r"(/blobs/+(?:content|blocked|archive)/+)"  # noqa: S105 - a pattern
TOKEN_IN_PATH = re.compile(rf"{TOKEN_PATH}.+", re.DOTALL)
# These look at each character of a text a few times at most, whatever somebody has sent.
TOKEN_IN_TEXT = re.compile(rf"{TOKEN_PATH}[^\s\"'<>?#]+")
WORD = re.compile(r"[^\s\"'<>]+")
PARAMETER = re.compile(r"([?&])([^=&#?\s\"'<>]+)=([^&#\s\"'<>]*)")
MEMBER = re.compile(r'("([^"\\]{1,80})"\s*:\s*")((?:[^"\\]|\\.)*)', re.DOTALL)


def without_token(path: str) -> str:
    """Return a path without a token in it, which is a right to read."""
    return TOKEN_IN_PATH.sub(rf"\1{HIDDEN}", path) if "/blobs/" in path else path


def secrets_pattern(secrets: Iterable[str]) -> re.Pattern[str] | None:
    """Return what finds secrets in a text: very short ones only where they are words by themselves; None for none."""
    found = sorted(set(secrets) - {"", HIDDEN}, key=len, reverse=True)
    parts = [re.escape(each) if len(each) >= LEAST_LETTERS else rf"(?<!\w){re.escape(each)}(?!\w)" for each in found]
    return re.compile("|".join(parts)) if parts else None


class Redactor:
    """Hides what is secret by its place in one request, and what `secrets` finds, wherever it stands.

    What stands in a secret place is hidden in all that comes after that, as an answer may repeat what it was sent.
    """

    def __init__(self, secrets: re.Pattern[str] | None = None) -> None:
        self._secrets = secrets
        self._found: set[str] = set()

    def path(self, path: str, query: bytes) -> str:
        """Return a path as it was sent, with its query."""
        shown_query = self.text(f"?{query.decode('latin-1')}") if query else ""
        return self._without_known(without_token(path)) + shown_query

    def header(self, name: str, value: str) -> str:
        if SECRET_PARAMETER.search(name):
            self._note(value)
            return HIDDEN
        return self.text(value)

    def text(self, text: str) -> str:
        """Return a text without credentials in URLs, secret parameters and members, and tokens in paths."""
        return self._text(text, self._parameter)

    def _text(self, text: str, hide: Callable[[re.Match[str]], str]) -> str:
        if "://" in text and "@" in text:
            text = WORD.sub(_without_user, text)
        if "=" in text:
            text = PARAMETER.sub(hide, text)
        if "/blobs/" in text:
            text = TOKEN_IN_TEXT.sub(rf"\1{HIDDEN}", text)
        if '"' in text and ":" in text:
            text = MEMBER.sub(self._member_in_text, text)
        return self._without_known(text)

    def json(self, value: Json) -> Json:
        """Return decoded JSON without the values of secret members, and without secrets in its texts."""
        if isinstance(value, dict):
            return self._members(value)
        if isinstance(value, list):
            return [self.json(item) for item in value]
        return self.text(value) if isinstance(value, str) else value

    def _members(self, members: JsonObject) -> JsonObject:
        return {self._without_known(name): self._member(name, value) for name, value in members.items()}

    def _member(self, name: str, value: Json) -> Json:
        """Return the value of a member; those of `errors` say what is wrong with a member of such a name."""
        if name == ERRORS and isinstance(value, dict):
            return {path: self.json(messages) for path, messages in value.items()}
        return self._hidden(value) if SECRET_MEMBER.search(name) else self.json(value)

    def _hidden(self, value: Json) -> Json:
        """Hide the texts of a secret member, but no number, like that of the tokens of a chat."""
        if isinstance(value, str):
            self._note(value)
            return HIDDEN
        if isinstance(value, list):
            return [self._hidden(item) for item in value]
        return self._members(value) if isinstance(value, dict) else value

    def _parameter(self, found: re.Match[str]) -> str:
        """Hide a secret parameter, and what is secret in another one, which may be a URL itself."""
        hidden, (mark, name, value) = self._secret_parameter(found), found.groups()
        plain = unquote_plus(value)
        if hidden != found[0] or plain == value or (shown := self._text(plain, self._secret_parameter)) == plain:
            return hidden
        return f"{mark}{name}={quote_plus(shown, safe='*')}"

    def _secret_parameter(self, found: re.Match[str]) -> str:
        mark, name, value = found.groups()
        if not SECRET_PARAMETER.search(unquote_plus(name)):
            return found[0]
        self._note(value)
        self._note(unquote_plus(value))
        return f"{mark}{name}={HIDDEN}"

    def _member_in_text(self, found: re.Match[str]) -> str:
        head, name, value = found.groups()
        if not SECRET_MEMBER.search(name):
            return found[0]
        self._note(value)
        return head + HIDDEN

    def _note(self, secret: str) -> None:
        if len(secret) >= LEAST_LETTERS:
            self._found.add(secret)

    def _without_known(self, text: str) -> str:
        for secret in self._found:
            text = text.replace(secret, HIDDEN)
        return text if self._secrets is None else self._secrets.sub(HIDDEN, text)


def _without_user(found: re.Match[str]) -> str:
    """Hide all before the last @ of a URL: a password may be written otherwise than a URL wants it."""
    scheme, separator, rest = found[0].partition("://")
    _, at, place = rest.rpartition("@")
    return f"{scheme}{separator}{HIDDEN}@{place}" if separator and at else found[0]
