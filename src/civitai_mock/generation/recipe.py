"""The recipe of an image that is not drawn yet: with it any process draws the same bytes at any time."""

import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from typing import Self

from civitai_mock.domain.errors import TransientError
from civitai_mock.generation.graph_reader.image_batches.batch import Loaded

# Is raised with each change that makes other bytes of the same recipe; a test compares digests of what is drawn.
PAINTER_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Names an image of the graph that the events of a job have; `index` counts within the output node.

    `image_content` is an `ImageContent`. `loaded` is what is known of the files that the graph reads: they may be
    deleted before the image is drawn.
    """

    job_id: str
    node_id: str
    index: int
    image_content: str
    loaded: Mapping[str, Loaded] = field(default_factory=dict)

    def text(self) -> str:
        loaded = {name: astuple(file) for name, file in self.loaded.items()}
        members = {
            "painter": PAINTER_VERSION,
            "job": self.job_id,
            "node": self.node_id,
            "index": self.index,
            "content": self.image_content,
            **({"loaded": loaded} if loaded else {}),
        }
        return json.dumps(members, separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a recipe of this or an earlier painter: nobody has seen what that one would have drawn.

        Raise `TransientError` for one of a later painter, as only a process that has it knows how to draw it.
        """
        members = json.loads(text)
        if members["painter"] > PAINTER_VERSION:
            raise TransientError(
                f"The image is to be drawn by a later version of this program (painter {members['painter']}; this one"
                f" has {PAINTER_VERSION})."
            )
        names = ("width", "height", "count", "has_alpha")
        loaded = {
            name: Loaded(**dict(zip(names, facts, strict=True))) for name, facts in members.get("loaded", {}).items()
        }
        return cls(
            job_id=members["job"],
            node_id=members["node"],
            index=members["index"],
            image_content=members["content"],
            loaded=loaded,
        )
