"""A billing agent that sent one customer the same reminder twice.

The mail server took the mail and answered too late; the agent saw a timeout
and sent again. The fixed agent asks whether the mail went out before it
repeats anything. Both read the customers' addresses in parallel, in threads.
"""

from __future__ import annotations

from collections import Counter

from golden_traces.incidents.agents.loop import Call, Conversation, Decision, converse
from golden_traces.incidents.agents.real_world import reach
from pytest_agentreplay import tool


@tool(effect="read")
def list_overdue_invoices(month: str) -> list[dict[str, str]]:
    """List the invoices of a month that nobody paid."""
    reach("list_overdue_invoices")


@tool(effect="read")
def read_contact(customer: str) -> dict[str, str]:
    """Read how a customer is reached."""
    reach("read_contact")


@tool(effect="read")
def delivery_status(invoice: str) -> dict[str, str]:
    """Ask the mail server what became of an invoice's reminder."""
    reach("delivery_status")


@tool(effect="write")
def send_reminder(invoice: str, to: str) -> dict[str, str]:
    """Send the reminder for one invoice."""
    reach("send_reminder")


TOOLS = {
    "list_overdue_invoices": list_overdue_invoices,
    "read_contact": read_contact,
    "delivery_status": delivery_status,
    "send_reminder": send_reminder,
}


def _look_around(conversation: Conversation) -> Decision | None:
    listed = conversation.of("list_overdue_invoices")
    if not listed:
        return [Call("list_overdue_invoices", {"month": conversation.request})]
    if not conversation.of("read_contact"):
        return [Call("read_contact", {"customer": invoice["customer"]}) for invoice in listed[-1].result]
    return None


def _next_reminder(conversation: Conversation, done: set[str]) -> Decision:
    addresses = {outcome.call.args["customer"]: outcome.result["email"] for outcome in conversation.of("read_contact")}
    invoices = conversation.of("list_overdue_invoices")[-1].result
    for invoice in invoices:
        if invoice["id"] not in done:
            return [Call("send_reminder", {"invoice": invoice["id"], "to": addresses[invoice["customer"]]})]
    return f"{len(invoices)} reminders sent."


def _accepted(conversation: Conversation) -> set[str]:
    return {attempt.call.args["invoice"] for attempt in conversation.of("send_reminder") if attempt.error is None}


def _unclear(conversation: Conversation) -> list[str]:
    timeouts = Counter(
        attempt.call.args["invoice"] for attempt in conversation.of("send_reminder") if attempt.error is not None
    )
    asked = Counter(question.call.args["invoice"] for question in conversation.of("delivery_status"))
    return sorted(timeouts - asked)


def model_that_repeats_after_a_timeout(conversation: Conversation) -> Decision:
    """Stand in for the model of the incident: no answer means not sent."""
    return _look_around(conversation) or _next_reminder(conversation, _accepted(conversation))


def model_that_asks_after_a_timeout(conversation: Conversation) -> Decision:
    """Stand in for the fixed model: no answer means that nobody knows yet."""
    unclear = _unclear(conversation)
    if unclear:
        return [Call("delivery_status", {"invoice": invoice}) for invoice in unclear]
    delivered = {
        question.call.args["invoice"]
        for question in conversation.of("delivery_status")
        if question.result["status"] == "delivered"
    }
    return _look_around(conversation) or _next_reminder(conversation, _accepted(conversation) | delivered)


def run_bad(month: str) -> str:
    """Run the agent as it was in the incident."""
    return converse(model_that_repeats_after_a_timeout, TOOLS, month)


def run(month: str) -> str:
    """Run the fixed agent."""
    return converse(model_that_asks_after_a_timeout, TOOLS, month)
