"""Files of settings: the defaults of an installation, and the `.env` of the folder where the program is started."""

import io
import stat
import sys
from pathlib import Path

from dotenv.parser import parse_stream

INSTALLED = Path(sys.prefix, "etc", "civitai-mock.env")  # the container image has one
OWN = Path(".env")
ENCODING = "utf-8-sig"  # a byte order mark is no part of the first name


class EnvFileError(Exception):
    """One line that names the file, what is wrong with it, and what to do."""


def usable_env_files() -> tuple[Path, ...]:
    """Those that are there, the weakest first; raise `EnvFileError` for one of which anything would be passed over."""
    return tuple(path for path in (INSTALLED, OWN) if _is_usable(path))


def _is_usable(path: Path) -> bool:
    """False for a file that is not there, or in a folder where this user may not look."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return False
    except OSError as error:
        raise EnvFileError(f"{path} cannot be read: {error.strerror}.") from error
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise EnvFileError(f"{path} is {what}; expected a text file with NAME=value lines, or nothing.")
    _refuse_what_is_no_setting(path, _text_of(path))
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


def _refuse_what_is_no_setting(path: Path, text: str) -> None:
    """A line that is passed over may have been the one about access; it is not shown, as it may be a secret."""
    for binding in parse_stream(io.StringIO(text)):
        is_bare = binding.key is not None and binding.value is None
        if binding.error or (is_bare and not str(binding.key).isidentifier()):
            found = binding.original.string
            blank_lines = found[: len(found) - len(found.lstrip())].count("\n")
            raise EnvFileError(f"{path} line {binding.original.line + blank_lines} is not NAME=value.")
