"""Numbers as .NET prints them (captures): a whole one has no point."""

MAX_EXACT = 2**53


def plain_number(value: float) -> int | float:
    return int(value) if value.is_integer() and abs(value) < MAX_EXACT else value
