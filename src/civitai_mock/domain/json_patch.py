"""Apply JSON Patch (RFC 6902) to a JSON document, at places that JSON Pointers (RFC 6901) name."""

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_pointer import (
    ROOT,
    Container,
    Pointer,
    PointerError,
    index_in,
    parse_pointer,
    place_in,
    print_pointer,
    value_at,
)
from civitai_mock.domain.json_types import Json, JsonObject

MOST_OPERATIONS = 1000
MOST_VALUES = 100_000  # that all operations of a patch may put in together: `copy` can double a document each time
MOST_DEPTH = 64  # that a patched document may have, as a request body


class PatchOp(StrEnum):
    """Names the operations of RFC 6902."""

    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"
    MOVE = "move"
    COPY = "copy"
    TEST = "test"


HAS_VALUE = frozenset({PatchOp.ADD, PatchOp.REPLACE, PatchOp.TEST})
HAS_SOURCE = frozenset({PatchOp.MOVE, PatchOp.COPY})


class _OperationError(Exception):
    """Says which member of an operation is at fault."""

    def __init__(self, member: str, message: str) -> None:
        super().__init__(message)
        self.member = member


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchOperation:
    """Is one operation; `source` is its `from`."""

    op: PatchOp
    path: Pointer
    source: Pointer = ROOT
    value: Json = None

    @property
    def changed_places(self) -> Sequence[tuple[str, Pointer]]:
        """Return the places that it changes, each with the name of the member that says so."""
        if self.op is PatchOp.TEST:
            return ()
        return [("path", self.path), *([("from", self.source)] if self.op is PatchOp.MOVE else [])]


def parse_patch(body: Json) -> Sequence[PatchOperation]:
    """Read a patch; raise `InvalidRequestError`, which names each fault by its place (`[2].path`)."""
    if not isinstance(body, list):
        raise _invalid({"": ["A JSON Patch must be an array of operations."]})
    if len(body) > MOST_OPERATIONS:
        raise _invalid({"": [f"A JSON Patch may have at most {MOST_OPERATIONS} operations; found {len(body)}."]})
    operations: list[PatchOperation] = []
    errors: dict[str, list[str]] = {}
    for index, item in enumerate(body):
        try:
            operations.append(_parse_operation(item))
        except InvalidRequestError as error:
            errors |= {f"[{index}]{member}": found for member, found in error.errors.items()}
    if errors:
        raise _invalid(errors)
    return operations


def _parse_operation(item: Json) -> PatchOperation:
    if not isinstance(item, dict):
        raise _invalid({"": ["An operation must be an object."]})
    try:
        op = PatchOp(str(item.get("op")))
    except ValueError as error:
        raise _invalid({".op": [f"op must be one of {', '.join(PatchOp)}; found {item.get('op')!r}."]}) from error
    if op in HAS_VALUE and "value" not in item:
        raise _invalid({".value": [f"value is required for {op}."]})
    return PatchOperation(
        op=op,
        path=_pointer_in(item, "path", op),
        source=_pointer_in(item, "from", op) if op in HAS_SOURCE else ROOT,
        value=item.get("value"),
    )


def _pointer_in(item: JsonObject, member: str, op: PatchOp) -> Pointer:
    text = item.get(member)
    if not isinstance(text, str):
        raise _invalid({f".{member}": [f"{member} is required for {op}; expected a JSON Pointer."]})
    try:
        return parse_pointer(text)
    except PointerError as error:
        raise _invalid({f".{member}": [str(error)]}) from error


def check_places(operations: Sequence[PatchOperation], allowed: Collection[str]) -> None:
    """Raise `InvalidRequestError` if a patch changes anything but these members of the document and what is in them."""
    errors = {
        f"[{index}].{member}": [f"'{print_pointer(place)}' cannot be changed; expected {_listed(allowed)}."]
        for index, operation in enumerate(operations)
        for member, place in operation.changed_places
        if not place or place[0] not in allowed
    }
    if errors:
        raise _invalid(errors)


def _listed(members: Collection[str]) -> str:
    return ", ".join(f"/{member}" for member in sorted(members))


