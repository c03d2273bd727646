"""Name the extension of ASGI by which a server takes an answer as a whole, where it has one.

A server that puts its answers together from messages checks and copies each part, and wakes up two coroutines.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

WHOLE_ANSWER = "civitai_mock.whole_answer"

SendWhole: TypeAlias = Callable[[int, Sequence[tuple[bytes, bytes]], bytes | memoryview], bool]
"""Is the member `send` of the extension, which takes status, headers and body.

Names of headers are in lower case, and none is about the connection. It returns False, and has sent nothing, if the
answer has to be sent by messages.
"""
