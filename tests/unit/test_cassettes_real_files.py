"""Cassettes of real projects: read, replayed, cleaned and written without a loss."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_agentreplay.cassettes import Tape, cleaned, load_cassette, parse_cassette, render_cassette
from pytest_agentreplay.redaction import Redactor

FOLDER = Path(__file__).parents[2].parent / "shared" / "traces" / "vcr"
FILES = sorted(FOLDER.rglob("*.yaml"))

pytestmark = pytest.mark.skipif(not FILES, reason="the recorded cassettes are not beside the checkout")


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def cassette(request):
    """One of them."""
    return load_cassette(request.param)


def test_its_own_requests_are_all_answered(cassette):
    """Each gets the answer that it was recorded with, and none is left."""
    tape = Tape(cassette, Redactor())

    for one in cassette.interactions:
        response, reply = tape.answer(one.request)
        assert response.body == one.response.body
        assert one.request.asked is None or reply == one.reply()
    assert tape.unplayed_error() is None


def test_cleaning_takes_nothing_from_what_holds_no_secret(cassette):
    """Ids, signatures and counts are no secrets, and clients need them."""
    redaction = Redactor().session()
    kept = [cleaned(one, redaction) for one in cassette.interactions]

    for before, after in zip(cassette.interactions, kept, strict=True):
        assert b"[redacted" not in after.request.body + after.response.body
        assert after.request.asked == before.request.asked
        assert before.request.asked is None or after.reply() == before.reply()


def test_it_is_written_and_read_again(cassette):
    """In our own form it holds the same, and answers the original's requests."""
    kept = [cleaned(one, Redactor().session()) for one in cassette.interactions]
    again = parse_cassette(render_cassette(kept, "x.yaml"), Path("x.http.yaml"), trace=Path("x.yaml"))
    tape = Tape(again, Redactor())

    assert [one.response.body for one in again.interactions] == [one.response.body for one in kept]
    for one in cassette.interactions:
        assert tape.answer(one.request) is not None
