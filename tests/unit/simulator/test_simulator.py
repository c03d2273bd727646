"""The simulator's own promises, beyond those of every provider."""

import asyncio
import gc
import threading
import weakref
from dataclasses import replace
from typing import Any

import pytest

from civitai_mock.clock import VirtualClock
from civitai_mock.domain.errors import TransientError
from civitai_mock.drawing.outputs import output_files
from civitai_mock.generation.media import ImageContent
from civitai_mock.generation.recipe import read_recipe, recipe_text
from civitai_mock.ports import Output, UndrawnOutput
from civitai_mock.providers.simulator.graph_check import PromptCancelledError
from civitai_mock.providers.simulator.simulator import Simulator
from civitai_mock.providers.simulator.timing import INSTANT, TimingProfile
from tests.support.comfy_graphs import Graph, node, text_to_image
from tests.support.event_loop import settle
from tests.support.provider_openers import content, submission

TEN_SECONDS = replace(INSTANT, prompt=10.0)


def make_simulator(clock: VirtualClock, profile: TimingProfile = INSTANT, *, remember: int = 4096) -> Simulator:
    return Simulator(name="local", clock=clock, profile=profile, image_content=ImageContent.BLANK, remember=remember)


def plain_images(count: int = 1) -> Graph:
    """Return a graph whose images no drawing stands in for."""
    return {
        "5": node("EmptyImage", width=64, height=64, batch_size=count, color=0),
        "9": node("SaveImage", images=["5", 0], filename_prefix="x"),
    }


async def test_a_prompt_ends_when_its_time_is_over_and_not_before(clock: VirtualClock) -> None:
    async with make_simulator(clock, TEN_SECONDS) as provider:
        await provider.send(submission("a", text_to_image()))
        waiting = asyncio.create_task(provider.collect("a"))
        await settle()
        clock.advance(9.9)
        await settle()
        assert not waiting.done()
        clock.advance(0.1)
        assert len((await waiting).items) == 1


async def test_time_runs_from_the_sending(clock: VirtualClock) -> None:
    async with make_simulator(clock, TEN_SECONDS) as provider:
        await provider.send(submission("a", text_to_image()))
        clock.advance(10)
        assert (await provider.collect("a")).items


async def test_thousands_wait_at_once_without_a_thread(clock: VirtualClock) -> None:
    async with make_simulator(clock, TEN_SECONDS) as provider:
        ids = [str(number) for number in range(2000)]
        for prompt_id in ids:
            await provider.send(submission(prompt_id, text_to_image()))
        threads = threading.active_count()
        waiting = [asyncio.create_task(provider.collect(prompt_id)) for prompt_id in ids]
        await settle(3)
        assert threading.active_count() == threads
        clock.advance(10)
        assert len(await asyncio.gather(*waiting)) == len(ids)


async def test_an_image_that_a_drawing_stands_in_for_is_a_recipe(clock: VirtualClock) -> None:
    async with make_simulator(clock) as provider:
        await provider.send(submission("a", text_to_image(batch=2)))
        outputs = (await provider.collect("a")).items
    recipes = [output.recipe for output in outputs if isinstance(output, UndrawnOutput)]
    assert [read_recipe(recipe_text(recipe)) for recipe in recipes] == recipes
    assert [(recipe.job_id, recipe.node_id, recipe.index, recipe.image_content) for recipe in recipes] == [
        ("job of a", "9", 0, "blank"),
        ("job of a", "9", 1, "blank"),
    ]


