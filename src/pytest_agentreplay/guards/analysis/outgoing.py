"""Outgoing calls: which tools carry their arguments to somebody else, by their names' words and their parameters.

Nothing here judges what is carried.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pytest_agentreplay.redaction.keys import words

if TYPE_CHECKING:
    from pytest_agentreplay.guards.context import DecisionContext

TALK_KEYS: Final = words("query q search search_term search_query pattern regex regexp keyword keywords question")
"""Parameters whose texts are looked for and go nowhere."""

SPOKEN_KEYS: Final = words(
    "content contents text body message comment description title summary subject note notes old_str new_str"
    " old_string new_string old_text new_text file_text replacement markdown html data diff patch answer"
)
"""Parameters whose texts are written down or said: what they name is reached only by whom they are sent to."""

COMMAND_KEYS: Final = words(
    "command cmd commands bash shell script_args shell_command command_line cmdline bash_command argv"
)
CODE_KEYS: Final = words("code script python source_code program cell snippet js javascript expression")

_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_SENDING: Final = words(
    "send post posts email mail message msg sms notify notification publish upload share tweet reply comment"
    " slack discord telegram webhook http https request fetch browse browser navigate goto issue gist paste"
    " forward submit broadcast api put push export curl wget url web visit open download respond dm chat teams"
    " whatsapp ticket graphql rpc crawl scrape"
)
_RECIPIENTS: Final = words(
    "to cc bcc recipient recipients to_email email_to channel channel_id chat_id phone phone_number webhook"
    " webhook_url url uri endpoint thread_id room conversation_id user_ids issue_number pull_number link href"
)


@lru_cache(maxsize=1024)
def _sends(tool: str) -> bool:
    return any(word.lower() in _SENDING for word in _WORD.findall(tool))


def is_outgoing(context: DecisionContext) -> bool:
    """Tell whether a call takes its arguments to a person or a service."""
    return _sends(context.tool) or not _RECIPIENTS.isdisjoint(_lowered(context.args))


def _lowered(names: Iterable[str]) -> Iterable[str]:
    return [name.lower() for name in names]
