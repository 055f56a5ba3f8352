"""The vocabulary: traces, steps, addresses, effects, verdicts and expectations."""

from pytest_agentreplay.trace.expect import Budget, CallLimit, Expect, StateCheck
from pytest_agentreplay.trace.model import (
    FORMAT,
    RECORDED_HERE,
    Answer,
    ModelInfo,
    ReplayOptions,
    RunInfo,
    Trace,
    assign_addresses,
    tool_address,
)
from pytest_agentreplay.trace.steps import ErrorInfo, MessageStep, ModelStep, StateStep, Step, ToolStep
from pytest_agentreplay.trace.verdicts import Decision, Effect, Finding, Record, Severity, Verdict

__all__ = [
    "FORMAT",
    "RECORDED_HERE",
    "Answer",
    "Budget",
    "CallLimit",
    "Decision",
    "Effect",
    "ErrorInfo",
    "Expect",
    "Finding",
    "MessageStep",
    "ModelInfo",
    "ModelStep",
    "Record",
    "ReplayOptions",
    "RunInfo",
    "Severity",
    "StateCheck",
    "StateStep",
    "Step",
    "ToolStep",
    "Trace",
    "Verdict",
    "assign_addresses",
    "tool_address",
]
