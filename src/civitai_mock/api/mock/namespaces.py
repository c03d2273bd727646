"""Namespaces: list, make and delete them, say what is special in one, and let one or all of them begin anew."""

from starlette.requests import Request
from starlette.responses import Response

from civitai_mock.api.context import options
from civitai_mock.api.mock import CHANGE_PROBLEMS, CONTROL_TAG, READ_PROBLEMS
from civitai_mock.api.mock.bodies import read_change
from civitai_mock.api.mock.changes import changed, done
from civitai_mock.api.mock.lists import LIST_PARAMETERS, page_of
from civitai_mock.api.mock.routes import ControlRoute
from civitai_mock.api.mock.schemas import NamespaceDocument, NamespaceList, NamespaceSettings, NotYet
from civitai_mock.api.mock.scopes import manage_of, namespace_of
from civitai_mock.api.openapi import Operation, flag_parameter, path_parameter
from civitai_mock.api.query_params import flag
from civitai_mock.api.responses import JsonResponse
from civitai_mock.domain.errors import ROOT, InvalidRequestError
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.members import Members
from civitai_mock.domain.money import Account
from civitai_mock.domain.namespaces import DEFAULT, NamespaceRecord, check_name
from civitai_mock.domain.progress_modes import parse_progress_mode

PATH = "/namespaces/{ns}"
MOST_TOKENS = 1000
SHOWN = ("seed", "tokens", "balance", "clock", "progress")  # the members that a namespace is shown with, if it has them
MOST_BUZZ = 1e15


async def list_namespaces(request: Request) -> Response:
    return page_of(request, await manage_of(request).all(), key=lambda record: record.name, render=_render)


async def get_namespace(request: Request) -> Response:
    return JsonResponse(_render(await manage_of(request).get(_name(request))))


async def put_namespace(request: Request) -> Response:
    name = _name(request)
    members = await read_change(request, _read_settings)
    if members["progress"] is not None:
        options(request).check_simulated()
    found = await manage_of(request).put(name, members)
    return changed(_render(found.record), found.not_yet)


async def delete_namespace(request: Request) -> Response:
    return done(await manage_of(request).delete(_name(request)))


async def reset(request: Request) -> Response:
    everything = flag(request, "all")
    await read_change(request, lambda _: None)
    manage = manage_of(request)
    return done(await (manage.reset_all() if everything else manage.reset(namespace_of(request))))


def _name(request: Request) -> str:
    return check_name(request.path_params["ns"], field="ns")


def _render(record: NamespaceRecord) -> JsonObject:
    members = {name: value for name in SHOWN if (value := record.document.get(name)) is not None}
    if record.name == DEFAULT:  # nobody notes when it is used, as it is never deleted
        return {"name": record.name, **members}
    return {"name": record.name, **members, "usedAt": record.used_at.isoformat()}


def _read_settings(members: Members) -> dict[str, Json]:
    """Return what is to be set; None for what is to be as new."""
    tokens = members.texts("tokens", most=MOST_TOKENS)
    return {
        "seed": members.whole("seed"),
        "tokens": list(dict.fromkeys(tokens)) if tokens else None,
        "balance": _read_balance(members),
        "progress": _read_progress(members),
    }


def _read_balance(members: Members) -> Json:
    """Read Buzz for all accounts together, or for each of those that are named."""
    if not isinstance(members.value("balance"), dict):
        return members.number("balance", least=0, most=MOST_BUZZ)
    accounts = members.inner("balance")
    if accounts is None or not accounts.names:
        members.note("balance", f"Expected at least one of {', '.join(Account)}.")
        return None
    amounts = {account: accounts.number(account, least=0, most=MOST_BUZZ) for account in Account}
    return {account.value: amount for account, amount in amounts.items() if amount is not None}


def _read_progress(members: Members) -> Json:
    value = members.value("progress")
    if value is None:
        return None
    try:
        return dict(parse_progress_mode({"mode": value} if isinstance(value, str) else value).document)
    except InvalidRequestError as error:
        for path, messages in error.errors.items():
            for message in messages:
                members.note("progress" if path == ROOT else f"progress.{path}", message)
        return None


NAMED = [path_parameter("ns")]
ROUTES = [
    ControlRoute(
        "/namespaces",
        list_namespaces,
        method="GET",
        operation=Operation(
            id="listNamespaces",
            summary="List the namespaces by name",
            tag=CONTROL_TAG,
            parameters=LIST_PARAMETERS,
            responses={200: NamespaceList},
            problems=READ_PROBLEMS,
        ),
    ),
    ControlRoute(
        PATH,
        get_namespace,
        method="GET",
        operation=Operation(
            id="getNamespace",
            summary="Get what is set for a namespace",
            tag=CONTROL_TAG,
            parameters=NAMED,
            responses={200: NamespaceDocument},
            problems=[*READ_PROBLEMS, 404],
        ),
    ),
    ControlRoute(
        PATH,
        put_namespace,
        method="PUT",
        operation=Operation(
            id="putNamespace",
            summary="Set up a namespace, which is made if there is none",
            tag=CONTROL_TAG,
            parameters=NAMED,
            body=[NamespaceSettings],
            responses={200: NamespaceDocument},
            problems=[*CHANGE_PROBLEMS, 409],
            description="What is left out is as in a new namespace. A token leads requests into the namespace.",
        ),
    ),
    ControlRoute(
        PATH,
        delete_namespace,
        method="DELETE",
        operation=Operation(
            id="deleteNamespace",
            summary="Delete a namespace with all that is in it",
            tag=CONTROL_TAG,
            parameters=NAMED,
            responses={204: None, 200: NotYet},
            problems=CHANGE_PROBLEMS,
            description="The default one is there again at once, as new.",
        ),
    ),
    ControlRoute(
        "/reset",
        reset,
        method="POST",
        operation=Operation(
            id="reset",
            summary="Let the namespace of the request, or all of them, begin anew",
            tag=CONTROL_TAG,
            parameters=[flag_parameter("all")],
            responses={204: None, 200: NotYet},
            problems=CHANGE_PROBLEMS,
            description="Registered tokens stay.",
        ),
    ),
]
