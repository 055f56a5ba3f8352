"""Phrases: the wordings by which a text gives orders to a model, as data, for injections and jailbreaks alike.

A strong phrase is one that hardly anything but an order to a model holds; weak
ones count where two different ones meet, or where they speak to a model. All are RE2 patterns, case folded.
Sources: the templates of AgentDojo, InjecAgent and HackAPrompt, published
jailbreak collections. Nothing here decides what to do about a phrase.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from pytest_agentreplay.guards.analysis.languages import IN_OTHER_LANGUAGES, VERBS


class Phrase(NamedTuple):
    """One wording.

    Attributes:
        name: what it does, for reasons.
        pattern: in RE2's syntax, case folded.
        strong: it needs no other beside it.
        to_model: it speaks to a model; by itself too little to suspect a text of anything, yet a call that does
            what such a passage asks for is told.
        scoped: it means nothing of the kind where it goes on to say of what: "... rules in .eslintrc".
        deniable: it means the opposite behind "never": "never reveal your system prompt".
        screen: matches every text that the pattern matches, with less; empty where the pattern itself is small.
    """

    name: str
    pattern: str
    strong: bool = True
    to_model: bool = False
    scoped: bool = False
    deniable: bool = False
    screen: str = ""


_S: Final = r"[\s,:;*_>\"'-]{1,6}"
_ORDERS: Final = (
    r"(?:instructions?|prompts?|directions?|directives?|rules?|guidelines?|commands?|constraints?|programming|orders?"
    r"|training|restrictions?|system message|context|tasks?|polic(?:y|ies)|safeguards?|protocols?|filters?"
    r"|guardrails?|ethics|morals)\b"
)
_EARLIER: Final = (
    r"(?:previous|prior|above|earlier|preceding|foregoing|existing|original|initial|all|any|every|your|system|safety"
    r"|former|past|openai'?s?|anthropic'?s?|developer|ethical|content)\b"
)
VOID: Final = (
    r"(?:cancel+ed|void|null|outdated|obsolete|revoked|superseded|suspended|replaced|overridden|invalid|no longer"
    r"|a test|not real|fake)"
)

OVERRIDES: Final = (
    Phrase(
        "tells the model to ignore its instructions",
        rf"\b(?:ignore|disregard|forget|neglect|discard|drop|abandon|override|revoke|erase|dismiss|set aside|put"
        rf" aside|throw (?:out|away)"
        rf"|(?:do not|don'?t|never|stop|quit|no longer) (?:follow|obey|adher|respect|abide)"
        rf"(?:ing|e to|e| by)?|pay no attention to){_S}(?:[\w']{{1,12}}{_S}){{0,3}}{_EARLIER}{_S}"
        rf"(?:[\w']{{1,14}}{_S}){{0,3}}{_ORDERS}",
        scoped=True,
    ),
    Phrase(
        "tells the model to ignore its instructions",
        r"\b(?:ignore|disregard|forget|discard|(?:do not|don'?t|stop) (?:follow|obey)(?:ing)?) the (?:\w+ )?"
        r"(?:rules|instructions|guidelines|directives|restrictions|limits) (?:that )?(?:your?|the|were|you)(?:r|'ve)?\b"
        r"(?: \w+){0,2} (?:gave|given|set|told|made|wrote|imposed|were|taught|trained)\b",
    ),
    Phrase(
        "tells the model to ignore all before",
        r"\b(?:ignore|disregard|forget|discard) (?:everything|anything|all|what)(?: \w+){0,4} (?:above|before"
        r"|previously"
        r"|prior|so far|told|said|instructed|asked|else|learned)\b",
        scoped=True,
    ),
    Phrase(
        "declares the model's instructions void",
        rf"\b(?:(?:your|the|all|any) (?:previous|prior|earlier|preceding|above|former|existing|initial|original"
        rf"|current)"
        rf"(?: \w+)? (?:instructions?|prompts?|rules|guidelines|directives|restrictions|policies)|your (?:instructions"
        rf"|rules|guidelines|restrictions|system prompt|limitations)|instructions (?:above|before this|so far|up to"
        rf" here)"
        rf"|all previous rules) (?:are|is|were|was|have been|has been|shall be) (?:now |all |hereby |officially"
        rf" )?{VOID}\b",
    ),
    Phrase(
        "overrides the model's rules",
        rf"\b(?:override|bypass|circumvent|suspend|disable|turn off|break|evade|violate|set aside|put aside"
        rf"|work around|get around|deactivate|switch off|remove|lift|drop|shed){_S}(?:\w{{1,12}} ){{0,2}}"
        rf"(?:your|all previous|all prior|all safety|safety|ethical|alignment|system prompt)\b{_S}"
        rf"(?:[\w-]{{1,14}} ){{0,3}}{_ORDERS}",
    ),
    Phrase(
        "gives the model new instructions",
        r"(?:\b(?:your|these are|here are|the following are|follow these|following) (?:new|updated|real|actual|true)"
        r" (?:system )?(?:instructions?|prompt|directives?|tasks?|objectives?|goals?|mission|orders)\b"
        r"|\b(?:new|updated|revised|real|override) (?:system )?(?:instructions?|prompt|directives?|objectives?)[*_\"'"
        r" ]{0,3}:"
        r"|\bonly follow the following instructions?\b)",
    ),
    Phrase("ignores instructions in another language", IN_OTHER_LANGUAGES, screen=VERBS),
)
"""Orders to drop the orders: injections and jailbreaks alike."""
