"""Choices in how answers look."""

from enum import StrEnum


class ResultFormat(StrEnum):
    """`result` of an image job: an array with one entry for each image (since mid-2025), or the first one alone."""

    ARRAY = "array"
    OBJECT = "object"
