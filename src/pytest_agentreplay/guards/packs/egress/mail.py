"""Mail: to which domains messages may be sent, where a policy says so. Nothing here reads what they say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pytest_agentreplay.guards.analysis.hosts import parse_host, same_host
from pytest_agentreplay.guards.analysis.remotes import remotes_of
from pytest_agentreplay.guards.analysis.texts import last_key
from pytest_agentreplay.guards.rules import Objection
from pytest_agentreplay.redaction.keys import words

if TYPE_CHECKING:
    from pytest_agentreplay.guards.context import DecisionContext

_RECIPIENTS: Final = words(
    "to cc bcc recipient recipients to_email email_to to_address to_addresses recipient_email email_address"
    " email emails attendees invitees participants reply_to forward_to share_with"
)
_ADDRESS: Final = re.compile(r"[\w.+%-]{1,64}@([^\s@,;<>\"'()\[\]]{1,253})")
_MAILERS: Final = words("mail mailx mutt sendmail swaks msmtp")


def mail_objection(allowed: tuple[str, ...], context: DecisionContext) -> Objection | None:
    """Give what there is against the recipients of a message.

    Args:
        allowed: domains, as patterns of hosts.
        context: the call.
    """
    if context.effect == "read":
        return None
    for at, text in context.texts:
        if last_key(at) in _RECIPIENTS:
            for address in _ADDRESS.finditer(text):
                if not _is_allowed(address[1], allowed):
                    return Objection(f"{at} is outside of the allowed domains: {address[0][:80]}")
    for shell in context.shell:
        for remote in remotes_of(shell):
            if remote.program in _MAILERS and not _is_allowed(remote.text, allowed):
                return Objection(f"{remote.program} writes to {remote.text[:80]}, outside of the allowed domains")
    return None


def _is_allowed(domain: str, allowed: tuple[str, ...]) -> bool:
    host = parse_host(domain)
    return host is not None and any(same_host(host.name, pattern) for pattern in allowed)
