"""What the start leaves for later: until the first healthy answer nobody needs it."""

import asyncio
import json
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from civitai_mock.bootstrap.runtime import loading_late
from tests.support.process import PATIENCE_SECONDS

START = """
import asyncio, json, linecache, ssl, sys
contexts = []
make_context = ssl.create_default_context
ssl.create_default_context = lambda *args, **kwargs: contexts.append(1) or make_context(*args, **kwargs)
from civitai_mock.cli import server
from civitai_mock.settings import Settings
from civitai_mock.bootstrap.application import Application
from civitai_mock.api.v1.wire import wire_models

async def main():
    application = Application(Settings.load())
    async with application.app.router.lifespan_context(application.app):
        print(json.dumps({
            "modules": list(sys.modules),
            "built": [model.__name__ for model in wire_models() if model.__pydantic_complete__],
            "tls_contexts": len(contexts),
            "sources": [name for name in linecache.cache if "civitai_mock" in name],
        }))

asyncio.run(main())
"""

# Shows what is so when the command imports its stores, and when it runs them.
SEED = """
import gc, json, sys
from civitai_mock.__main__ import main

class Watch:
    def find_spec(self, name, *_):
        if name in ("civitai_mock.bootstrap.stores", "civitai_mock.storage.sqlite"):
            print(json.dumps({"collects": gc.isenabled(), "rich": "rich" in sys.modules}))

sys.meta_path.insert(0, Watch())
sys.argv = ["civitai-mock", "seed"]
main()
"""


# Shows what a command that serves has imported when its server is about to open the app.
SERVE = """
import json, os, socket, sys
from civitai_mock.__main__ import main

listen = socket.create_server

def listen_anywhere(*_, **__):
    import uvicorn
    uvicorn.Server.startup = show
    return listen(("127.0.0.1", 0))

async def show(*_, **__):
    print(json.dumps(list(sys.modules)), flush=True)
    os._exit(0)

socket.create_server = listen_anywhere
sys.argv = ["civitai-mock"]
main()
"""


@pytest.fixture(scope="module")
def started() -> Any:
    """What a process has loaded when it can answer for the first time."""
    done = subprocess.run(
        [sys.executable, "-c", START], env={"MONGODB_URI": "memory://"}, check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def seeding() -> Any:
    """What is so while the command imports, and while it runs."""
    done = subprocess.run(
        [sys.executable, "-c", SEED], env={"MONGODB_URI": "memory://"}, check=True, capture_output=True, text=True
    )
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.fixture(scope="module")
def serving() -> Any:
    return _serving()


def _serving(**settings: str) -> Any:
    """What a command that serves has imported when its server is about to open the app."""
    environment = {"MONGODB_URI": "memory://", **settings}
    done = subprocess.run([sys.executable, "-c", SERVE], env=environment, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


OF_WORKFLOWS = (
    "civitai_mock.api.v2.description",
    "civitai_mock.api.v2.steps",
    "civitai_mock.domain.money",
    "civitai_mock.domain.workflow",
    "civitai_mock.generation.file_recipes",
    "civitai_mock.generation.job_types.step_job_types",
    "civitai_mock.generation.operations",
    "civitai_mock.services.workflows",
    "civitai_mock.storage.sqlite.workflows",
)


OF_PROGRESS_MODES = (
    "civitai_mock.domain.progress_modes",
    "civitai_mock.scheduler.job_stepper",
    "civitai_mock.services.order_jobs",
)
OF_FAULTS = (
    "civitai_mock.domain.faults",
    "civitai_mock.domain.members",
    "civitai_mock.services.faults.parsed_rules",
    "re2",
)
OF_FLEETS = ("civitai_mock.domain.fleet", "civitai_mock.domain.styles", "civitai_mock.scheduler.fleet")
OTHERS = ("av", "fastapi", "httpcore", "httpx", "motor", "numpy", "PIL", "pymongo", "websockets", "yaml")


@pytest.mark.parametrize("name", [*OTHERS, *OF_WORKFLOWS, *OF_PROGRESS_MODES, *OF_FAULTS, *OF_FLEETS])
def test_the_start_imports_nothing_that_few_requests_need(started: Any, name: str) -> None:
    assert not [module for module in started["modules"] if module == name or module.startswith(f"{name}.")]


def test_the_start_builds_no_model_of_the_wire(started: Any) -> None:
    assert started["built"] == []


def test_the_start_makes_no_tls_context(started: Any) -> None:
    assert started["tls_contexts"] == 0


def test_the_start_reads_no_source_of_ours(started: Any) -> None:
    assert started["sources"] == []


def test_garbage_is_collected_only_when_something_runs(seeding: Any) -> None:
    assert [moment["collects"] for moment in seeding] == [False, True]


def test_the_command_does_not_import_rich(seeding: Any) -> None:
    assert not any(moment["rich"] for moment in seeding)


def test_a_command_that_serves_imports_httpx_only_for_servers_of_comfyui() -> None:
    simulating, asking = (_serving(COMFY_HTTP_URL=url) for url in ("", "http://127.0.0.1:9"))
    assert ("httpx" in simulating, "httpx" in asking) == (False, True)
    assert not {"rich", "pygments"} & {*simulating, *asking}


def test_a_command_that_serves_does_not_import_those_that_ask_a_server(serving: Any) -> None:
    assert not [name for name in serving if name.startswith("civitai_mock.cli.control")]


def test_the_words_of_a_command_line_are_read_without_what_sends_requests() -> None:
    script = (
        "import sys; from civitai_mock.cli.arguments import parse_arguments; parse_arguments(['fault', 'list']);"
        " assert 'civitai_mock.cli.control.faults' in sys.modules; assert not {'httpx', 'asyncio'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("name", ["pydantic.v1.main", "websockets"])
def test_a_command_that_serves_imports_nothing_for_old_models_and_for_websockets(serving: Any, name: str) -> None:
    assert "uvicorn" in serving
    assert name not in serving


async def test_parts_are_loaded_soon_after_the_start_and_others_run_between_them() -> None:
    seen: list[str] = []

    def load(part: str) -> None:
        seen.append(part)
        asyncio.get_running_loop().call_soon(seen.append, f"after {part}")

    all_seen = asyncio.Event()
    parts = [partial(load, "a"), partial(load, "b"), partial(all_seen.set)]
    async with loading_late(parts), asyncio.timeout(PATIENCE_SECONDS):
        assert seen == []
        await all_seen.wait()
    assert seen == ["a", "after a", "b", "after b"]


@pytest.mark.parametrize("has_threads", [True, False])
async def test_modules_are_imported_in_a_thread_if_there_is_one_before_the_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_threads: bool
) -> None:
    module = "loaded_late_by_a_test"
    (tmp_path / f"{module}.py").write_text("import threading\nthread = threading.current_thread()\n")
    monkeypatch.syspath_prepend(tmp_path)
    loaded: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    with monkeypatch.context() as patched:
        if not has_threads:
            patched.setattr(threading.Thread, "start", _no_thread)
        async with loading_late([lambda: loaded.set_result(module in sys.modules)], modules=[module]):
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert await loaded
    assert (sys.modules.pop(module).thread is not threading.current_thread()) is has_threads


def _no_thread(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")
