"""The control plane: everything that the real service has not, under `/_mock/`.

Its routes are loaded for the first request that needs them; only who may call it is known from the start.
"""

PREFIX = "/_mock"
PAGE_PREFIX = PREFIX + "/ui"
STATE_PATH = "/state"
CONTROL_TAG = "control plane"
READ_PROBLEMS = (400, 401, 403, 429, 503)
CHANGE_PROBLEMS = (*READ_PROBLEMS, 408, 413, 415)


def is_control_path(path: str) -> bool:
    """Return whether a path, without its base path, is one of the control plane."""
    return path.startswith(PREFIX) and path[len(PREFIX) : len(PREFIX) + 1] in {"", "/"}


def is_page_path(path: str) -> bool:
    """Return whether a path is one of the dashboard's files, which are for everybody who may see the control plane."""
    return path.startswith(PAGE_PREFIX) and path[len(PAGE_PREFIX) : len(PAGE_PREFIX) + 1] in {"", "/"}
