"""The page of this framework does what it shows."""

from __future__ import annotations

from tests.doc_pages import DOCS, Project, blocks_of
from tests.providers.imitation import ImitationProvider, calls, says

CONVERSATION = [calls("lookup_order", order="o-1"), calls("refund", order="o-1", cents=4500), says("Done.")]


def test_google_adk(tmp_path):
    """Recorded once against the imitation of the provider, then replayed without it."""
    with ImitationProvider(CONVERSATION) as provider:
        project = Project(tmp_path, {"GOOGLE_GEMINI_BASE_URL": provider.url, "GOOGLE_API_KEY": "test"})
        for block in blocks_of(DOCS / "how-to" / "frameworks" / "google-adk.md"):
            project.take(block)

        assert len(provider.requests) == 3
