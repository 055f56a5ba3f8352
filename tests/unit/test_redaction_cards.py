"""Which runs of digits are card numbers."""

from __future__ import annotations

import pytest

from pytest_agentreplay.redaction.cards import find_cards, is_card_number


def _found(text: str) -> list[str]:
    return [text[span.start : span.end] for span in find_cards(text)]


@pytest.mark.parametrize(
    "number",
    [
        *("4111111111111111", "4222222222222", "5555555555554444", "2223003122003222", "378282246310005"),
        *("30569309025904", "6011111111111117", "3530111333300000", "6200000000000005"),
    ],
)
def test_test_numbers_of_every_issuer_are_cards(number: str) -> None:
    """The numbers that payment providers publish for tests are found."""
    assert is_card_number(number)
    assert _found(f"card {number}.") == [number]


@pytest.mark.parametrize(
    ("text", "card"),
    [
        ("4111 1111 1111 1111", "4111 1111 1111 1111"),
        ("4111-1111-1111-1111", "4111-1111-1111-1111"),
        ("3782 822463 10005", "3782 822463 10005"),
        ("1234 4111 1111 1111 1111 123", "4111 1111 1111 1111"),
        (r"a\n4111111111111111\n", "4111111111111111"),
        ('{"n":4111111111111111}', "4111111111111111"),
    ],
)
def test_groups_and_neighbours_do_not_hide_a_card(text: str, card: str) -> None:
    """Spaces, hyphens, a check code behind it and JSON's escapes don't matter."""
    assert _found(text) == [card]


@pytest.mark.parametrize(
    "text",
    [
        *("4111111111111112", "ord-4111111111111111", "0.4111111111111111", "4111111111111111.5"),
        *("41111111111111110000", "a4111111111111111", "4111 1111-1111 1111", "1700000000000", "1700000000000000000"),
        *("6f9619ff-8b86-4011-b42d-00c04fc964ff", "4111-1111-1111-1111-abc", "+4915112345678901"),
    ],
)
def test_ids_timestamps_and_decimals_are_no_cards(text: str) -> None:
    """A run of digits inside something else stays."""
    assert _found(text) == []
