"""Importers are plain data, found by name."""

from __future__ import annotations

import pytest

from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.interop.registry import BUILT_IN, FunctionImporter, get_importer
from pytest_agentreplay.interop.transcript import Imported


def test_built_in_importers_parse_bytes() -> None:
    """Each has a name, a line of description, and refuses what it can't read."""
    for importer in BUILT_IN:
        assert importer.name and "\n" not in importer.description
        assert importer.parse(b"", "empty.json").refused


def test_another_importer_is_found_among_those_given() -> None:
    """Third parties' importers need no registration here."""
    mine = FunctionImporter("mine", "my logs", lambda data, source: Imported())

    assert get_importer("mine", [*BUILT_IN, mine]) is mine


def test_an_unknown_name_lists_what_there_is() -> None:
    """The error names the nearest and all."""
    with pytest.raises(SettingsError) as caught:
        get_importer("chta")

    assert caught.value.details == {"closest": "chat", "next": "use one of: chat, vcr"}
