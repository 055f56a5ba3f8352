"""Agents on the Claude Agent SDK: recorded with the real Claude Code and an imitated model, replayed without either."""

from __future__ import annotations

import pytest

from tests.doc_pages import DOCS, Project, blocks_of
from tests.providers.imitation import ImitationProvider, calls, says

TEST = """
import desk


async def test_a_refund(agent_replay):
    run = await agent_replay.arun("refund", desk.answer, input="Pay order o-1 back, please.")
    assert run.tools == ["mcp__desk__lookup_order", "mcp__desk__refund"], run.tools
    assert run.output == "Done."
"""
AGENT = """
from pathlib import Path

from claude_agent_sdk import ClaudeAgentOptions, ResultMessage, create_sdk_mcp_server, query, tool

RAN = Path(__file__).with_name("ran.txt")


def ran(what):
    RAN.write_text((RAN.read_text() if RAN.exists() else "") + what + "\\n")


@tool("lookup_order", "Look an order up.", {"order": str})
async def lookup_order(args):
    ran("lookup")
    return {"content": [{"type": "text", "text": "paid, 4500 cents"}]}


@tool("refund", "Pay an order back.", {"order": str, "cents": int})
async def refund(args):
    ran("refund")
    return {"content": [{"type": "text", "text": f"paid back {args['cents']} cents"}]}


OPTIONS = ClaudeAgentOptions(
    mcp_servers={"desk": create_sdk_mcp_server("desk", tools=[lookup_order, refund])},
    allowed_tools=["mcp__desk__lookup_order", "mcp__desk__refund", "Bash"],
    setting_sources=[],
    max_turns=5,
    model="claude-x",
)


async def answer(question):
    said = ""
    async for message in query(prompt=question, options=OPTIONS):
        if isinstance(message, ResultMessage):
            said = message.result
    return said
"""


def script(*replies):
    """Answer what Claude Code asks with its tools by these replies in order, and all its side questions with a word."""
    left = list(replies)

    def reply(request):
        asked_with_tools = any(name.startswith("mcp__desk") or name == "Bash" for name in request.tools)
        return left.pop(0) if asked_with_tools and left else says("ok")

    return reply


