"""What can be wrong with a cassette, or with a request to it."""

from __future__ import annotations

from pytest_agentreplay.errors import TraceFormatError, UnrecordedCallError


class CassetteError(TraceFormatError):
    """A cassette is missing, broken, or another trace's: ``details`` name the file, the place inside and the remedy."""


class UnrecordedModelCallError(UnrecordedCallError):
    """No recorded answer fits a request to the model; ``changed`` says what is different in which message."""
