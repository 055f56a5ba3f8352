"""Card numbers: which runs of digits are payment cards.

A card has a known issuer's prefix, the length that the issuer uses, a valid
check digit (Luhn, ISO/IEC 7812-1), and stands alone: not inside an id, a UUID,
a decimal number or a longer run of digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pytest_agentreplay.redaction.spans import Span

SCREEN: Final = r"[0-9]{13}|[0-9]{4}[ -][0-9]{4}[ -][0-9]{4}[ -][0-9]|[0-9]{4}[ -][0-9]{6}[ -][0-9]{4}"

_NOT_BEFORE: Final = r"(?:(?<![\w+-])(?<![0-9]\.)|(?<=\\[nrt]))"  # alone, or behind JSON's \n
_SHAPES: Final = tuple(
    re.compile(rf"{_NOT_BEFORE}(?=({shape})(?![\w-]|\.[0-9]))")
    for shape in (
        r"[0-9]{13,19}",
        r"[0-9]{4}([ -])[0-9]{4}\2[0-9]{4}\2[0-9]{4}\2[0-9]{3}",
        r"[0-9]{4}([ -])[0-9]{4}\2[0-9]{4}\2[0-9]{4}",
        r"[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5}",
    )
)
# The issuers' ranges: https://en.wikipedia.org/wiki/Payment_card_number
_ISSUERS: Final = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})"  # Visa
    r"|(?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"  # Mastercard
    r"|3[47][0-9]{13}"  # American Express
    r"|3(?:0[0-5]|09|[689][0-9])[0-9]{11}"  # Diners Club
    r"|(?:6011|64[4-9][0-9]|65[0-9]{2})[0-9]{12,15}"  # Discover
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12,15}"  # JCB
    r"|62[0-9]{14,17}"  # UnionPay
    r"|(?:5018|5020|5038|5893|6304|6759|676[1-3])[0-9]{9,15}"  # Maestro
)
_DOUBLED: Final = tuple(sum(divmod(2 * digit, 10)) for digit in range(10))


def is_card_number(digits: str) -> bool:
    """Tell whether digits without separators are a card number."""
    if _ISSUERS.fullmatch(digits) is None:
        return False
    odd = sum(int(digit) for digit in digits[-1::-2])
    return (odd + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])) % 10 == 0


def find_cards(text: str) -> Iterator[Span]:
    """Find the card numbers in a text, plain or grouped by single spaces or hyphens."""
    for shape in _SHAPES:
        for match in shape.finditer(text):
            if is_card_number(match[1].replace(" ", "").replace("-", "")):
                yield Span(*match.span(1), "card", guessable=True)
