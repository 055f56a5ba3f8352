"""What the boundary knows of a tool: its name, its body, its effect, how its arguments bind.

Nothing here imports `inspect`, which takes longer to load than the rest of this
room: signatures are read when somebody first asks for them.
"""

from __future__ import annotations

from types import CodeType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from pytest_agentreplay.errors import ToolError
from pytest_agentreplay.tools.callables import chain_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from inspect import Signature

    from pytest_agentreplay.tools.binding import Binding

Kind: TypeAlias = Literal["function", "coroutine", "generator", "async_generator"]
Effect: TypeAlias = Literal["read", "write"]

MARK: Final = "__agent_replay_tool__"
"""The attribute under which a decorated tool carries its `ToolSpec`."""

_UNREAD: Final[Any] = object()
_OF_ADDRESSES: Final = ("#", "@")


class ToolSpec:
    """One tool.

    Args:
        signature: of the body, `self` included; read from the body where it isn't given.

    Attributes:
        name: what traces call it.
        body: the real function, called only when the gate says so.
        effect: what its author declared; None where nobody did.
        effect_source: who declared it: ``@tool``, ``swap``, ``wrap``, an adapter's name; empty where nobody did.
        kind: which of the gate's four methods answers it.
        has_self: the first positional argument is an instance or a class, and no argument of the tool.
        binding: how arguments bind, made by `binding` at the first call.
    """

    __slots__ = ("_signature", "binding", "body", "effect", "effect_source", "has_self", "kind", "name")

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
        self.binding: Binding | None = None
        self._signature: Signature | None = _UNREAD if signature is None else signature

    def __repr__(self) -> str:
        return f"<ToolSpec {self.name}: {self.effect or 'unclassified'} {self.kind}>"

    @property
    def signature(self) -> Signature | None:
        """The body's signature, `self` included; None where it can't be read, as of some builtins."""
        if self._signature is _UNREAD:
            import inspect

            try:
                self._signature = inspect.signature(self.body)
            except (TypeError, ValueError):
                self._signature = None
        return self._signature


def find_spec(function: Any) -> ToolSpec | None:
    """Find the tool that a call of this function reaches: its own, or one that it wraps.

    Looks through bound methods, static and class methods and ``__wrapped__``. A
    swapped function is known by its code, since decorators copy attributes.
    """
    for link in chain_of(function):
        spec = getattr(link, MARK, None)
        if isinstance(spec, ToolSpec):
            return spec
        code = getattr(link, "__code__", None)
        if isinstance(code, CodeType):
            for constant in code.co_consts:
                if isinstance(constant, ToolSpec):
                    return constant
    return None


def check_name(name: object) -> None:
    """Refuse what traces can't call a tool.

    Raises:
        ToolError: for an empty name, or one that an address could be taken for.
    """
    if not isinstance(name, str):
        raise ToolError(f"a tool's name is a text, not {name!r}", next='write it as a text: name="email.send"')
    if not name.strip():
        raise ToolError("a tool's name can't be empty", next="leave `name` out to take the function's")
    if (
        name != name.strip()
        or not name.isprintable()
        or name.startswith("tool:")
        or any(c in name for c in _OF_ADDRESSES)
    ):
        raise ToolError(
            f"the tool name {name!r} can't be part of an address such as search_docs#2",
            next="choose one without `#`, `@`, `tool:`, control characters and blanks around it",
        )


def check_effect(effect: object) -> None:
    """Refuse what is no effect.

    Raises:
        ToolError: naming the two that are.
    """
    if effect not in (None, "read", "write"):
        raise ToolError(f"a tool's effect can't be {effect!r}", next='choose effect="read" or effect="write"')
