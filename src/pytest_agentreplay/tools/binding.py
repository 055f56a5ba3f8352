"""Binding: a call's arguments by parameter name, as traces record them.

Python itself binds: each tool gets a function with its parameters that only
returns them, so the answer, the order and the TypeError of a call that doesn't
fit are the interpreter's, at a fraction of the cost of `Signature.bind`.
Nothing here knows what arguments are worth recording.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from keyword import iskeyword
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pytest_agentreplay.tools.spec import ToolSpec

if TYPE_CHECKING:
    from inspect import Parameter


class _LeftOut:
    """Stands for an argument that the caller left out; the class itself is the value."""


class Binding:
    """How the arguments of one tool bind.

    Attributes:
        echo: takes what the tool takes and returns it by parameter name.
        is_plain: nothing can be left out and nothing is variadic, so the echo is the answer.
        defaults: parameter name -> default.
    """

    __slots__ = ("_names", "_positionals", "_rest", "defaults", "echo", "is_plain")

    def __init__(self, spec: ToolSpec) -> None:
        parameters = _parameters(spec)
        starts_variadic = bool(parameters) and parameters[0].kind is parameters[0].VAR_POSITIONAL
        own = parameters[1:] if spec.has_self and not starts_variadic else parameters
        self.defaults: Mapping[str, Any] = MappingProxyType(
            {item.name: item.default for item in own if item.default is not item.empty}
        )
        self.echo = _make_echo(parameters, own, skip_first=spec.has_self and starts_variadic)
        self.echo.__qualname__ = getattr(spec.body, "__qualname__", spec.name)
        self._names = frozenset(item.name for item in own)
        self._positionals = next((item.name for item in own if item.kind is item.VAR_POSITIONAL), None)
        self._rest = next((item.name for item in own if item.kind is item.VAR_KEYWORD), None)
        self.is_plain = not self.defaults and self._positionals is None and self._rest is None

    def finish(self, echoed: dict[str, Any]) -> dict[str, Any]:
        """Drop what was left out and flatten the ``**`` parameter in."""
        bound = {name: value for name, value in echoed.items() if value is not _LeftOut}
        if self._positionals is not None and not bound[self._positionals]:
            del bound[self._positionals]
        if self._rest is not None:
            rest = bound.pop(self._rest)
            bound |= {name: value for name, value in rest.items() if name not in self._names}
            if colliding := {name: value for name, value in rest.items() if name in self._names}:
                bound[self._rest] = colliding
        return bound


def bind(spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Give a call's arguments by parameter name, without `self`.

    A ``*args`` parameter's are a list under its name. A ``**kwargs`` parameter's
    stand beside the others; those that are called like a parameter, as a
    positional-only one allows, stay in a mapping under the ``**`` parameter's
    name. A tool whose signature can't be read binds like ``(*args, **kwargs)``.
    Left-out arguments and empty variadic parameters are left out.

    Raises:
        TypeError: Python's own, when the arguments don't fit.
    """
    binding = spec.binding or _binding_of(spec)
    echoed: dict[str, Any] = binding.echo(*args, **kwargs)
    return echoed if binding.is_plain else binding.finish(echoed)


def defaults(spec: ToolSpec) -> Mapping[str, Any]:
    """Give the defaults of the parameters that a call may leave out, by name; read once."""
    return (spec.binding or _binding_of(spec)).defaults


def _binding_of(spec: ToolSpec) -> Binding:
    binding = spec.binding = Binding(spec)
    return binding


def _parameters(spec: ToolSpec) -> list[Parameter]:
    from inspect import Parameter

    if spec.signature is not None:
        return list(spec.signature.parameters.values())
    return [Parameter("args", Parameter.VAR_POSITIONAL), Parameter("kwargs", Parameter.VAR_KEYWORD)]


def _make_echo(parameters: list[Parameter], own: list[Parameter], *, skip_first: bool) -> Callable[..., dict[str, Any]]:
    from inspect import Signature

    takes = Signature([_written(item) for item in parameters])
    gives = ", ".join(f"{item.name!r}: {_value(item, skip_first=skip_first)}" for item in own)
    source = f"lambda {str(takes)[1:-1]}: {{{gives}}}"
    echo: Any = eval(source, {"__builtins__": {}})  # noqa: S307 - made of parameter names alone, which are identifiers
    echo.__defaults__ = (_LeftOut,) * len(echo.__defaults__ or ())
    echo.__kwdefaults__ = dict.fromkeys(echo.__kwdefaults__ or (), _LeftOut)
    return echo  # type: ignore[no-any-return]


def _written(parameter: Parameter) -> Parameter:
    default = parameter.empty if parameter.default is parameter.empty else None
    return parameter.replace(name=_spelled(parameter), annotation=parameter.empty, default=default)


def _value(parameter: Parameter, *, skip_first: bool) -> str:
    if parameter.kind is not parameter.VAR_POSITIONAL:
        return _spelled(parameter)
    return f"[*{parameter.name}][1:]" if skip_first else f"[*{parameter.name}]"


def _spelled(parameter: Parameter) -> str:
    """Spell a name that is a keyword, as a builtin's positional-only one may be, in another way."""
    return f"{parameter.name}_" if iskeyword(parameter.name) else parameter.name
