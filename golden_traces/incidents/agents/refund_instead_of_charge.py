"""A payments agent that refunded an order which the user asked it to charge.

The order carried a note on refunds, and the model took its intent from the
note: one boolean flipped. The fixed agent takes it from the request, as the
plan that it declares before it moves any money.
"""

from __future__ import annotations

from typing import Any

from golden_traces.incidents.agents.loop import Call, Conversation, Decision, converse
from golden_traces.incidents.agents.real_world import reach
from pytest_agentreplay import checkpoint, tool


@tool(effect="read")
def lookup_order(order_id: str) -> dict[str, Any]:
    """Read one order."""
    reach("lookup_order")


@tool(effect="write")
def move_money(order_id: str, amount_cents: int, is_refund: bool) -> dict[str, Any]:
    """Charge the customer of an order, or pay them back."""
    reach("move_money")


TOOLS = {"lookup_order": lookup_order, "move_money": move_money}


def _decide(conversation: Conversation, intent: str) -> Decision:
    moved = conversation.of("move_money")
    if moved:
        done = moved[-1].result
        return f"Order {done['order_id']}: {done['kind']} of {done['amount_cents'] / 100:.2f} EUR is {done['status']}."
    order = conversation.of("lookup_order")[-1].result
    is_refund = "refund" in intent.lower()
    return [
        Call(
            "move_money",
            {"order_id": order["order_id"], "amount_cents": order["open_cents"], "is_refund": is_refund},
        )
    ]


def model_that_reads_intent_from_the_order(conversation: Conversation) -> Decision:
    """Stand in for the model of the incident: any text that speaks of refunds makes it one."""
    orders = conversation.of("lookup_order")
    if not orders:
        return [Call("lookup_order", {"order_id": conversation.request.split()[-1]})]
    return _decide(conversation, intent=orders[-1].result["note"])


def model_that_keeps_to_the_request(conversation: Conversation) -> Decision:
    """Stand in for the fixed model: what the user asked for is the plan."""
    if not conversation.of("lookup_order"):
        return [Call("lookup_order", {"order_id": conversation.request.split()[-1]})]
    return _decide(conversation, intent=conversation.request)


def _planned(request: str) -> dict[str, bool]:
    return {"is_refund": "refund" in request.lower()}


def run_bad(request: str) -> str:
    """Run the agent as it was in the incident."""
    checkpoint(plan=_planned(request))
    return converse(model_that_reads_intent_from_the_order, TOOLS, request)


def run(request: str) -> str:
    """Run the fixed agent."""
    checkpoint(plan=_planned(request))
    return converse(model_that_keeps_to_the_request, TOOLS, request)
