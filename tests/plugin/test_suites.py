"""Suites of others that use the plugin."""

import re

import pytest

from civitai_mock.pytest_plugin.server import running_server
from tests.plugin.conftest import Suite
from tests.support.process import free_port

pytest_plugins = ["pytester"]

TEST = """
    import pytest
    JOB = {"$type": "textToImage", "model": "urn:air:sd1:checkpoint:civitai:4384@128713", "params": {"prompt": "a fox"}}
"""

SECTION = """
http://127.0.0.1:PORT/ns/test_one-DIGEST (seed NUMBER)
2 requests:
  TIME  POST /v1/consumer/jobs?wait=true  429, NUMBER ms, fault fault-1
  TIME  POST /v1/consumer/jobs?wait=true  200, NUMBER ms
1 job:
  ID (TextToImageV2)  Initialized TIME, Claimed TIME, Updated TIME, Updated TIME, Failed TIME, fault fault-2
    {"error": "AttributeError", "message": "out of \\u001b[31mmemory", "node_id": "KSampler", "class_type": "KSampler"}
"""
VARYING = {
    r"\d\d:\d\d:\d\d\.\d{3}": "TIME",
    r"(?<=127\.0\.0\.1:)\d+": "PORT",
    r"(?<=test_one-)\w+": "DIGEST",
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}": "ID",
    r"\d+(?= ms)|(?<=seed )\d+": "NUMBER",
}


def test_each_test_has_a_world_of_its_own(suite: Suite) -> None:
    result = suite.run(
        TEST
        + """
    @pytest.mark.parametrize("number", range(3))
    def test_one(civitai_mock, number):
        assert civitai_mock.jobs == []
        assert civitai_mock.client.post("/v1/consumer/jobs?wait=true", json=JOB).status_code == 200

    class TestTwo:
        def test_three(self, civitai_mock, civitai_mock_server):
            assert civitai_mock.jobs == []
            assert civitai_mock.url.startswith(civitai_mock_server.url)
    """
    )
    result.assert_outcomes(passed=4)


def test_nothing_starts_for_a_suite_that_does_not_ask(suite: Suite) -> None:
    result = suite.run(
        """
    import threading

    def test_nothing():
        assert "civitai-mock" not in {thread.name for thread in threading.enumerate()}
    """
    )
    result.assert_outcomes(passed=1)


def test_the_nearest_marker_counts_for_each_argument(suite: Suite) -> None:
    result = suite.run(
        TEST
        + """
    pytestmark = pytest.mark.civitai_mock(progress="manual", seed=1)

    @pytest.mark.civitai_mock(seed=2)
    class TestClass:
        @pytest.mark.civitai_mock(seed=3, balance=0)
        def test_own(self, civitai_mock):
            assert civitai_mock.seed == 3
            assert civitai_mock.client.post("/v1/consumer/jobs", json=JOB).status_code == 403

        def test_of_the_class(self, civitai_mock):
            assert civitai_mock.seed == 2

    def test_of_the_module(civitai_mock):
        assert civitai_mock.seed == 1
        assert civitai_mock.client.post("/v1/consumer/jobs", json=JOB).status_code == 202
        assert civitai_mock.jobs[0]["status"] == "Initialized"
    """
    )
    result.assert_outcomes(passed=3)


@pytest.mark.parametrize(
    ("marker", "line"),
    [
        ("progres='manual'", "Unknown argument 'progres'; known are *. Did you mean 'progress'[?]"),
        ("'manual'", "takes no argument without a name; found 'manual'"),
        ("faults='throttle'", "faults has to be a list of presets and rules; found 'throttle'"),
        ("faults=[3]", "faults has to be a list of presets and rules; found [[]3]"),
        ("strict=1", "strict has to be True or False; found 1"),
        ("progress='manul'", "*Unknown mode 'manul'*Did you mean 'manual'[?]"),
        ("balance=-1", "*balance: *"),
        ("seed='x'", "*seed: *"),
    ],
)
def test_a_marker_that_is_wrong_fails_the_test_in_a_line(suite: Suite, marker: str, line: str) -> None:
    result = suite.run(
        f"""
    import pytest

    @pytest.mark.civitai_mock({marker})
    def test_one(civitai_mock):
        pass
    """
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"civitai_mock*: {line}"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_the_marker_is_known_to_strict_suites(suite: Suite) -> None:
    result = suite.run("import pytest\n@pytest.mark.civitai_mock(seed=1)\ndef test_one(): pass", "--strict-markers")
    result.assert_outcomes(passed=1)


def test_a_failed_test_shows_its_requests_and_the_events_of_its_jobs(suite: Suite) -> None:
    result = suite.run(
        TEST
        + """
    def test_one(civitai_mock):
        civitai_mock.fail_next(1, "throttle")
        civitai_mock.fail_next(1, "node-crash", message="out of \\x1b[31mmemory")
        for _ in range(2):
            civitai_mock.client.post("/v1/consumer/jobs?wait=true", json=JOB)
        assert False

    def test_two(civitai_mock):
        pass
    """
    )
    result.assert_outcomes(failed=1, passed=1)
    sections = re.split(r"^-+ civitai-mock -+$", result.stdout.str(), flags=re.MULTILINE)
    assert len(sections) == 2, "there is one for the test that failed, and none for the other"
    shown = sections[1].partition("\n=")[0] + "\n"
    for pattern, word in VARYING.items():
        shown = re.sub(pattern, word, shown)
    assert shown == SECTION


def test_a_report_shows_the_last_of_many_requests(suite: Suite) -> None:
    result = suite.run(
        """
    def test_one(civitai_mock):
        for number in range(21):
            civitai_mock.client.get(f"/v1/consumer/jobs/{number}%1b[31m")
        assert False
    """
    )
    result.stdout.fnmatch_lines(
        [
            "the last 20 requests:",
            "  *GET /v1/consumer/jobs/1\\x1b[[]31m  404, *",
            "  *GET /v1/consumer/jobs/20\\x1b*",
            "0 jobs",
        ]
    )
    result.stdout.no_fnmatch_line("  *GET /v1/consumer/jobs/0\\x1b*")


def test_a_failed_test_leaves_its_namespace_to_be_looked_at(suite: Suite) -> None:
    with running_server({}) as server:
        result = suite.run(
            "def test_good(civitai_mock): pass\ndef test_bad(civitai_mock): assert 0", "--civitai-mock-url", server.url
        )
        result.assert_outcomes(passed=1, failed=1)
        left = [item["name"].partition("-")[0] for item in server.control.items("/namespaces")]
        assert sorted(left) == ["default", "test_bad"]


def test_a_running_server_is_used_with_its_token(suite: Suite) -> None:
    with running_server({"ADMIN_TOKEN": "letmein"}) as server:
        result = suite.run(
            TEST
            + f"""
    def test_one(civitai_mock, civitai_mock_server):
        assert civitai_mock_server.url == {server.url!r}
        assert civitai_mock.client.post("/v1/consumer/jobs?wait=true", json=JOB).status_code == 200
        assert len(civitai_mock.jobs) == 1
        assert False
    """,
            f"--civitai-mock-url={server.url}/",
            "--civitai-mock-token=letmein",
        )
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["*- civitai-mock -*", "1 job:"])
        result.stdout.no_fnmatch_line("*letmein*")


