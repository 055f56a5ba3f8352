"""Cassettes: the model's HTTP traffic, recorded into a file beside its trace and answered from it.

The one door to vcrpy, which knows how to stand between every HTTP library and
the network. Nothing here knows a run, a session or pytest; importing this room
loads no vcrpy, which is imported where traffic is first intercepted or a file
is read.
"""

from pytest_agentreplay.cassettes.cleaning import cleaned, provider_traffic
from pytest_agentreplay.cassettes.errors import CassetteError, UnrecordedModelCallError
from pytest_agentreplay.cassettes.interactions import HttpRequest, HttpResponse, Interaction
from pytest_agentreplay.cassettes.reading import Cassette, load_cassette, parse_cassette
from pytest_agentreplay.cassettes.seam import Traffic, intercepted
from pytest_agentreplay.cassettes.steps import StepAnswers
from pytest_agentreplay.cassettes.tape import Tape
from pytest_agentreplay.cassettes.writing import render_cassette

__all__ = [
    "Cassette",
    "CassetteError",
    "HttpRequest",
    "HttpResponse",
    "Interaction",
    "StepAnswers",
    "Tape",
    "Traffic",
    "UnrecordedModelCallError",
    "cleaned",
    "intercepted",
    "load_cassette",
    "parse_cassette",
    "provider_traffic",
    "render_cassette",
]
