"""Text is data: whatever stands in a prompt, a submission is taken and its job succeeds."""

import json
from typing import Any

import pytest

from tests.support.served_app import Opened, serve_all

MODEL = "urn:air:sd1:checkpoint:civitai:4384@128713"
WITHOUT_TAG = "a lighthouse"
IGNORED = (
    "<lora:watercolour:0,8>",
    "<lora:watercolour:strong>",
    "<lora:watercolour:80%>",
    "<lora:watercolour:>",
    "<lora::1>",
    "<lora:watercolour:1@0.5>",
    "<lora:watercolour:1000000000>",
    "<lyco:x:te=much>",
    "<hypernet:x:-11>",
    "<LORA: : : >",
)
TEXTS = {
    "tag of any name": "<lora:../../etc/passwd:1> <lora:C:\\x:1> <lora:\u202ex\U0001f408:1> <lora:%00:1>",
    "tag within a tag": "<lora:<lora:x:1>:1>",
    "tag that is not closed": "<lora:x:1 a lighthouse",
    "2,000 tags": "<lora:x:1>" * 2_000,
    "2,000 tags without a name": "<lora::1>" * 2_000,
    "brackets never closed": "(" * 20_000,
    "brackets never opened": ")]" * 10_000,
    "deep brackets": "([" * 5_000 + "])" * 5_000,
    "weights without end": "(a:1" + "0" * 19_990 + ")",
    "weights that are not numbers": "(a:nan) (b:inf) (c:-) (d:1e999) (e:0x10) (f:1.2.3) [g:nan] [(h:"
    + "9" * 400
    + ")]",
    "editing": "[a:b:0.5] [a|b|c] [:::::] [|] [a:b:1e999]",
    "embeddings": "embedding:nowhere (embedding:(x):9) embedding: embedding:../../x embedding:a b",
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f\x80\x9f\ufeff\ufffe",
    "right to left": "\u202e\u2066\u05d0\u0627 <lora:\u05d0:\u0661>\u2069",
    "white space": " \t\n\r\u2028\u3000" * 3_000,
    "nothing": "",
    "markup": "</script><!--]]>&amp;%s{}{{x}}$where${jndi:x}'; DROP TABLE jobs; --",
    "json": '{"a": [1, {"b": "\\\\u0000"}]}',
    "BREAK": "BREAK " * 3_333,
    "combining marks": "e\u0301" * 10_000,
    "beyond the first plane": "\U0001f431\u200d\U0001f680" * 6_000,
}


async def finished(served: Opened, **params: Any) -> Any:
    """The detailed status of a job with these params, once it has ended."""
    asked = {"$type": "textToImage", "model": MODEL, "params": {"width": 64, "height": 64, "steps": 1, **params}}
    return await served.run(asked)


def graph_of(status: Any) -> Any:
    """Without what differs from job to job."""
    graph = json.loads(status["lastEvent"]["context"]["comfy_prompt_request"])
    del graph["SaveImage"]["inputs"]["filename_prefix"]
    return graph


@pytest.mark.parametrize("place", ["prompt", "negativePrompt"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_any_text_is_accepted_and_its_job_succeeds(place: str, text: str) -> None:
    async with serve_all(simulation_pictures="drawn") as served:
        status = await finished(served, **{place: text})
    assert status["lastEvent"]["type"] == "Succeeded"
    assert status["job"]["params"][place] == text


@pytest.mark.parametrize("tag", IGNORED)
async def test_a_tag_without_effect_is_cut_out_and_reported(tag: str) -> None:
    async with serve_all() as served:
        tagged = await finished(served, prompt=f"{WITHOUT_TAG} {tag}", negativePrompt=f"{tag} blurry", seed=7)
        plain = await finished(served, prompt=WITHOUT_TAG, negativePrompt="blurry", seed=7)
    assert graph_of(tagged) == graph_of(plain)
    (told,) = tagged["lastEvent"]["context"]["ignoredTags"]
    assert told["tag"] == tag
    assert told["reason"]
    assert "ignoredTags" not in plain["lastEvent"]["context"]
    assert tagged["job"]["params"]["prompt"] == f"{WITHOUT_TAG} {tag}"
