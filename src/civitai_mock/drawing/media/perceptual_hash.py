"""Perceptual hashes: numbers that hardly change when an image is scaled, compressed again or made a little brighter."""

import numpy as np
from PIL import Image

SIDE = 32  # pixels of the small image that is looked at
LOW = 8  # waves across and down that count: 64 bits
HEX_DIGITS = 16

# The discrete cosine transform (type II) of a row, the low waves only.
WAVES = np.cos(np.pi * np.arange(LOW)[:, None] * (2 * np.arange(SIDE)[None, :] + 1) / (2 * SIDE))


def perceptual_hash(image: Image.Image) -> str:
    """Return 16 upper-case hex digits: a bit for each wave says whether it is stronger than most (pHash)."""
    small = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    strengths = (WAVES @ np.asarray(small, np.float64) @ WAVES.T).ravel()
    bits = strengths > np.median(strengths[1:])  # without the first, which is the brightness
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):0{HEX_DIGITS}X}"


def distance(one: str, other: str) -> int:
    """Return how many of the 64 bits differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()
