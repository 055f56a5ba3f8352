"""The providers' wire formats: a file each, read into and written from one plain model.

Nothing here opens a connection or knows which HTTP library carried the bytes.
"""

from pytest_agentreplay.wire.changes import explain
from pytest_agentreplay.wire.fields import WireError
from pytest_agentreplay.wire.model import (
    Message,
    ModelReply,
    ModelRequest,
    Role,
    ToolOutput,
    ToolUse,
    WireResponse,
)
from pytest_agentreplay.wire.normal import normal_form
from pytest_agentreplay.wire.registry import read_reply, read_request, write_reply

__all__ = [
    "Message",
    "ModelReply",
    "ModelRequest",
    "Role",
    "ToolOutput",
    "ToolUse",
    "WireError",
    "WireResponse",
    "explain",
    "normal_form",
    "read_reply",
    "read_request",
    "write_reply",
]
