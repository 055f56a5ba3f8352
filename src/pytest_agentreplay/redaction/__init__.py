"""Redaction: secrets and personal data are replaced before anything is written.

A `Redactor` holds what to look for, a `Redaction` replaces it in the values of
one recording, and a `PlaceholderMatcher` recognises it in a replay. Nothing
here knows of traces, tools or files.
"""

from pytest_agentreplay.redaction.matcher import PlaceholderMatcher
from pytest_agentreplay.redaction.placeholders import holds_placeholder, placeholder_kind
from pytest_agentreplay.redaction.redactor import Redaction, Redactor
from pytest_agentreplay.redaction.rules import KINDS

__all__ = ["KINDS", "PlaceholderMatcher", "Redaction", "Redactor", "holds_placeholder", "placeholder_kind"]
