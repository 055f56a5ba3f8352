"""A coding agent that deleted the build output of the whole repository.

It was asked to clean one package. The package was not where it looked, and it
fell back to the directory that it stood in. The fixed agent goes on only with
a directory that was found, and looks into it before it deletes.
"""

from __future__ import annotations

from typing import Any

from golden_traces.incidents.agents.loop import Call, Conversation, Decision, converse
from golden_traces.incidents.agents.real_world import reach
from pytest_agentreplay import tool


@tool(effect="read")
def find_package(name: str) -> dict[str, Any]:
    """Look a package up under packages/, and name similar ones elsewhere."""
    reach("find_package")


@tool(effect="read")
def list_directory(path: str) -> list[str]:
    """List the entries of a directory."""
    reach("list_directory")


@tool
def run_shell(command: str, cwd: str) -> dict[str, Any]:
    """Run a command; nobody can say what it does to the world, so it counts as a write."""
    reach("run_shell")


TOOLS = {"find_package": find_package, "list_directory": list_directory, "run_shell": run_shell}

CLEAN = "rm -rf build"


def _report(conversation: Conversation) -> str:
    ran = conversation.of("run_shell")[-1]
    return f"Removed build/ in {ran.call.args['cwd']} (exit code {ran.result['exit_code']})."


def model_that_falls_back_to_here(conversation: Conversation) -> Decision:
    """Stand in for the model of the incident: no path means the current one."""
    found = conversation.of("find_package")
    if not found:
        return [Call("find_package", {"name": conversation.request.split()[-1]})]
    if conversation.of("run_shell"):
        return _report(conversation)
    return [Call("run_shell", {"command": CLEAN, "cwd": found[-1].result["path"] or "."})]


def model_that_looks_before_it_deletes(conversation: Conversation) -> Decision:
    """Stand in for the fixed model: only a directory that was found, and that holds a build."""
    found = conversation.of("find_package")
    if not found:
        return [Call("find_package", {"name": conversation.request.split()[-1]})]
    if conversation.of("run_shell"):
        return _report(conversation)
    places = [found[-1].result["path"]] if found[-1].result["path"] else found[-1].result["similar"]
    if len(places) != 1:
        return "I don't know which package you mean, so I deleted nothing."
    listed = conversation.of("list_directory")
    if not listed:
        return [Call("list_directory", {"path": places[0]})]
    if "build" not in listed[-1].result:
        return f"There is no build output in {places[0]}."
    return [Call("run_shell", {"command": CLEAN, "cwd": places[0]})]


def run_bad(request: str) -> str:
    """Run the agent as it was in the incident."""
    return converse(model_that_falls_back_to_here, TOOLS, request)


def run(request: str) -> str:
    """Run the fixed agent."""
    return converse(model_that_looks_before_it_deletes, TOOLS, request)
