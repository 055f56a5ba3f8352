"""Loading: policies from disk."""

from __future__ import annotations

import os
from pathlib import Path

from pytest_agentreplay.errors import PolicyFormatError
from pytest_agentreplay.guards.document import parse_policy
from pytest_agentreplay.guards.policy import Policy

_LARGEST = 16 * 1024 * 1024  # bytes; a policy is written by hand


def load_policy(path: str | os.PathLike[str]) -> Policy:
    """Load a policy.

    Args:
        path: the YAML file.

    Raises:
        PolicyFormatError: when there is no such file, it can't be read, or it is no policy.
    """
    place = Path(path)
    policy = parse_policy(_read(place), str(place))
    policy.path = place.absolute()
    return policy


def _read(place: Path) -> bytes:
    at = str(place)
    try:
        with place.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise PolicyFormatError(
            "there is no such policy", at=at, next="check the path: it is relative to where you are"
        ) from None
    except IsADirectoryError:
        raise PolicyFormatError("this is a directory", at=at, next="name the YAML file of the policy") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise PolicyFormatError(
            f"the policy can't be read: {why}", at=at, next="name a file that can be read"
        ) from None
    if len(data) > _LARGEST:
        raise PolicyFormatError("the policy is larger than 16 MiB", at=at, next="name the YAML file of the policy")
    return data
