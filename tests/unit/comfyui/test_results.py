"""The results of a prompt are sorted by node, then by batch."""

from collections.abc import Mapping

import pytest

from civitai_mock.providers.comfyui.protocol.messages import SavedFile, SocketImage
from civitai_mock.providers.comfyui.protocol.tracker import SavedResult, sort_previews, sort_results


def saved(*names: str, folder: str = "output") -> tuple[SavedFile, ...]:
    return tuple(SavedFile(name, "", folder) for name in names)


@pytest.mark.parametrize(
    ("files", "node_order", "expected"),
    [
        ({"9": ("b", "a")}, (), ["b", "a"]),
        ({"10": ("ten",), "9": ("nine",)}, ("10", "9"), ["nine", "ten"]),
        ({"57:10": ("later",), "57:9": ("earlier",), "58": ("last",)}, (), ["earlier", "later", "last"]),
        ({"Save B": ("b",), "Save A": ("a",)}, ("Save B", "Save A"), ["b", "a"]),
        ({"Save": ("named",), "12": ("numbered",)}, ("Save", "12"), ["numbered", "named"]),
        ({"unlisted": ("u",), "listed": ("l",)}, ("listed",), ["l", "u"]),
        ({}, (), []),
    ],
)
def test_images_are_counted_by_node_and_then_by_batch(
    files: Mapping[str, tuple[str, ...]], node_order: tuple[str, ...], expected: list[str]
) -> None:
    made = {node_id: saved(*names) for node_id, names in files.items()}
    results = sort_results(files=made, images=[], node_order=node_order)
    assert [result.file.filename for result in results if isinstance(result, SavedResult)] == expected


def test_previews_do_not_count_beside_saved_images() -> None:
    files = {"1": saved("preview", folder="temp"), "9": saved("saved")}
    assert sort_results(files=files, images=[], node_order=()) == (SavedResult("9", saved("saved")[0]),)


def test_previews_that_do_not_count_are_known() -> None:
    files = {"12": saved("later", folder="temp"), "1": saved("preview", folder="temp"), "9": saved("saved")}
    results = sort_results(files=files, images=[], node_order=())
    previews = sort_previews(files=files, results=results, node_order=())
    assert [(preview.node_id, preview.file.filename) for preview in previews] == [("1", "preview"), ("12", "later")]
    assert sort_previews(files={"1": saved("a")}, results=[SavedResult("1", saved("a")[0])], node_order=()) == ()


def test_previews_count_where_nothing_was_saved() -> None:
    files = {"1": saved("preview", folder="temp")}
    assert sort_results(files=files, images=[], node_order=()) == (SavedResult("1", files["1"][0]),)


def test_images_of_the_socket_and_of_the_disk_are_counted_together() -> None:
    image = SocketImage("p", "8", "image/png", b"x")
    results = sort_results(files={"9": saved("a")}, images=[image], node_order=())
    assert results == (image, SavedResult("9", saved("a")[0]))
