"""Change a namespace from the command line: its clock, all of it, and what a snapshot has."""

import webbrowser
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import World


def test_a_clock_is_stopped_advanced_and_goes_on(world: World) -> None:
    assert "mode    real\n" in world.done("clock")
    frozen = world.json("clock freeze 2026-01-31T12:00:00Z")
    assert (frozen["mode"], frozen["now"][:19]) == ("frozen", "2026-01-31T12:00:00")
    assert world.json("clock advance 10m")["now"][:19] == "2026-01-31T12:10:00"
    assert world.json("clock")["now"] == "2026-01-31T12:10:00.0000000Z"
    resumed = world.json("clock resume")
    assert (resumed["mode"], resumed["rate"], resumed["now"][:16]) == ("scaled", 1, "2026-01-31T12:10")


def test_a_clock_is_stopped_where_it_is(world: World) -> None:
    world.done("clock freeze 2026-01-31T12:00:00Z")
    world.done("clock resume")
    assert world.json("clock freeze")["now"][:16] == "2026-01-31T12:00"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("clock freeze yesterday", 'now: Expected a date like 2026-01-31T12:00:00Z; found "yesterday".'),
        ("clock advance soon", "by: "),
    ],
)
def test_what_the_server_refuses_is_said_with_its_member(world: World, words: str, said: str) -> None:
    ended = world.run(words)
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith(f"civitai-mock: {said}")


def test_a_reset_leaves_other_namespaces_alone(new_world: Callable[[], World]) -> None:
    world, other = new_world(), new_world()
    world.submit()
    other.submit()
    assert world.done("reset") == f"namespace {world.name} begins anew\n"
    assert (len(world.json("jobs")), len(other.json("jobs"))) == (0, 1)
    assert world.done("reset", "--json") == ""


def test_a_snapshot_is_restored_elsewhere(new_world: Callable[[], World], tmp_path: Path) -> None:
    world, other = new_world(), new_world()
    job, file = world.submit(), tmp_path / "saved.zip"
    assert world.done("snapshot save", str(file)).startswith(f"namespace {world.name} is saved in {file} (")
    assert [path.name for path in tmp_path.iterdir()] == ["saved.zip"]
    assert other.done("snapshot restore", str(file)) == f"namespace {other.name} is what {file} has\n"
    assert [each["jobId"] for each in other.json("jobs")] == [job]


def test_a_snapshot_is_saved_through_a_link_and_into_what_is_no_file(world: World, tmp_path: Path) -> None:
    world.submit()
    link, target = tmp_path / "link.zip", tmp_path / "target.zip"
    link.symlink_to(target)
    world.done("snapshot save", str(link))
    assert (link.is_symlink(), target.read_bytes()[:2]) == (True, b"PK")
    world.done("snapshot save /dev/null")
    assert Path("/dev/null").is_char_device()


def test_what_is_no_snapshot_is_refused(world: World, tmp_path: Path) -> None:
    file = tmp_path / "not.zip"
    file.write_bytes(b"no zip")
    ended = world.run("snapshot restore", str(file))
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("civitai-mock: ")


@pytest.mark.parametrize(
    "words", ["snapshot restore absent.zip", "scenario put a absent.json", "snapshot save no/a.zip"]
)
def test_a_file_that_cannot_be_opened_is_a_fault_of_usage(
    world: World, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = world.run(words)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"civitai-mock: {words.rsplit(maxsplit=1)[-1]} cannot be ")


def test_a_full_disk_is_an_error(world: World) -> None:
    world.submit()
    ended = world.run("snapshot save /dev/full")
    assert (ended.status, ended.err) == (1, "civitai-mock: /dev/full fails: No space left on device\n")


def test_the_page_of_the_server_is_opened_for_the_namespace(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    address = f"{world.url}/_mock/ui/?namespace={world.name}"
    assert world.done("open") == f"{address}\n"
    assert opened == [address]
