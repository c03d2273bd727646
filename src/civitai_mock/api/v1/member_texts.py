"""The texts that stand below the members of a class in its source."""

import ast
import inspect
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from textwrap import dedent


def text_below(member: str, owner: type) -> str | None:
    """Return the text of a member that the class, or one that it extends, declares; None if there is none."""
    declaring = next(cls for cls in owner.__mro__ if member in inspect.get_annotations(cls))
    return _texts(declaring).get(member)


@cache
def _texts(declaring: type) -> Mapping[str, str]:
    (definition,) = ast.parse(dedent(inspect.getsource(declaring))).body
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    return {
        member.target.id: inspect.cleandoc(text.value.value)
        for member, text in pairwise(body)
        if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }
