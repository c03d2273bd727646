"""Read files of settings: the defaults of an installation, and the `.env` of the folder where the program starts."""

import io
import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from dotenv.parser import Binding, parse_stream
from dotenv.variables import Atom, Literal, Variable, parse_variables

from civitai_mock.environment import setting_values

INSTALLED = Path(sys.prefix, "etc", "civitai-mock.env")  # the container image has one
OWN = Path(".env")
ENCODING = "utf-8-sig"  # a byte order mark is no part of the first name
IN_SINGLE_QUOTES = re.compile(r"[^=]*=\s*'")


class EnvFileError(Exception):
    """Says in one line which file it is, what is wrong with it, and what to do."""


def values_in_env_files() -> dict[str, str]:
    """Return values by name in small letters; raise `EnvFileError` if anything in a file would be passed over."""
    return _values_of(INSTALLED) | _values_of(OWN)


def values_in_readable_env_files() -> dict[str, str]:
    """Return what can be read; whoever reports that one of the files cannot be read needs it."""
    try:
        return values_in_env_files()
    except EnvFileError:
        return _values_of(INSTALLED)


def _values_of(path: Path) -> dict[str, str]:
    return setting_values(_values_in(path, _text_of(path))) if _is_there(path) else {}


def _is_there(path: Path) -> bool:
    """Return False for a file that does not exist, or in a folder where this user may not look."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return False
    except OSError as error:
        raise EnvFileError(f"{path} cannot be read: {error.strerror}.") from error
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise EnvFileError(f"{path} is {what}; expected a text file with NAME=value lines, or nothing.")
    return True


def _text_of(path: Path) -> str:
    try:
        text = path.read_bytes().decode(ENCODING)
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise EnvFileError(
            f"{path} is not UTF-8 text: byte 0x{byte:02x} at position {error.start}; save it as UTF-8."
        ) from error
    except OSError as error:
        raise EnvFileError(f"{path} cannot be read: {error.strerror}; let this user read it.") from error
    if "\0" in text:
        raise EnvFileError(f"{path} is not text: it has a NUL byte, as UTF-16 does; save it as UTF-8.")
    return text


def _values_in(path: Path, text: str) -> Mapping[str, str]:
    """Return the values as Docker Compose reads them.

    The last line of a name counts, and `${NAME}` is another's value, if it is not in single quotes.
    """
    values: dict[str, str] = {}
    for binding in _bindings_in(path, text):
        atoms = _atoms_of(binding)
        known = {**os.environ, **values}
        unset = [atom.name for atom in atoms if isinstance(atom, Variable) and atom.default is None]
        for name in set(unset) - known.keys():
            line = _line_of(binding)
            raise EnvFileError(f"{path} line {line}: ${{{name}}} is not set; put a value with a $ in single quotes.")
        values[str(binding.key)] = "".join(atom.resolve(known) for atom in atoms)
    return values


def _bindings_in(path: Path, text: str) -> Iterator[Binding]:
    """Refuse a line that cannot be read, as it may be about access; it is not shown, as it may be secret."""
    for binding in parse_stream(io.StringIO(text)):
        is_bare = binding.key is not None and binding.value is None
        if binding.error or (is_bare and not str(binding.key).isidentifier()):
            raise EnvFileError(f"{path} line {_line_of(binding)} is not NAME=value.")
        if binding.value is not None:
            yield binding


def _line_of(binding: Binding) -> int:
    """Return the number of the line; the parser counts from the blank lines before it."""
    found = binding.original.string
    return binding.original.line + found[: len(found) - len(found.lstrip())].count("\n")


def _atoms_of(binding: Binding) -> list[Atom]:
    value = str(binding.value)
    return [Literal(value)] if IN_SINGLE_QUOTES.match(binding.original.string) else list(parse_variables(value))
