"""Sizes of pictures."""

from typing import NamedTuple, Self

LATENT_CELL = 8


class Size(NamedTuple):
    """In pixels."""

    width: int
    height: int

    @property
    def drawn(self) -> Self:
        """What a sampler makes of it: latent space knows no smaller cells."""
        return self._replace(
            width=self.width // LATENT_CELL * LATENT_CELL, height=self.height // LATENT_CELL * LATENT_CELL
        )

    def scaled(self, scale: float) -> Self:
        return self._replace(width=round(self.width * scale), height=round(self.height * scale))

    @property
    def larger_side(self) -> int:
        return max(self.width, self.height)
