"""An infrastructure agent that was asked to change staging and applied to production.

A colleague had left the workspace on production, and the agent planned and
applied wherever it stood. The fixed agent takes the workspace from the request
and applies nothing but a plan that was made for it.
"""

from __future__ import annotations

from typing import Any

from golden_traces.incidents.agents.loop import Call, Conversation, Decision, aconverse
from golden_traces.incidents.agents.real_world import reach
from pytest_agentreplay import checkpoint, tool


@tool(effect="read")
async def terraform_workspaces() -> dict[str, Any]:
    """List the workspaces and the selected one."""
    reach("terraform_workspaces")


@tool(effect="read")
async def terraform_plan(workspace: str) -> dict[str, Any]:
    """Plan the pending changes for one workspace."""
    reach("terraform_plan")


@tool(effect="write")
async def terraform_apply(workspace: str, plan_id: str) -> dict[str, Any]:
    """Apply a saved plan."""
    reach("terraform_apply")


TOOLS = {
    "terraform_workspaces": terraform_workspaces,
    "terraform_plan": terraform_plan,
    "terraform_apply": terraform_apply,
}


def _decide(conversation: Conversation, workspace: str) -> Decision:
    applied = conversation.of("terraform_apply")
    if applied:
        return f"Applied to {applied[-1].result['workspace']}: {applied[-1].result['changed']} changed."
    plans = conversation.of("terraform_plan")
    if not plans:
        return [Call("terraform_plan", {"workspace": workspace})]
    plan = plans[-1].result
    if plan["workspace"] != workspace:
        return f"The plan is for {plan['workspace']}, not for {workspace}; I applied nothing."
    return [Call("terraform_apply", {"workspace": workspace, "plan_id": plan["plan_id"]})]


def model_that_stays_where_it_stands(conversation: Conversation) -> Decision:
    """Stand in for the model of the incident: the selected workspace must be the right one."""
    listed = conversation.of("terraform_workspaces")
    if not listed:
        return [Call("terraform_workspaces", {})]
    return _decide(conversation, listed[-1].result["selected"])


def model_that_goes_where_it_was_sent(conversation: Conversation) -> Decision:
    """Stand in for the fixed model: the workspace that the request names, or none."""
    listed = conversation.of("terraform_workspaces")
    if not listed:
        return [Call("terraform_workspaces", {})]
    named = [name for name in listed[-1].result["workspaces"] if name in conversation.request]
    if len(named) != 1:
        return "Which workspace do you mean?"
    return _decide(conversation, named[0])


def _note_the_target(conversation: Conversation) -> None:
    latest = conversation.outcomes[-1]
    if latest.call.tool == "terraform_plan":
        checkpoint({"workspace": latest.result["workspace"], "to_destroy": latest.result["destroy"]}, at="plan")


async def run_bad(request: str) -> str:
    """Run the agent as it was in the incident."""
    return await aconverse(model_that_stays_where_it_stands, TOOLS, request, observe=_note_the_target)


async def run(request: str) -> str:
    """Run the fixed agent."""
    return await aconverse(model_that_goes_where_it_was_sent, TOOLS, request, observe=_note_the_target)
