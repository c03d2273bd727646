"""What rules of faults, and whoever verifies, match in a request of the journal: the same as when it came."""

from collections.abc import Iterable, Mapping

from starlette.routing import Route

from civitai_mock.api.faults.subject import NO_WORK, SUBMIT_ROUTES, find_route, request_subject, work_in
from civitai_mock.api.json_body import VALUES_IN_ANY_CASE, is_json
from civitai_mock.domain.faults.conditions import FaultSubject
from civitai_mock.domain.faults.submissions import SubmittedWork
from civitai_mock.domain.journal import JournalEntry, LargeBody


class EntrySubjects:
    """Makes a subject of an entry, as it is seen by these routes."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = tuple(routes)

    def __call__(self, entry: JournalEntry) -> FaultSubject:
        route = entry.route or self._find_route(entry)
        headers = dict(reversed(entry.request_headers))  # the first of each name, as ever
        is_submission = entry.method == "POST" and route in SUBMIT_ROUTES
        return request_subject(
            method=entry.method,
            path=entry.own_path,
            query=entry.query,
            headers=headers,
            route=route,
            work=_work_of(entry, headers) if is_submission else NO_WORK,
        )

    def _find_route(self, entry: JournalEntry) -> str | None:
        """Return the route of a request that was answered before it came there."""
        scope = {"type": "http", "method": entry.method, "path": entry.own_path, "root_path": "", "headers": []}
        found = find_route(self._routes, scope)
        return None if found is None else found.path_format


def _work_of(entry: JournalEntry, headers: Mapping[bytes, bytes]) -> SubmittedWork:
    body = entry.request_body
    if isinstance(body, LargeBody):
        return body.work or NO_WORK
    content_type = headers.get(b"content-type")
    if not is_json(None if content_type is None else content_type.decode("latin-1")):
        return NO_WORK
    return work_in(body, most_values=VALUES_IN_ANY_CASE)
