"""Names and values of the environment, and of files of settings."""

from collections.abc import Mapping


def set_in(variables: Mapping[str, str]) -> dict[str, str]:
    """Return values by name in small letters, without empty ones; of two spellings the one in capitals counts.

    So what an image or a Compose file sets cannot be undone by a line `port=…` of somebody's file.
    """
    in_order = sorted(variables.items(), key=lambda variable: variable[0].isupper())
    return {name.lower(): value for name, value in in_order if value}
