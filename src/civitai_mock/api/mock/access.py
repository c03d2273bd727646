"""Access to the control plane: from where, and with which token, it may be called, and whether there is one at all."""

import hmac

from starlette.types import Scope

from civitai_mock.api.exchange import Exchange
from civitai_mock.api.mock import is_page_path
from civitai_mock.api.rate_limit import GuessLimit, address_key, peer_host
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ForbiddenError, UnauthorizedError
from civitai_mock.services.consumers import bearer_token, consumer_id, token_digest
from civitai_mock.services.origin_policy import OriginPolicy

TOKEN_HEADER = "X-Mock-Token"  # noqa: S105 - the name of a header
TOKEN_HEADER_NAME = TOKEN_HEADER.lower().encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlAccess:
    """Decides who may call `/_mock/`, and whose control headers on v1 and v2 count.

    `is_on` is False where there is no control plane. If there is a token, by its digest, each call has to have it; if
    there is none, what counts is by which name the server is called, and from which web page.
    """

    is_on: bool
    token: bytes | None
    origins: OriginPolicy
    guess_limit: GuessLimit

    def admit(self, exchange: Exchange, scope: Scope) -> None:
        """Raise the error that refuses a caller of `/_mock/`; where that is off, its routes are not there either.

        The files of the dashboard need no token: a browser has none when it is to ask for one.
        """
        if self.is_on and not (self.token is not None and is_page_path(scope["path"])):
            self._check(exchange, scope)

    def shows_page_to(self, exchange: Exchange) -> bool:
        """Return whether a browser that sent this request would be shown the dashboard."""
        if not self.is_on or self.token is not None:
            return self.is_on
        return self.origins.refusal(host=exchange.header(b"host"), origin=exchange.header(b"origin")) is None

    def takes_headers(self, exchange: Exchange, scope: Scope) -> bool:
        """Return False where control headers are unknown headers; raise the error that refuses whoever sent one.

        Only ask for a request that has a control header.
        """
        if self.is_on:
            self._check(exchange, scope)
        return self.is_on

    def _check(self, exchange: Exchange, scope: Scope) -> None:
        if self.token is not None:
            self._check_token(exchange, self.token, address_key(peer_host(scope)))
            return
        refusal = self.origins.refusal(host=exchange.header(b"host"), origin=exchange.header(b"origin"))
        if refusal is not None:
            raise ForbiddenError(refusal)

    def _check_token(self, exchange: Exchange, expected: bytes, address: str) -> None:
        found = exchange.header(TOKEN_HEADER_NAME) or bearer_token(exchange.header(b"authorization"))
        if not found:
            raise UnauthorizedError(
                f"The control plane needs its token: send 'Authorization: Bearer <token>' or '{TOKEN_HEADER}: <token>'."
            )
        guesser = consumer_id(found)
        if too_many := self.guess_limit.refusal(address, guesser):
            raise too_many
        if not hmac.compare_digest(token_digest(found.strip()), expected):
            self.guess_limit.count_wrong(address)
            raise UnauthorizedError("The token of the control plane is another.")
        self.guess_limit.remember_right(address, guesser)
