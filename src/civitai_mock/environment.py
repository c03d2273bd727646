"""Read settings out of environment variables: names in any case, empty values as unset.

It imports nothing, because a health check reads HOST and PORT every other second.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def setting_values(variables: "Mapping[str, str]") -> dict[str, str]:
    """Return the values that are not empty, by name in lower case; of two spellings the one in capitals counts.

    So what an image or a Compose file sets cannot be undone by a line `port=…` of somebody's file.
    """
    in_order = sorted(variables.items(), key=lambda variable: variable[0].isupper())
    return {name.lower(): value for name, value in in_order if value}
