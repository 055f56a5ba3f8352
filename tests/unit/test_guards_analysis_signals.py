"""Signals: the cheap pass over a call may promise too much and never too little."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_agentreplay.guards.analysis import channels, signals
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.history import History
from pytest_agentreplay.guards.packs import PACKS
from pytest_agentreplay.guards.packs.secrets.places import PLACES

PACK_NAMES = ("secrets", "egress", "injection", "jailbreak", "loops")
ORDINARY = {
    "to": "ann@acme.example",
    "subject": "Your order",
    "body": "Dear customer, your order o-1 was shipped on Monday, and we will let you know.\n" * 11,
    "meta": {"id": "abc", "tags": ["a", "b"]},
}
quickly = settings(
    max_examples=40, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize(
    "place", [place for place in PLACES if "(?<=" not in place.pattern], ids=lambda place: place.what
)
def test_every_place_raises_the_signal(place):
    """Whatever a place's pattern matches, the screen of names lets through to it."""
    pattern = place.pattern.replace("(?:^|/)", "").replace("(?:^|[~/])", "")

    @quickly
    @given(st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True))
    def check(path):
        assert signals.may_be_place(path)

    check()


@pytest.mark.parametrize("path", ["/etc/shadow", "/etc/gshadow-", "/etc/master.passwd", "/etc/security/opasswd"])
def test_password_files_raise_the_signal(path):
    """The place whose pattern looks behind itself."""
    assert signals.signals_of({"path": path}) & signals.PLACE


def test_every_channel_raises_the_signal():
    """The screen is made of the table."""
    hosts = channels.SCREEN.removeprefix("(?i)").replace("\\", "").split("|")

    assert len(hosts) > 100
    assert all(signals.signals_of({"url": host}) & signals.CHANNEL for host in hosts)


@pytest.mark.parametrize("args", [ORDINARY, {"q": "x"}, {"amount": 4500, "customer": "cus_9281"}, {}])
def test_an_ordinary_call_raises_nothing_that_costs(args):
    """No analysis is made for it."""
    assert signals.signals_of(args) & ~signals.URL == 0


def test_an_ordinary_call_is_judged_in_microseconds():
    """All five packs on a kilobyte; the limit leaves room for a slow machine."""
    rules = [rule for name in PACK_NAMES for rule in PACKS[name]({})]
    history = History()
    times = []
    for _ in range(300):
        started = time.perf_counter_ns()
        context = DecisionContext("send_email", ORDINARY, effect="write", history=history)
        for rule in rules:
            rule.judge(context)
        times.append(time.perf_counter_ns() - started)

    assert sorted(times)[150] < 200_000


@pytest.mark.parametrize(
    "path", ["~/.config//op/config", "~/.config/./hub", r"C:\Windows\repair\\sam", r"\proc\self\mem"]
)
def test_a_place_raises_the_signal_whatever_parts_its_names(path):
    """Doubled and turned slashes are one slash to a system."""
    assert signals.signals_of({"path": path}) & signals.PLACE
