"""The pages of these frameworks do what they show."""

from __future__ import annotations

from tests.doc_pages import DOCS, Project, blocks_of
from tests.providers.imitation import ImitationProvider, calls, says

CONVERSATION = [calls("lookup_order", order="o-1"), calls("refund", order="o-1", cents=4500), says("Done.")]


def _take(page, tmp_path, provider):
    project = Project(tmp_path, {"OPENAI_BASE_URL": f"{provider.url}/v1", "OPENAI_API_KEY": "sk-test"})
    for block in blocks_of(DOCS / "how-to" / "frameworks" / f"{page}.md"):
        project.take(block)
    return project


def test_openai_agents(tmp_path):
    """Recorded once against the imitation of the provider, then replayed without it."""
    with ImitationProvider(CONVERSATION) as provider:
        _take("openai-agents", tmp_path, provider)

        assert len(provider.requests) == 3


def test_pydantic_ai(tmp_path):
    """Recorded once against the imitation of the provider, then replayed without it."""
    with ImitationProvider(CONVERSATION) as provider:
        _take("pydantic-ai", tmp_path, provider)

        assert len(provider.requests) == 3
