"""The door to vcrpy: its modules, imported when they are first needed.

vcrpy imports every HTTP library that is installed, for up to a second. What they
warn of as they load is nothing that a test under ``-W error`` did.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any


def vcrpy(module: str) -> Any:
    """Import a module of vcrpy, as ``serializers.yamlserializer``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module(f"vcr.{module}")
