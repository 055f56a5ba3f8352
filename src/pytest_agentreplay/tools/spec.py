"""What the boundary knows of a tool: its name, its body, its effect, how its arguments bind."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Signature
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["function", "coroutine", "generator", "async_generator"]
Effect: TypeAlias = Literal["read", "write"]


class ToolSpec:
    """One tool.

    Attributes:
        name: what traces call it.
        body: the real function, called only when the gate says so.
        effect: what its author declared; None where nobody did.
        effect_source: who declared it: ``@tool``, ``swap``, ``wrap``, an adapter's name; empty where nobody did.
        kind: which of the gate's four methods answers it.
        has_self: the first positional argument is an instance or a class, and no argument of the tool.
        signature: of the body, `self` included; None where it can't be read.
    """

    __slots__ = ("body", "effect", "effect_source", "has_self", "kind", "name", "signature")

    def __init__(
        self,
        name: str,
        body: Callable[..., Any],
        *,
        kind: Kind,
        effect: Effect | None = None,
        effect_source: str = "",
        has_self: bool = False,
        signature: Signature | None = None,
    ) -> None:
        self.name = name
        self.body = body
        self.kind = kind
        self.effect = effect
        self.effect_source = effect_source
        self.has_self = has_self
        self.signature = signature