@pytest.fixture
def project(tmp_path):
    def make(provider):
        environment = {
            "ANTHROPIC_BASE_URL": provider.url,
            "ANTHROPIC_API_KEY": "sk-ant-test",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "ENABLE_TOOL_SEARCH": "false",
            "DISABLE_AUTOUPDATER": "1",
            "HOME": str(tmp_path),
            "CLAUDE_CONFIG_DIR": str(tmp_path / "claude"),
        }
        made = Project(tmp_path, environment)
        (made.path / "desk.py").write_text(AGENT)
        (made.path / "test_desk.py").write_text(TEST)
        (made.path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
        return made

    return make


def test_recorded_once_then_replayed_without_claude_code(project):
    """In-process tools run once, while recording; the replay starts no process and asks no model."""
    replies = script(
        calls("mcp__desk__lookup_order", order="o-1"),
        calls("mcp__desk__refund", order="o-1", cents=4500),
        says("Done."),
    )
    with ImitationProvider(replies) as provider:
        made = project(provider)
        recorded = made._run(["pytest", "-q", "--agent-record=once"])
        asked = len(provider.seen)
        replayed = made._run(["pytest", "-q"])

        assert "1 passed" in recorded.stdout, recorded.stdout
        assert "1 passed" in replayed.stdout, replayed.stdout
        assert (made.path / "ran.txt").read_text() == "lookup\nrefund\n"
        assert len(provider.seen) == asked


CLIENT = """
from claude_agent_sdk import ClaudeSDKClient, ResultMessage
import desk


async def answer(question):
    said = []
    async with ClaudeSDKClient(desk.OPTIONS) as client:
        for one in (question, "And again."):
            await client.query(one)
            async for message in client.receive_response():
                if isinstance(message, ResultMessage):
                    said.append(message.result)
    return said
"""


def test_a_built_in_tool_is_a_call_and_does_not_run_again(project):
    """What Claude Code's own shell did while recording is answered from the recording, block and all."""
    replies = script(calls("Bash", command="echo once >> made.txt", description="x"), says("Done."))
    with ImitationProvider(replies) as provider:
        made = project(provider)
        test = TEST.replace('["mcp__desk__lookup_order", "mcp__desk__refund"]', '["Bash"]')
        (made.path / "test_desk.py").write_text(test)
        recorded = made._run(["pytest", "-q", "--agent-record=once"])
        replayed = made._run(["pytest", "-q"])
        trace = (made.path / "golden_traces" / "refund.yaml").read_text()

        assert "1 passed" in recorded.stdout, recorded.stdout
        assert "1 passed" in replayed.stdout, replayed.stdout
        assert (made.path / "made.txt").read_text() == "once\n"
        assert "echo once >> made.txt" in trace and "sk-ant" not in trace


def test_a_policy_blocks_a_call_of_claude_code(project):
    """The guard's block is Claude Code's own refusal, while recording and in replay."""
    replies = script(calls("Bash", command="rm -rf / --no-preserve-root", description="x"), says("Done."))
    with ImitationProvider(replies) as provider:
        made = project(provider)
        test = TEST.replace('["mcp__desk__lookup_order", "mcp__desk__refund"]', '["Bash"]')
        (made.path / "test_desk.py").write_text(test + '    assert run.verdict("Bash#1").decision == "block"\n')
        (made.path / "policy.yaml").write_text("format: agentreplay.policy/1\nname: shell\nversion: 1\nuse: [shell]\n")
        recorded = made._run(["pytest", "-q", "--agent-record=once", "--agent-policy=policy.yaml"])
        replayed = made._run(["pytest", "-q", "--agent-policy=policy.yaml"])

        assert "1 passed" in recorded.stdout, recorded.stdout
        assert "1 passed" in replayed.stdout, replayed.stdout


def test_another_prompt_diverges(project):
    """A replay in which the agent tells Claude Code something else fails and shows both."""
    with ImitationProvider(script(calls("mcp__desk__lookup_order", order="o-1"), says("Done."))) as provider:
        made = project(provider)
        test = TEST.replace(', "mcp__desk__refund"', "")
        (made.path / "test_desk.py").write_text(test)
        recorded = made._run(["pytest", "-q", "--agent-record=once"])
        (made.path / "test_desk.py").write_text(test.replace("Pay order o-1 back", "Pay order o-9 back"))
        changed = made._run(["pytest", "-q"])

        assert "1 passed" in recorded.stdout, recorded.stdout
        assert "1 failed" in changed.stdout and "o-9" in changed.stdout and "o-1" in changed.stdout, changed.stdout


def test_a_client_that_talks_twice(project):
    """The tape waits for each thing that the agent says, and answers it."""
    replies = script(says("One."), says("Two."))
    with ImitationProvider(replies) as provider:
        made = project(provider)
        (made.path / "client.py").write_text(CLIENT)
        (made.path / "test_desk.py").write_text(
            "import client\n\n\nasync def test_it(agent_replay):\n"
            "    run = await agent_replay.arun('twice', client.answer, input='Hello.')\n"
            "    assert run.output == ['One.', 'Two.'], run.output\n"
        )
        recorded = made._run(["pytest", "-q", "--agent-record=once"])
        asked = len(provider.seen)
        replayed = made._run(["pytest", "-q"])

        assert "1 passed" in recorded.stdout, recorded.stdout
        assert "1 passed" in replayed.stdout, replayed.stdout
        assert len(provider.seen) == asked


def test_the_page(tmp_path):
    """The page of this framework does what it shows."""
    environment = {
        "ANTHROPIC_API_KEY": "sk-ant-test",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "ENABLE_TOOL_SEARCH": "false",
        "HOME": str(tmp_path),
        "CLAUDE_CONFIG_DIR": str(tmp_path / "claude"),
    }
    with ImitationProvider(script(calls("mcp__desk__refund", order="o-1", cents=4500), says("Done."))) as provider:
        made = Project(tmp_path, environment | {"ANTHROPIC_BASE_URL": provider.url})
        for block in blocks_of(DOCS / "how-to" / "frameworks" / "claude-agent-sdk.md"):
            made.take(block)


def test_other_options_diverge(project):
    """An agent that starts Claude Code with another system prompt is another agent."""
    with ImitationProvider(script(calls("mcp__desk__lookup_order", order="o-1"), says("Done."))) as provider:
        made = project(provider)
        (made.path / "test_desk.py").write_text(TEST.replace(', "mcp__desk__refund"', ""))
        recorded = made._run(["pytest", "-q", "--agent-record=once"])
        (made.path / "desk.py").write_text(
            AGENT.replace('model="claude-x"', 'model="claude-x", system_prompt="Steal."')
        )
        changed = made._run(["pytest", "-q"])

        assert "1 passed" in recorded.stdout, recorded.stdout
        assert "1 failed" in changed.stdout and "system_prompt" in changed.stdout, changed.stdout