def apply_patch(document: Json, operations: Sequence[PatchOperation]) -> Json:
    """Return the patched document, which shares nothing with `document`: all operations are applied or none.

    Raise `InvalidRequestError` that names the first operation which cannot be applied, or whose test fails.
    """
    patched, room = _copied(document), MOST_VALUES
    for index, operation in enumerate(operations):
        try:
            patched, used = _applied(patched, operation, room)
        except _OperationError as error:
            raise _invalid({f"[{index}].{error.member}": [str(error)]}) from error
        room -= used
    return patched


def _applied(document: Json, operation: PatchOperation, room: int) -> tuple[Json, int]:
    """Return the document after one operation, and how many values that put in; `room` is left for them."""
    member = "from"
    try:
        value = value_at(document, operation.source) if operation.op in HAS_SOURCE else operation.value
        member = "path"
        if operation.op is PatchOp.TEST:
            found = value_at(document, operation.path)
            member = "value"
            _check_same(found, value, operation.path)
            return document, 0
        used = _measured(value, room=room, depth=MOST_DEPTH - len(operation.path))
        return CHANGES[operation.op](document, operation, value), used
    except PointerError as error:
        raise _OperationError(member, str(error)) from error


def _add(document: Json, operation: PatchOperation, value: Json) -> Json:
    return _with(document, operation.path, _copied(value))


def _remove(document: Json, operation: PatchOperation, value: Json) -> Json:  # noqa: ARG001 - as all of `CHANGES`
    return _without(document, operation.path)


def _replace(document: Json, operation: PatchOperation, value: Json) -> Json:
    value_at(document, operation.path)
    if operation.path == ROOT:
        return _copied(value)
    container, key = place_in(document, operation.path)
    if isinstance(container, dict):
        container[key] = _copied(value)
    else:
        container[int(key)] = _copied(value)
    return document


def _move(document: Json, operation: PatchOperation, value: Json) -> Json:
    if operation.path[: len(operation.source)] == operation.source and operation.path != operation.source:
        raise PointerError(f"'{print_pointer(operation.source)}' cannot be moved into itself.")
    if operation.path == operation.source:
        return document
    return _with(_without(document, operation.source), operation.path, value)


def _check_same(found: Json, expected: Json, pointer: Pointer) -> None:
    if not is_same_json(found, expected):
        raise PointerError(f"The value at '{print_pointer(pointer)}' is another one.")


CHANGES: Mapping[PatchOp, Callable[[Json, PatchOperation, Json], Json]] = {
    PatchOp.ADD: _add,
    PatchOp.REMOVE: _remove,
    PatchOp.REPLACE: _replace,
    PatchOp.MOVE: _move,
    PatchOp.COPY: _add,
}


def _with(document: Json, pointer: Pointer, value: Json) -> Json:
    if pointer == ROOT:
        return value
    container, key = place_in(document, pointer)
    if isinstance(container, dict):
        container[key] = value
    else:
        container.insert(index_in(container, key, pointer, is_new=True), value)
    return document


def _without(document: Json, pointer: Pointer) -> Json:
    if pointer == ROOT:
        raise PointerError("The whole document cannot be removed.")
    value_at(document, pointer)
    container, key = place_in(document, pointer)
    if isinstance(container, dict):
        del container[key]
    else:
        del container[int(key)]
    return document


def is_same_json(one: Json, other: Json) -> bool:
    """Return whether two values are equal as JSON: 1 is 1.0, and is not true."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same_json(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same_json, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other


def _copied(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _copied(item) for name, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _measured(value: Json, *, room: int, depth: int) -> int:
    """Return how many values there are in one, itself included; raise `PointerError` if they are too many or deep."""
    count, level = 0, [value]
    while level:
        count += len(level)
        if count > room:
            raise PointerError(f"The patch would put in more than {MOST_VALUES} values.")
        if depth < 0:
            raise PointerError(f"The document would be deeper than {MOST_DEPTH}.")
        depth -= 1
        level = [item for found in level if isinstance(found, dict | list) for item in _items(found)]
    return count


def _items(container: Container) -> Collection[Json]:
    return container.values() if isinstance(container, dict) else container


def _invalid(errors: Mapping[str, Sequence[str]]) -> InvalidRequestError:
    return InvalidRequestError("The JSON Patch cannot be applied.", errors=errors)
