"""Settings of what the API lets in: unknown resources, callers and their tokens, rate, proxies and Buzz."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BeforeValidator, SecretStr, ValidationInfo, field_validator

from civitai_mock.services.consumers import Auth
from civitai_mock.services.host_policy import Network, parse_networks
from civitai_mock.services.submit_checks import MissingResources
from civitai_mock.settings.fields import Networks, Rate, SettingsGroup, setting

if TYPE_CHECKING:
    from civitai_mock.domain.money import Balances


def _check_balances(text: str) -> str:
    from civitai_mock.domain.money import parse_balances

    parse_balances(text)
    return text


BuzzBalance = Annotated[str, BeforeValidator(str), AfterValidator(_check_balances)]


class AccessSettings(SettingsGroup):
    """Says who may call, how often, and what a job may name and cost."""

    missing_resources: MissingResources = setting(
        MissingResources.STRICT,
        "Says what happens to a job that names an unknown AIR: `strict` answers 400, `lenient` creates the resource",
        expected="strict or lenient",
    )
    workflow_missing_resources: MissingResources = setting(
        MissingResources.LENIENT,
        "Says the same for the jobs of v2's workflows",
        expected="strict or lenient",
    )
    auth: Auth = setting(
        Auth.OFF,
        "Says who may call: `off` everybody, `any` everybody who sends a Bearer token, `tokens` those whose token"
        " is in `AUTH_TOKENS`; with a token, a consumer sees only its own jobs",
        expected="off, any or tokens",
    )
    auth_tokens: SecretStr | None = setting(
        None,
        "Lists the tokens that `AUTH=tokens` accepts",
        expected="tokens with commas between them",
        validate_default=True,
    )
    rate_limit: Rate | None = setting(
        None,
        "Limits how many requests to v1 and v2 each address may send, or with `AUTH=tokens` each known token; unset"
        " means no limit",
        expected="60/minute (second, minute, hour or day), or nothing",
    )
    trusted_proxies: Networks = setting(
        "",
        "Lists the proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are believed; unset means none",
        expected="addresses and networks with commas between them, or nothing",
    )
    buzz_balance: BuzzBalance | None = setting(
        None,
        "Sets the Buzz that each consumer has for the jobs and workflows that are kept: for all accounts together, or"
        " by account (blue, green, yellow, fakeRed), where one that is missing has none; unset means no limit",
        expected="a number from 0, pairs like yellow=100,blue=50, or nothing",
    )

    @field_validator("auth_tokens")
    @classmethod
    def _check_tokens(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if info.data.get("auth") is Auth.TOKENS and not _tokens_in(value):
            raise ValueError("nobody could call")
        return value

    @property
    def known_tokens(self) -> frozenset[str]:
        return _tokens_in(self.auth_tokens)

    @property
    def trusted_networks(self) -> Sequence[Network]:
        return parse_networks(self.trusted_proxies)

    @property
    def balances(self) -> "Balances":
        """Return what each consumer has; its module is only imported when it is needed."""
        from civitai_mock.domain.money import NO_LIMIT, parse_balances

        return NO_LIMIT if self.buzz_balance is None else parse_balances(self.buzz_balance)

    @property
    def balance_of_jobs(self) -> float | None:
        """Return what each consumer has for jobs of v1, if there is a limit."""
        return None if self.buzz_balance is None else self.balances.total


def _tokens_in(value: SecretStr | None) -> frozenset[str]:
    tokens = value.get_secret_value().split(",") if value else ()
    return frozenset(token.strip() for token in tokens) - {""}
