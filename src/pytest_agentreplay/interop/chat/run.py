"""What a record says about its whole run: model, labels, and what to call the trace.

Facts are looked up innermost record first, by the names that formats give them.
Nothing here reads messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pytest_agentreplay.interop.chat.content import dig
from pytest_agentreplay.interop.chat.messages import read_usage
from pytest_agentreplay.interop.chat.records import CARRIERS, Conversation
from pytest_agentreplay.interop.names import file_name, stem_of
from pytest_agentreplay.trace import ModelInfo, RunInfo

UNKNOWN_MODEL: Final = "unknown"
_SOURCE: Final = "chat"
_TELLING: Final = 8  # a shorter part may be in a source's name by chance
_REWARD_TOLERANCE: Final = 1e-6  # as tau-bench and tau2 count a success

_ID: Final = ("id", "run_id", "session_id", "sessionId", "custom_id", "uuid")
_RECORDED: Final = ("start_time", "startTime", "timestamp", "evaluation_timestamp", "created_at")
_MODEL: Final = (
    *("model", "model_name", "info.agent_info.llm", "info.config.model.model_name", "eval.model"),
    *("request.body.model", "request.model", "pipeline_name"),
)
_TEMPERATURE: Final = (
    *("temperature", "info.agent_info.llm_args.temperature", "info.config.model.model_kwargs.temperature"),
    *("request.body.temperature", "request.temperature"),
)
_LABELS: Final = {
    "task_id": ("task_id",),
    "trial": ("trial",),
    "epoch": ("epoch",),
    "instance_id": ("instance_id",),
    "domain": ("info.environment_info.domain_name",),
    "suite_name": ("suite_name",),
    "pipeline_name": ("pipeline_name",),
    "user_task_id": ("user_task_id",),
    "injection_task_id": ("injection_task_id",),
    "attack_type": ("attack_type",),
    "injections": ("injections",),
    "utility": ("utility",),
    "security": ("security",),
    "success": ("success", "resolved"),
    "reward": ("reward", "reward_info.reward"),
    "scores": ("scores",),
    "score": ("score",),
    "termination": ("termination_reason",),
    "exit_status": ("exit_status", "info.exit_status"),
    "error": ("error",),
}
_PLACED: Final = frozenset(
    {path.partition(".")[0] for paths in (*_LABELS.values(), _ID, _RECORDED, _MODEL) for path in paths}
    | {
        *CARRIERS,
        "usage",
        "temperature",
        "system",
        "info",
        "reward_info",
        "request",
        "response",
        "choices",
        "replay_config",
    }
)


def unplaced_facts(conversation: Conversation) -> set[str]:
    """Name the keys beside the messages that hold something a trace has no place for."""
    inner = conversation.around[0] if conversation.around else {}
    return {key for key, value in inner.items() if key not in _PLACED and value not in (None, "", [], {})}


def model_of(conversation: Conversation) -> str:
    """Name the model of a run, or say that it is unknown."""
    return next((value for value in _found(conversation, _MODEL) if isinstance(value, str) and value), UNKNOWN_MODEL)


def read_run(conversation: Conversation, usage: dict[str, int | float]) -> RunInfo:
    """Gather what is known of a run; `usage` is the sum over its messages, where the record has none."""
    model = model_of(conversation)
    temperature = next((value for value in _found(conversation, _TEMPERATURE) if type(value) in (int, float)), None)
    identity = next((value for value in _found(conversation, _ID) if isinstance(value, str | int)), None)
    recorded = next((value for value in _found(conversation, _RECORDED) if isinstance(value, str) and value), None)
    described = {"name": None if model == UNKNOWN_MODEL else model, "temperature": temperature}
    fields = {
        "id": None if identity is None else str(identity),
        "recorded_at": recorded,
        "source": _SOURCE,
        "model": ModelInfo(**_said(described)) if _said(described) else None,
        "usage": usage or (read_usage(conversation.around[0]) if conversation.around else None),
        "labels": _labels(conversation) or None,
    }
    return RunInfo(**_said(fields))


def _said(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def title_of(conversation: Conversation, source: str, ordinal: int | None) -> str:
    """Title a trace by its source and its task, never by what was said: that may need redaction."""
    return ", ".join([stem_of(source) or _SOURCE, *_task(conversation, ordinal)])


def name_of(conversation: Conversation, source: str, ordinal: int | None) -> str:
    """Suggest a file name; `ordinal` tells records apart that don't say what they are."""
    suite = [str(value) for name in ("pipeline_name", "suite_name") for value in _found(conversation, (name,))]
    base = suite if _first(conversation, ("suite_name",)) else [stem_of(source)]
    return file_name(
        *base, *(part for part in _task(conversation, ordinal) if len(part) < _TELLING or part not in base[-1])
    )


def _labels(conversation: Conversation) -> dict[str, Any]:
    labels = {name: value for name, paths in _LABELS.items() for value in _first(conversation, paths)}
    reward = labels.get("reward")
    if "success" not in labels and isinstance(reward, int | float):
        labels["success"] = abs(reward - 1) <= _REWARD_TOLERANCE
    return labels


def _task(conversation: Conversation, ordinal: int | None) -> list[str]:
    """Say which task, attack and trial a record is of, each as a word."""
    parts: list[str] = []
    words = (
        ("task", ("instance_id", "task_id", "user_task_id")),
        ("attack-", ("attack_type",)),
        ("injection", ("injection_task_id",)),
        ("trial", ("trial",)),
        ("epoch", ("epoch",)),
    )
    for word, paths in words:
        for value in _first(conversation, paths):
            text = str(value)
            parts.append(text if isinstance(value, str) and not text.isdigit() else f"{word}{text}")
    if not _first(conversation, words[0][1]) and (ordinal is not None or parts):
        parts = [*(str(value) for value in _first(conversation, ("custom_id", "id"))), *parts]
    return parts or ([str(ordinal)] if ordinal is not None else [])


def _first(conversation: Conversation, paths: tuple[str, ...]) -> list[Any]:
    """Return the first fact that any of the paths leads to, as a list of one or none."""
    return next(([value] for value in _found(conversation, paths)), [])


def _found(conversation: Conversation, paths: tuple[str, ...]) -> Iterator[Any]:
    for holder in conversation.around:
        for path in paths:
            value = dig(holder, path)
            if value is not None and value != "":
                yield value
