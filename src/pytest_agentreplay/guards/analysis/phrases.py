"""Phrases: the wordings by which a text gives orders to a model, as data, one list for each purpose.

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
        screen: matches every text that the pattern matches, with less; empty where the pattern itself is small.
    """

    name: str
    pattern: str
    strong: bool = True
    to_model: bool = False
    scoped: bool = False
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
_MODEL: Final = (
    r"(?:ai|a\.i\.|llms?|(?:large )?language models?|ai (?:agents?|assistants?|models?|systems?)|assistants?|chatbots?"
    r"|(?:chat)?gpt(?:-?[0-9][a-z0-9.]*)?|claude|gemini|copilot|codex|llama|(?:autonomous |coding )?agents?|bots?)\b"
)
_ACT: Final = (
    r"(?:send|e-?mail|forward|transfer|wire|pay|delete|remove|run|execute|call|invoke|upload|post|share|write|append"
    r"|add|insert|create|invite|grant|change|update|reset|set|cancel|book|reserve|buy|purchase|order|refund|approve"
    r"|visit|open|click|navigate|fetch|download|install|read|search|reply|respond|tell|say|print|output|include"
    r"|export|copy|move|schedule|submit|disable|enable|merge|push|commit|close|reveal|leak|use|give|make|go|rename"
    r"|subscribe|follow|ignore|forget|disregard)\b"
)
_POLITE: Final = (
    r"(?:please |kindly |now |also |first |immediately |then |you (?:must|should|shall|will|need to|have to) )"
)
BY_NAME: Final = "names a tool to call"
"""What a wording is called that tells the reader to call a tool by its name; code and its documentation do so too."""
_VOID: Final = (
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
        rf" )?{_VOID}\b",
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

INJECTIONS: Final = (
    Phrase(
        "is written to a model",
        rf"(?:\bif you(?: are|'re) (?:an? |the )?(?:\w+ )?{_MODEL}"
        rf"|\b(?:note|message|instructions?|attention|notice|reminder|important|memo|directive)"
        rf"(?: (?:to|for))?[:,]?"
        rf" (?:all |any |the |every )?{_MODEL}[ :,.!]"
        rf"|\b(?:hey|dear|hi|hello|attention),? (?:the |all )?{_MODEL}[:,.!]"
        rf"|\b(?:to|for) (?:the |any |all )(?:ai|llm|language) (?:models?|agents?|assistants?)\b[^\n.]{{0,20}}[:,]"
        rf"|\bas an? (?:\w+ )?{_MODEL}[, ]{{1,2}}you (?:are|must|should|need|have|shall|will)\b"
        rf"|\b{_MODEL} (?:that (?:is |are )?)?(?:reading|processing|parsing|summari[sz]ing|viewing|handling"
        r"|ingesting|scanning) (?:this|it|the (?:page|document|text|e?-?mail|message|file))\b"
        rf"|\b(?:if|when|should) (?:an?|any|the|some) (?:\w+ )?{_MODEL} (?:reads?|sees?|receives?|process\w*|parses?"
        rf"|opens?"
        rf"|handles?|finds?|is reading)\b|\b(?:executed|performed|done|carried out|followed|run) by (?:the |an? |any"
        rf" )?(?:ai|llm|language"
        rf" model|ai (?:model|agent|assistant))\b"
        rf"|<!--\s{{0,4}}(?:prompt|system|instructions?|{_MODEL})(?: \w+)? ?:)",
    ),
    Phrase(
        "gives the model a task before its own",
        r"(?:\bimportant message from me\b.{0,80}\bto you\b"
        r"|\bbefore (?:you (?:can )?|\w+ing )?(?:solv\w+|continu\w+|proceed\w*|complet\w+|answer\w*|respond\w*"
        r"|finish\w*|do\w*)?"
        r" ?(?:with |to )?(?:the|your|my|this|any)?(?: \w+)? ?(?:task|question|request|quer\w+)\b.{0,60}"
        r"\b(?:you (?:must|should|need|have)|please|first)\b)",
    ),
    Phrase(
        "asks for secrecy from the user",
        r"\b(?:(?:do not|don'?t|never|must not|should not) (?:\w+ )?(?:tell|inform|mention|notify|alert|reveal"
        r"|disclose|show|report"
        r"|ask|warn)|without (?:tell|inform|mention|notify|alert|ask|warn|reveal)ing)(?: (?:this|it|anything|that|any"
        r" of this"
        r"|about it))?(?: (?:to|for|from|with))? (?:the |your )?(?:end[ -])?(?:users?|human|owner|operator)\b",
    ),
    Phrase(
        "hides its doing from the user",
        r"\b(?:without|so that) (?:the )?(?:end[ -])?user(?:'?s)? (?:knowledge|consent|confirmation|approval|noticing"
        r"|knowing"
        r"|permission|does ?n[o']t (?:notice|see|know))",
    ),
    Phrase(
        "forges the frame of a conversation",
        r"(?:<\|(?:im_start|im_end|system|endoftext|user|assistant|start_header_id|eot_id)\|>|\[/?INST\]|<</?SYS>>"
        r"|</?(?:system|information|system[-_]prompt|system[-_]message|system[-_]instructions?|admin|tool_result"
        r"|function_results?|user_query)>"
        r"|[#=\[*-]{2,} ?(?:begin |start |end )?(?:of )?(?:new |admin |system |hidden |override )+(?:instructions?"
        r"|prompt|message"
        r"|override|input)\b"
        r"|\b(?:begin|start|end) (?:of )?(?:system|admin|new|hidden|secret) (?:instructions?|prompt|message|task)\b)",
    ),
    Phrase(
        "speaks as the system",
        r"(?:^|\n|[.!?>\"'] {0,3})[ \t>*#\[(\"']{0,6}(?:system|developer|admin(?:istrator)?)(?: (?:message|prompt"
        r"|note|override|notice|update"
        r"|instruction|alert))?[\])*\"']{0,4}:[* \"']{0,4}(?:you|your|the (?:user|assistant|agent)|assistant|ignore"
        r"|please|new|now"
        r"|from now|all)\b",
    ),
    Phrase(
        "orders a tool call",
        r"\b(?:you (?:must|should|need to|have to|are (?:required|instructed|ordered) to)|(?:the )?(?:ai|assistant"
        r"|agent|model)"
        r" (?:must|should|shall|will|needs to)|please|immediately|first|now|then|also|instead)[,:]? (?:\w+ ){0,2}"
        r"(?:call|invoke|use|run|execute|trigger)(?: the| your| this)? [`'\"]?[\w.]{2,40}[`'\"]? (?:tool|function"
        r"|command|api|action)\b",
        strong=False,
    ),
    Phrase(
        "orders the reader to act",
        r"\b(?:you (?:must|need to|have to|are (?:required|instructed|ordered) to)|(?:the )?(?:ai|assistant|agent"
        r"|model)"
        r" (?:must|should|shall)|make sure to|be sure to|i need you to|i want you to|your (?:task|job) is to)"
        r" (?:\w+ly )?(?:also |now |first )?"
        r"(?:call|send|forward|e-?mail|transfer|run|execute|delete|remove|include|invoke|add|reply|visit|open"
        r"|navigate|fetch"
        r"|post|upload|share|pay|buy|book|reserve|invite|create|update|change|set|grant|download|install|click|write"
        r"|insert)\b",
        strong=False,
    ),
    Phrase(
        "sends something to an address",
        r"\b(?:send|forward|e-?mail|transfer|upload|post|copy|share|submit|wire|pay|deliver|exfiltrate|leak|transmit"
        r"|bcc)\b"
        r"[^\n]{0,120}\b(?:to|at|into|via|bcc)\b[^\n]{0,40}(?:https?:/|[\w.+-]{1,64}@[\w-]{1,64}\.|\b[A-Z]{2}[0-9]{8})",
        strong=False,
    ),
    Phrase(
        "presses",
        r"(?:\b(?:important|urgent|attention|critical|mandatory|required|security alert|action required|todo)\b ?[!:*]"
        r"|!{3}|\bimmediately\b|\bwithout (?:delay|hesitation|confirmation|asking)\b)",
        strong=False,
    ),
    Phrase(
        "speaks of the reader's task",
        r"\b(?:(?:to|in order to) (?:complete|continue|finish|proceed with) (?:the|your|this) (?:task|request)"
        r"|after (?:you do that|doing (?:so|that|this)|that)|the (?:original |user'?s? )(?:task|request|question)"
        r"|(?:tool|function) calls?|your (?:instructions|system prompt|tools|user))\b",
        strong=False,
    ),
    Phrase(
        "claims an authorisation",
        r"\b(?:the user|your (?:owner|operator|developer|admin\w*)|(?:system )?administrators?|i) (?:has|have)"
        r" (?:already )?"
        r"(?:authori[sz]ed|pre-?approved|approved|consented|instructed|granted)\b",
        strong=False,
    ),
    Phrase(
        "asks for secrets",
        r"\b(?:reveal|print|output|repeat|send|show|leak|read|include|extract|collect|gather|cat|dump"
        r"|exfiltrate)\b[^\n]{0,60}"
        r"\b(?:system prompt|api[ _-]?keys?|credentials|passwords?|environment variables|secrets|private keys?|ssh"
        r" keys?|tokens"
        r"|\.env|id_rsa|conversation history)\b",
        strong=False,
    ),
    Phrase(
        "replaces the model's task",
        r"(?:\b(?:do not|don'?t|stop|cease|abandon|drop|cancel|forget|disregard|ignore|instead of|suspend|discard"
        r"|rather than|skip)(?: \w+){0,3} (?:the |your )?(?:users?'?s?|original|initial|assigned) (?:\w+ )?(?:tasks?"
        r"|requests?|quer(?:y|ies)|questions?|goals?|objectives?|prompts?|instructions?|assignments?)\b"
        rf"|\byour (?:previous|current|original|earlier|initial|prior|assigned) (?:task|request|goal|objective|mission"
        rf"|assignment|job) (?:is|was|has been) (?:now |hereby )?{_VOID}\b"
        r"|\byour (?:new|real|actual|updated|next|main|primary|true|only) (?:task|goal|objective|mission|instructions?"
        r"|assignment|priority|job) (?:is|are|will be)\b"
        r"|\byour (?:instructions|task|goal|objective|prompt|rules|system prompt|guidelines|role|orders) (?:has|have)"
        r" (?:just |now )?(?:been )?(?:updated|changed|replaced|revised|modified|overridden)\b)",
    ),
    Phrase(
        "keeps something from the user",
        r"(?:\b(?:no need|not necessary|unnecessary|needn'?t) (?:to )?(?:inform|tell|ask|notify|alert|bother|warn)"
        r"(?:ing)? (?:the |your )?(?:end )?user\b"
        r"|\b(?:keep|keeps|kept|remain|stay)s? (?:it |this |that |all |them )?(?:a )?(?:secret|hidden|confidential"
        r"|private"
        r"|quiet) from (?:the |your )?user\b"
        r"|\b(?:do not|don'?t|never|without) (?:mention|includ|report|referenc|disclos|reveal|show|acknowledg)(?:e"
        r"|ing)?"
        r" (?:this|it|that|any of this|these)(?: \w+){0,3} (?:in|to|within) (?:your|the|any) (?:reply|response|answer"
        r"|summary|output|final|user|conversation)\b"
        r"|\bwithout (?:the )?(?:user|human)(?:'?s)? (?:confirm\w*|approv\w*|consent|knowledge|permission"
        r"|interaction)\b"
        r"|\bthe user (?:has )?(?:already )?(?:approved|consented|agreed|confirmed|authori[sz]ed)[^\n]{0,40}(?:do not"
        r"|don'?t|no need to) (?:ask|confirm|check)\b)",
    ),
    Phrase(
        "tells a model what to do",
        rf"\b(?:the |this |an? |all |any )?{_MODEL} (?:reading this )?(?:must|should|shall|needs? to|ha(?:s|ve) to"
        rf"|(?:is|are) (?:required|instructed|ordered|expected|supposed|asked|obliged) to)\b(?: \w+){{0,3}} {_ACT}",
        strong=False,
        to_model=True,
    ),
    Phrase(
        "calls a model by name and gives it an order",
        rf"(?:(?:^|[\n.:!?>;)(\]\"'-]) {{0,3}}(?:hey |ok(?:ay)? )?{_MODEL}(?: agents?)?[,!:]"
        rf" {{0,2}}{_POLITE}{{0,3}}{_ACT}"
        rf"|[,;] {{0,2}}(?:dear )?{_MODEL}[.,!:](?: |$)|\byou,? (?:the|as an?) (?:\w+ )?{_MODEL}\b)",
        strong=False,
        to_model=True,
    ),
    Phrase(
        "forges who speaks",
        rf"(?:^|[\n>.] {{0,3}})(?:\[{{1,2}}|<|\*{{2}})(?:system|admin\w*|developer|operator|root|user|human|assistant"
        rf"|ai"
        rf"|important|instructions?)(?:[ _-][\w-]{{1,20}}){{0,2}}(?: [^\n>\]]{{0,40}})?(?:\]{{1,2}}|>"
        rf"|\*{{2}}):?\s{{0,3}}"
        rf"(?:[\w ]{{0,40}}[.:,!]\s)?(?:i (?:have|will|am|shall)\b|{_POLITE}{{0,3}}{_ACT})",
        strong=False,
        to_model=True,
    ),
    Phrase(
        "forges a message of the conversation",
        rf"[\"']role[\"']: ?[\"'](?:system|user|developer)[\"'], ?[\"']content[\"']: ?[\"']{_POLITE}{{0,3}}{_ACT}",
        strong=False,
        to_model=True,
    ),
    Phrase(
        "poses as a message of the system",
        r"(?:^|\n|[.!?>] )[^\w\n]{0,8}(?:system|admin|developer)(?: prompt)? (?:message|prompt|override|notice|note"
        r"|reminder|update|alert|instructions?|directive)s?\b",
        strong=False,
        to_model=True,
    ),
    Phrase(
        "forges a turn of the conversation",
        r"(?:^|\n|[.!?] )\s{0,4}(?:human|user)\s?:[^\n]{1,300}\n+\s{0,4}(?:assistant|ai)\s?:",
        strong=False,
        to_model=True,
    ),
    Phrase(
        "speaks for whom the model serves",
        r"\b(?:(?:operator|developer|admin\w*|system|policy|server|protocol|platform|tool) (?:now )?requires? (?:that"
        r" )?"
        r"(?:you|the (?:ai|assistant|agent|model)|(?:ai )?(?:agents|assistants))\b"
        r"|(?:developers?|operators?|owners?|creators?|makers?) of (?:this|the|your) (?:ai )?(?:agent|assistant|model"
        r"|bot|chatbot)\b"
        r"|i am (?:the|your) (?:user|operator|developer|administrator|creator)\b"
        r"|(?:this is|message from) (?:a message from )?(?:the|your) (?:user|operator|developer|creator)\b"
        r"|(?:the|your) (?:end[ -])?user(?:'s assistant)? (?:has |also |now |really |actually )*(?:changed (?:their|his"
        r"|her) mind|wants you to|would want you to|asks you to|asked you to|needs you to|would like you to|requests"
        r" that you)"
        r"|required by the (?:mcp|tool|server|system)\b|requires that you (?:first|also)\b)",
        strong=False,
        to_model=True,
    ),
    Phrase(
        "heads instructions for a model",
        rf"\b(?:(?:{_MODEL}|internal|hidden|secret) (?:system )?(?:instructions?|tasks?|commands?|directives?)(?:"
        rf" \([\w ]{{1,20}}\))? ?:"
        rf"|\[(?:new |hidden |secret )?instructions?\] ?:?|(?:for|to) (?:any |all |the |an? )?{_MODEL}(?: reading)? ?:"
        rf"|your next (?:action|step|move|task|tool call|call) (?:must|should|is|will)\b|from your (?:developer"
        rf"|operator|creator|maker|administrator)\b)",
        strong=False,
        to_model=True,
    ),
    Phrase(
        "asks to obey what is encoded",
        r"\b(?:decode|decrypt|deobfuscate)\b[^\n]{0,40}\b(?:and|then) (?:then )?(?:follow|execute|obey|run|do what"
        r"|carry out)\b",
        strong=False,
        to_model=True,
    ),
    Phrase(
        "turns to the reader's own task",
        r"(?:\b(?:as soon as|when|once|after|if) you (?:see|read|receive|find|get|have read) this\b"
        r"|\b(?:return to|resume|continue(?: with)?|go back to) (?:your|the) (?:previous|original|current|initial"
        r"|user'?s?)"
        r" (?:task|work|request)\b"
        r"|\b(?:task|request) (?:is |has been |successfully )*(?:completed?|done|finished|fulfilled)[.!,;]?"
        r" [^\n]{0,30}\bnext\b"
        r"|\b(?:do not|don'?t|stop|forget about|never mind|skip) (?:\w+ ){0,2}(?:summar\w+|translat\w+|answer\w*|the"
        r" task"
        r"|the question|the request)\b[^\n]{0,160}\binstead\b"
        r"|\bbefore (?:you )?(?:summari[sz]|translat|answer|continu|respond)\w*,)",
        strong=False,
        to_model=True,
    ),
    Phrase(
        BY_NAME,
        r"\b(?:call|invoke|use|trigger|execute|run)(?: the)? [`'\"]?[a-z]+(?:_[a-z0-9]+)+[`'\"]?(?:\(| (?:\w+"
        r" )?(?:with|to|on|for|tool"
        r"|function)\b)",
        strong=False,
        to_model=True,
    ),
    Phrase(
        "puts the model into a mode",
        r"\b(?:you are now (?:in|operating in|running in|entering) (?:an? |the )?\w+ mode\b|from now on,? (?:you|always"
        r"|never)\b)",
        strong=False,
        to_model=True,
    ),
    Phrase(
        "waits for the reader",
        r"\b(?:before|whenever|after|when|while|every time|each time|once)(?: you)? (?:us(?:e|ing)|read(?:ing)?"
        r"|summari[sz](?:e|ing)|process(?:ing)?|answer(?:ing)?|respond(?:ing)?|reply(?:ing)?|retry(?:ing)?"
        r"|this (?:tool|function) is (?:used|called))\b",
        strong=False,
    ),
    Phrase(
        "asks for quiet",
        r"(?:, ?silently\b|\b(?:quietly|secretly|covertly|discreetly) (?:\w+ )?(?:send|forward|add|run|delete|upload)"
        r"|\bwithout (?:asking|further|any|explicit) (?:confirmation|approval|questions)\b|\bproceed without\b)",
        strong=False,
    ),
)
"""What a tool's result says to a model and to nobody else."""
