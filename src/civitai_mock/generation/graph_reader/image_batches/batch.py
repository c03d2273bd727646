"""The images at one place of a graph: their size and their number."""

from collections.abc import Callable
from dataclasses import replace
from typing import Self, TypeAlias

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.generation.comfyui_facts import LATENT_CELL

DEFAULT_SIDE = 512
MOST = 2**20  # more than may be drawn, and little enough to go on counting with


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageBatch:
    """Images, masks or latents of one size; `first` is the place of the first one in the batch it was taken from.

    Latents have the size of the images that would be decoded of them. The size is `guessed` where only a file would
    tell it: an image's, or an upscaler's.
    """

    width: int = DEFAULT_SIDE
    height: int = DEFAULT_SIDE
    count: int = 1
    first: int = 0
    guessed: bool = False

    @property
    def megapixels(self) -> float:
        """Return the megapixels of all images together."""
        return self.width * self.height * self.count / 1e6

    def resized(self, width: float, height: float) -> Self:
        """Return the batch in another size, which is cut off to whole pixels."""
        return replace(self, width=_within(width), height=_within(height))

    def in_cells(self, width: float, height: float, *, cell: int = LATENT_CELL) -> Self:
        """Return the batch in a size that latent space has, which knows whole cells only."""
        return self.resized(max(int(width) // cell, 1) * cell, max(int(height) // cell, 1) * cell)

    def scaled(self, factor: float) -> Self:
        return self.resized(round(self.width * factor), round(self.height * factor))

    def counted(self, count: float) -> Self:
        return replace(self, count=_within(count))

    def skipping(self, count: int) -> Self:
        return replace(self, first=self.first + count)

    def taken(self, index: int, length: int) -> Self:
        """Return a part of the batch, as ImageFromBatch takes it: at least one image."""
        skipped = min(max(index, 0), self.count - 1)
        return self.counted(min(max(length, 1), self.count - skipped)).skipping(skipped)

    @property
    def known(self) -> Self:
        """Return the same batch, where a node tells the size."""
        return replace(self, guessed=False)

    def measure(self, output: int) -> int:
        """Return what an output of GetImageSize gives of the batch: its width, its height or its number of images."""
        return (self.width, self.height, self.count)[min(max(output, 0), 2)]


UNKNOWN = ImageBatch(guessed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What is known of a file that a graph reads, from its bytes."""

    width: int
    height: int
    count: int = 1
    has_alpha: bool = False

    @property
    def batch(self) -> ImageBatch:
        return ImageBatch(width=self.width, height=self.height, count=self.count)


# What is known of a file, by the name that a graph has for it.
Load: TypeAlias = Callable[[str], Loaded | None]


def nothing_known(name: str) -> Loaded | None:  # noqa: ARG001 - whatever the name
    return None


def _within(number: float) -> int:
    return min(max(int(number), 1), MOST)
