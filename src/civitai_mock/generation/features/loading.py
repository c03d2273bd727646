"""Pictures from files."""

from civitai_mock.generation.draft import Draft
from civitai_mock.generation.graph import Link


def load_picture(draft: Draft, name: str) -> Link:
    """The first one of its file: ComfyUI makes a batch of an animation, of which more would be drawn than is asked."""
    batch = draft.load("LoadImage", {"image": name})
    return draft.load("ImageFromBatch", {"image": batch, "batch_index": 0, "length": 1})
