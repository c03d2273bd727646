"""Names and folders of files on the stand-in: small rules of ComfyUI."""

from datetime import UTC, datetime

import pytest

from civitai_mock.comfyui_standin.state.files import (
    FilePlace,
    FileStore,
    OutsideFolderError,
    SaveName,
    expand_prefix,
    split_annotation,
)

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("prefix", "expanded"),
    [
        ("%width%x%height%", "64x32"),
        ("%year%-%month%-%day% %hour%:%minute%:%second%", "2026-03-04 05:06:07"),
        ("%date:yyyy% %KSampler.seed% %nope%", "%date:yyyy% %KSampler.seed% %nope%"),
    ],
)
def test_the_server_fills_in_size_and_time_only(prefix: str, expanded: str) -> None:
    assert expand_prefix(prefix, width=64, height=32, now=NOW) == expanded


@pytest.mark.parametrize(
    ("prefix", "subfolder", "stem"),
    [("ComfyUI", "", "ComfyUI"), ("a/b/c", "a/b", "c"), ("a/../c", "", "c"), ("日本 語/a b", "日本 語", "a b")],
)
def test_a_prefix_may_name_folders(prefix: str, subfolder: str, stem: str) -> None:
    assert SaveName.parse(prefix, folder="output") == SaveName(subfolder=subfolder, stem=stem)


@pytest.mark.parametrize("prefix", ["../../evil", "/etc/evil", "a/../../evil", "../outputs/evil"])
def test_a_prefix_that_leads_out_is_an_error(prefix: str) -> None:
    with pytest.raises(OutsideFolderError, match="Saving image outside the output folder is not allowed"):
        SaveName.parse(prefix, folder="output")


@pytest.mark.parametrize(
    ("names", "counter"),
    [
        ([], 1),
        (["x_00001_.png", "x_00007_.png"], 8),
        (["x_00003.png", "x_y_00009_.png", "xx_00009_.png", "x_abc_.png"], 1),
        (["x_00041_.webp"], 42),
    ],
)
def test_counting_goes_on_from_existing_files(names: list[str], counter: int) -> None:
    assert SaveName(subfolder="", stem="x").next_counter(names) == counter


@pytest.mark.parametrize(
    ("text", "name", "folder"),
    [("x.png", "x.png", None), ("a/x.png [temp]", "a/x.png", "temp"), ("x [bogus]", "x [bogus]", None)],
)
def test_a_name_may_say_its_folder(text: str, name: str, folder: str | None) -> None:
    assert split_annotation(text) == (name, folder)


def test_a_full_store_deletes_the_oldest_images_of_graphs() -> None:
    files = FileStore(max_bytes=30)
    uploaded, places = (
        FilePlace("input", "", "in.png"),
        [FilePlace("output", "", f"{number}.png") for number in range(3)],
    )
    for place in (uploaded, *places):
        files.put(place, b"0123456789", now=NOW)
    kept = [place for place in (uploaded, *places) if files.get(place)]
    assert kept == [uploaded, *places[1:]]


def test_a_file_that_is_larger_than_the_store_is_kept_alone() -> None:
    files = FileStore(max_bytes=5)
    files.put(FilePlace("output", "", "old.png"), b"1", now=NOW)
    files.put(FilePlace("output", "", "new.png"), b"0123456789", now=NOW)
    assert files.names("output") == ["new.png"]
