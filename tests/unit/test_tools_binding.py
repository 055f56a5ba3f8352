from __future__ import annotations

import inspect
import math
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_agentreplay.tools.binding import bind, defaults
from pytest_agentreplay.tools.spec import ToolSpec

KINDS = list(inspect._ParameterKind)
NAMES = ["a", "b", "c", "d", "e"]


def _spec_of(function, *, has_self=False):
    return ToolSpec("t", function, kind="function", has_self=has_self)


def _flattened(function, args, kwargs):
    """What inspect says, with the ``**`` parameter flattened and ``*args`` as a list."""
    signature = inspect.signature(function)
    bound = dict(signature.bind(*args, **kwargs).arguments)
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL and parameter.name in bound:
            bound[parameter.name] = list(bound[parameter.name])
        if parameter.kind is parameter.VAR_KEYWORD and parameter.name in bound:
            rest = bound.pop(parameter.name)
            colliding = {name: value for name, value in rest.items() if name in signature.parameters}
            bound |= {name: value for name, value in rest.items() if name not in colliding}
            bound |= {parameter.name: colliding} if colliding else {}
    return bound


@st.composite
def _functions(draw):
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=5))
    kinds = sorted(draw(st.lists(st.sampled_from(KINDS), min_size=len(names), max_size=len(names))))
    kinds = [k for i, k in enumerate(kinds) if k not in (KINDS[2], KINDS[4]) or k not in kinds[:i]]
    parameters, must_default = [], False
    for name, kind in zip(names, kinds, strict=False):
        variadic = kind in (KINDS[2], KINDS[4])
        with_default = not variadic and (draw(st.booleans()) or (must_default and kind < KINDS[2]))
        must_default = must_default or (with_default and kind < KINDS[2])
        parameters.append(
            inspect.Parameter(name, kind, default=f"default {name}" if with_default else inspect.Parameter.empty)
        )
    scope = {}
    source = f"def tool_of_test{inspect.Signature(parameters)}: pass"
    exec(source, scope)
    return scope["tool_of_test"]


calls = st.tuples(
    st.lists(st.integers(), max_size=5), st.dictionaries(st.sampled_from([*NAMES, "x", "y"]), st.integers(), max_size=4)
)


def _misfit(function, args, kwargs):
    """What Python says of a call that doesn't fit; empty where it does."""
    try:
        function(*args, **kwargs)
    except TypeError as error:
        return str(error)
    return ""


def _is_old_inspects_mistake(function, kwargs):
    """Before 3.13 `bind` refused a keyword called like a positional-only parameter that Python puts into ``**``."""
    parameters = inspect.signature(function).parameters.values()
    return any(p.kind is p.VAR_KEYWORD for p in parameters) and any(
        p.kind is p.POSITIONAL_ONLY and p.name in kwargs for p in parameters
    )


@settings(max_examples=300, deadline=None)
@given(_functions(), calls)
def test_binding_is_what_inspect_and_python_say(function, call):
    """The same arguments as Signature.bind, and the same TypeError as the call itself."""
    args, kwargs = call
    spec = _spec_of(function)
    if misfit := _misfit(function, args, kwargs):
        with pytest.raises(TypeError) as raised:
            bind(spec, tuple(args), kwargs)

        assert str(raised.value) == misfit
    else:
        bound = bind(spec, tuple(args), kwargs)

        assert _is_old_inspects_mistake(function, kwargs) or bound == _flattened(function, args, kwargs)
        assert bind(spec, tuple(args), kwargs) == bound


def test_keywords_called_like_parameters_lose_nothing():
    """Positional-only parameters leave their names free; both values are kept apart."""

    def odd(a, /, *args, **kw):
        return a, args, kw

    assert bind(_spec_of(odd), (1,), {"a": 2, "x": 3}) == {"a": 1, "x": 3, "kw": {"a": 2}}
    assert bind(_spec_of(odd), (1, 4), {"kw": 5, "args": 6}) == {"a": 1, "args": [4], "kw": {"kw": 5, "args": 6}}


def test_self_is_left_out_however_it_is_declared():
    """The instance is no argument; a method may have it among ``*args``."""

    class Client:
        def pay(self, amount, currency="EUR"):
            return amount, currency

        def any(*args, **kwargs):
            return args, kwargs

    assert bind(_spec_of(Client.pay, has_self=True), (Client(), 3), {}) == {"amount": 3}
    assert bind(_spec_of(Client.any, has_self=True), (Client(), 3), {"x": 1}) == {"args": [3], "x": 1}
    assert bind(_spec_of(Client.any, has_self=True), (Client(),), {}) == {}
    assert defaults(_spec_of(Client.pay, has_self=True)) == {"currency": "EUR"}
    with pytest.raises(TypeError, match=r"Client\.pay\(\) missing 1 required positional argument: 'amount'"):
        bind(_spec_of(Client.pay, has_self=True), (Client(),), {})


def test_unreadable_signature_binds_by_position():
    """Some builtins don't tell their parameters: positions go under ``args``."""

    class Silent:
        __signature__ = "none that inspect understands"

        def __call__(self):
            pass

    spec = _spec_of(Silent())

    assert spec.signature is None
    assert bind(spec, (1, 2), {"key": 3, "args": 4}) == {"args": [1, 2], "key": 3, "kwargs": {"args": 4}}
    assert bind(spec, (), {}) == {} == defaults(spec)


def test_builtin_and_partial_signatures_bind():
    """What inspect can read is bound by name."""
    assert bind(_spec_of(math.gcd), (4, 6), {}) == {"integers": [4, 6]}
    assert bind(_spec_of(partial(lambda a, b, c=1: 0, 1)), (2,), {}) == {"b": 2}


def test_positional_only_parameter_may_be_called_like_a_keyword():
    """Signatures that extensions declare can hold names that Python source can't."""
    parameter = inspect.Parameter("from", inspect.Parameter.POSITIONAL_ONLY)
    spec = ToolSpec("t", print, kind="function", signature=inspect.Signature([parameter]))

    assert bind(spec, (1,), {}) == {"from": 1}


def test_left_out_arguments_stay_out_and_defaults_are_told():
    """Comparison decides that an argument left out equals its default."""

    def pay(amount, currency="EUR", *, note=None):
        return amount, currency, note

    spec = _spec_of(pay)

    assert bind(spec, (1,), {}) == {"amount": 1}
    assert bind(spec, (1, "EUR"), {"note": None}) == {"amount": 1, "currency": "EUR", "note": None}
    assert defaults(spec) == {"currency": "EUR", "note": None}
    assert defaults(spec) is defaults(spec)


def test_argument_values_are_handed_on_untouched():
    """Binding neither copies nor compares: not even values whose equality raises."""

    class Hostile:
        def __eq__(self, other):
            raise RuntimeError

        __hash__ = None

    value = Hostile()

    assert bind(_spec_of(lambda a, b=1, **k: 0), (value,), {"x": value})["x"] is value