async def test_another_file_is_made_when_its_bytes_are_asked_for(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def noted(_: object, __: str, index: int, **___: object) -> bytes:
        made.append(index)
        return b"png"

    monkeypatch.setattr(output_files, "make_file", noted)
    async with make_simulator(clock) as provider:
        await provider.send(submission("a", plain_images(3)))
        outputs = await provider.collect("a")
        assert made == []
        assert await content(outputs.items[1], plain_images(3)) == b"png"
        assert made == [1]


async def test_the_event_loop_goes_on_while_a_file_is_made(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def held(*_: object, **__: object) -> bytes:
        begun.set()
        go_on.wait(10)
        return threading.current_thread().name.encode()

    monkeypatch.setattr(output_files, "make_file", held)
    async with make_simulator(clock) as provider:
        await provider.send(submission("a", plain_images()))
        making = asyncio.create_task(content((await provider.collect("a")).items[0], plain_images()))
        await asyncio.to_thread(begun.wait, 10)
        assert (await provider.send(submission("b", text_to_image()))).prompt_id == "b"
        assert not making.done()
        go_on.set()
        assert (await making).startswith(b"drawing")


async def test_large_files_come_in_chunks(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output_files, "make_file", lambda *_, **__: bytes(600_000))
    async with make_simulator(clock) as provider:
        await provider.send(submission("a", plain_images()))
        (output,) = (await provider.collect("a")).items
        assert isinstance(output, Output)
        assert [len(chunk) async for chunk in output.content] == [262_144, 262_144, 75_712]


async def test_a_cancelled_prompt_says_so_to_who_comes_later(clock: VirtualClock) -> None:
    async with make_simulator(clock, TEN_SECONDS) as provider:
        await provider.send(submission("a", text_to_image()))
        await provider.cancel("a")
        await provider.cancel("a")
        with pytest.raises(PromptCancelledError) as caught:
            await provider.collect("a")
        assert (caught.value.code, caught.value.evidence) == ("cancelled", {"prompt_id": "a"})


async def test_a_cancelled_prompt_that_is_sent_again_starts_anew(clock: VirtualClock) -> None:
    async with make_simulator(clock, TEN_SECONDS) as provider:
        first = await provider.send(submission("a", text_to_image()))
        await provider.cancel("a")
        again = await provider.send(submission("a", text_to_image()))
        clock.advance(10)
        assert again.response["number"] != first.response["number"]
        assert (await provider.collect("a")).items


async def test_what_ended_is_forgotten_when_there_is_too_much_of_it(clock: VirtualClock) -> None:
    async with make_simulator(clock, remember=2) as provider:
        for prompt_id in ("a", "b", "c"):
            await provider.send(submission(prompt_id, text_to_image()))
        assert (await provider.collect("c")).items
        with pytest.raises(TransientError) as caught:
            await provider.collect("a")
        assert caught.value.evidence == {"prompt_id": "a"}


class WatchedGraph(dict[str, Any]):
    """A graph that weak references can refer to."""


async def test_an_ended_prompt_can_be_collected_again_but_its_graph_does_not_stay(clock: VirtualClock) -> None:
    async with make_simulator(clock) as provider:
        graph = WatchedGraph(text_to_image())
        kept = weakref.ref(graph)
        await provider.send(submission("a", graph))
        first = await provider.collect("a")
        del graph
        gc.collect()
        assert kept() is None
        assert await provider.collect("a") == first


async def test_a_prompt_is_found_with_the_graph_that_it_is_sent_with_again(clock: VirtualClock) -> None:
    async with make_simulator(clock) as provider:
        first = await provider.send(submission("a", text_to_image()))
        graph = text_to_image()
        again = await provider.send(submission("a", graph))
        assert (again.found, again.is_done, again.response) == (True, first.is_done, first.response)
        assert again.graph is graph


async def test_forgetting_a_cancelled_prompt_leaves_the_one_that_took_its_place(clock: VirtualClock) -> None:
    async with make_simulator(clock, TEN_SECONDS, remember=0) as provider:
        await provider.send(submission("a", text_to_image()))
        await provider.cancel("a")
        clock.advance(5)
        for prompt_id in ("a", "b"):
            await provider.send(submission(prompt_id, text_to_image()))
        clock.advance(7)
        await provider.send(submission("c", text_to_image()))
        clock.advance(4)
        assert (await provider.collect("a")).items


async def test_prompts_that_are_cancelled_do_not_stay_until_their_time_is_over(clock: VirtualClock) -> None:
    async with make_simulator(clock, TEN_SECONDS, remember=1) as provider:
        await provider.send(submission("first", text_to_image()))
        for number in range(500):
            await provider.send(submission(str(number), text_to_image()))
            await provider.cancel(str(number))
        assert len(provider._prompts._unfinished) < 200
        assert len(provider._prompts._prompts) < 10
        clock.advance(10)
        assert (await provider.collect("first")).items


async def test_unfinished_prompts_are_never_forgotten(clock: VirtualClock) -> None:
    async with make_simulator(clock, TEN_SECONDS, remember=1) as provider:
        for prompt_id in ("a", "b", "c"):
            await provider.send(submission(prompt_id, text_to_image()))
        clock.advance(10)
        for prompt_id in ("a", "b", "c"):
            assert (await provider.collect(prompt_id)).items


async def test_numbers_run_on(clock: VirtualClock) -> None:
    async with make_simulator(clock) as provider:
        receipts = [await provider.send(submission(prompt_id, text_to_image())) for prompt_id in "abc"]
    assert [receipt.response["number"] for receipt in receipts] == [0, 1, 2]


async def test_a_graph_that_changes_after_sending_changes_nothing(clock: VirtualClock) -> None:
    graph = plain_images()
    async with make_simulator(clock) as provider:
        await provider.send(submission("a", graph))
        before = await content((await provider.collect("a")).items[0], graph)
        graph["5"]["inputs"]["color"] = 0xFF0000
        assert await content((await provider.collect("a")).items[0], graph) == before


async def test_closing_ends_the_drawing_threads(clock: VirtualClock) -> None:
    async with make_simulator(clock) as provider:
        await provider.send(submission("a", plain_images()))
        await content((await provider.collect("a")).items[0], plain_images())
        assert any(thread.name.startswith("drawing") for thread in threading.enumerate())
    assert not any(thread.name.startswith("drawing") for thread in threading.enumerate())
