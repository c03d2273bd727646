"""Paths as they came, so that an encoded slash stays part of a name: `/userdata/workflows%2Fa.json` is one file."""

from urllib.parse import quote, unquote

from starlette.convertors import Convertor, register_url_convertor

UNQUOTED = "~!$&'()*+,;=:@"


class Segment(Convertor[str]):
    """What is between two slashes of a path that `canonical` has made."""

    regex = "[^{}/]+"

    def convert(self, value: str) -> str:
        return unquote(value)

    def to_string(self, value: str) -> str:
        return quote(value, safe=UNQUOTED)


def canonical(raw_path: str) -> str:
    """The same path with each segment encoded in one way only."""
    return "/".join(quote(unquote(segment), safe=UNQUOTED) for segment in raw_path.split("/"))


register_url_convertor("segment", Segment())