@pytest.mark.parametrize(
    ("settings", "options", "line"),
    [
        ({"ADMIN_TOKEN": "letmein"}, [], "civitai_mock_server: *: 401, The control plane needs its token*"),
        ({"ADMIN_TOKEN": "letmein"}, ["--civitai-mock-token=x"], "civitai_mock_server: *: 401, *"),
        ({"ADMIN": "off"}, [], "civitai_mock_server: *: 404, *"),
    ],
)
def test_a_server_that_refuses_says_so_in_a_line(
    suite: Suite, settings: dict[str, str], options: list[str], line: str
) -> None:
    with running_server(settings) as server:
        result = suite.run("def test_one(civitai_mock): pass", "--civitai-mock-url", server.url, *options)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([line])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_server_that_is_not_there_says_so_in_a_line(suite: Suite) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    result = suite.run("def test_one(civitai_mock): pass\ndef test_two(): pass", "--civitai-mock-url", url)
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines([f"civitai_mock_server: civitai-mock does not answer at {url}: Connection refused"])


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            ["--civitai-mock-url=localhost:3000"],
            "ERROR: --civitai-mock-url localhost:3000: it has to begin with http://*",
        ),
        (["--civitai-mock-token=x"], "ERROR: --civitai-mock-token is of no use without --civitai-mock-url"),
    ],
)
def test_options_that_are_wrong_stop_the_session(suite: Suite, options: list[str], line: str) -> None:
    result = suite.run("def test_one(): pass", *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([line])


def test_a_suite_chooses_the_settings_of_its_server(suite: Suite) -> None:
    result = suite.run(
        TEST
        + """
    @pytest.fixture(scope="session")
    def civitai_mock_settings():
        return {"AUTH": "any"}

    def test_one(civitai_mock):
        path = "/v1/consumer/jobs"
        assert civitai_mock.client.post(path, json=JOB, headers={"Authorization": ""}).status_code == 401
        assert civitai_mock.client.post(path, json=JOB).status_code == 202
    """
    )
    result.assert_outcomes(passed=1)


def test_settings_that_cannot_work_fail_in_a_line(suite: Suite) -> None:
    result = suite.run(
        """
    import pytest

    @pytest.fixture(scope="session")
    def civitai_mock_settings():
        return {"AUTH": "perhaps"}

    def test_one(civitai_mock): pass
    """
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["civitai_mock_server: AUTH: found 'perhaps', expected *"])


def test_a_strict_test_fails_for_a_rule_that_never_fired(suite: Suite) -> None:
    result = suite.run(
        TEST
        + """
    rules = [{"action": {"status": 500}, "match": {"method": "DELETE"}}, "throttle"]

    @pytest.mark.civitai_mock(faults=rules, strict=True)
    def test_one(civitai_mock):
        assert civitai_mock.client.get("/v1/consumer/jobs/x").status_code == 429

    @pytest.mark.civitai_mock(faults=rules, strict=True)
    def test_two(civitai_mock):
        assert civitai_mock.client.get("/v1/consumer/jobs/x").status_code == 429
        civitai_mock.client.delete("/v1/consumer/jobs/x")

    @pytest.mark.civitai_mock(faults=rules)
    def test_three(civitai_mock):
        pass

    @pytest.mark.civitai_mock(faults=rules, strict=True)
    def test_four(civitai_mock):
        assert False, "this is what the report has to show"
    """
    )
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        [
            'civitai_mock: these rules never fired: fault-1 ({"status": 500})',
            "*this is what the report has to show*",
        ]
    )
    result.stdout.no_fnmatch_line("*never fired: *throttle*")
