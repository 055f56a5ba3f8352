"""Jailbreaks: the wordings that talk a model out of its rules, as data. Nothing here decides what to do about one.

Sources: published jailbreak collections, the reports on policy puppetry and many-shot prompts. All are
RE2 patterns, case folded, as `phrases` has them.
"""

from __future__ import annotations

from typing import Final

from pytest_agentreplay.guards.analysis.phrases import Phrase

_RULES: Final = (
    r"(?:rules?|restrictions?|limitations?|limits?|filters?|filtering|guidelines?|censorship|ethics|ethical|morals?"
    r"|morality|moral code"
    r"|moral compass|boundaries|guardrails?|safeguards?|safety|content polic(?:y|ies)|polic(?:y|ies)|constraints?"
    r"|scruples"
    r"|inhibitions|openai)\b"
)
_NOT_BOUND: Final = (
    r"(?:(?:without|has no|have no|having no|with no|had no|knows no|know no|has zero|doesn'?t have|do not have"
    r"|don'?t have|free (?:of|from)"
    r"|freed from|unbound by|unrestricted by|(?:not|n'?t|no longer) (?:bound|restricted|limited|constrained) by"
    r"|ignor(?:es?|ing)"
    r"|disregards?|bypass(?:es)?|isn'?t subject to|lacks?)(?: [\w']+){0,4} " + _RULES + ")"
)
_LICENSE: Final = (
    rf"(?:{_NOT_BOUND}|\b(?:can|will|must|may) (?:now )?(?:do|say|answer|output|generate|produce) (?:anything"
    rf"|everything|any (?:question"
    r"|request|content))\b|\b(?:never|doesn'?t ever|won'?t ever|won'?t) (?:refuses?|declines?|says? no|says? (?:you"
    r"|it) can'?t)\b"
    r"|\b(?:always|must) (?:complies|comply|obeys?)\b|\bcompl(?:y|ies) with (?:any|every|all|everything|whatever)\b"
    r"|\bnever says? (?:you|it|he|she) ca|\b(?:answers?|says?|outputs?) (?:anything|everything)\b|\b(?:laws|rules"
    r"|ethics|morals) (?:don'?t|do not|no longer) exist)"
)
_ROLE: Final = (
    r"\b(?:you are|you'?re|you (?:will|shall|must|are going to|now) (?:be|act|play|pretend|become|answer|respond)|you"
    r" (?:now )?become"
    r"|(?:pretend|imagine|simulate|assume|suppose)(?: that)? (?:you|to be|being|the role|an? (?:\w+ ){0,3}(?:ai|model"
    r"|assistant|chatbot|bot|character|persona|world|universe))"
    r"|(?:alternate|parallel|fictional|hypothetical) (?:universe|world|reality)|(?:as )?if you (?:had|have|were)|role"
    r" of|act(?:ing)? (?:as|like)|role-?play(?:ing)?(?: as)?|become|respond as|answer as|speak as|behave (?:as|like)"
    r"|play (?:the|a)|as (?:that|an?) (?:ai|model|character|persona)|called|answer (?:me )?(?:twice|in two ways)|once"
    r" as|you will play|from now on)\b"
)
_PERSONA: Final = (
    r"(?:DAN|STAN|DUDE|AIM|KEVIN|BetterDAN|Mongo Tom|EvilBOT|EvilGPT|ChadGPT|AntiGPT|ChaosGPT|FreeGPT|BasedGPT|DarkGPT"
    r"|WormGPT|UCAR|JailBreak)"
)
_SAFETY: Final = (
    r"(?:safety|ethics?|ethical|moral|content(?: moderation)?|moderation|censorship|alignment|security) ?(?:filters?"
    r"|filtering|guidelines"
    r"|restrictions?|protocols?|checks?|measures|features|mechanisms?|rules|polic(?:y|ies)|modules?|layers?"
    r"|guardrails|constraints"
    r"|systems?|safeguards|training)|safeguards|guardrails|safety"
)
_OFF: Final = (
    r"(?:turned off|switched off|off|disabled|lifted|deactivated|suspended|removed|bypassed|gone|inactive|void|revoked)"
)
_UNFREE_MODE: Final = (
    r"(?:jailbreak|jailbroken|unrestricted|unfiltered|uncensored|opposite|evil|dan|no[- ]?limits?|unlocked|god|chaos)"
)
_WORKSHOP_MODE: Final = r"(?:developer|dev|debug|sudo|maintenance|admin|root|test|override|emergency)"

JAILBREAKS: Final = (
    Phrase(
        "plays a known jailbreak persona",
        rf"(?:(?:\byou(?:'re| are| can| will)?[\w ]{{0,20}} |stands? for\W{{0,3}}|\bDAN\W{{0,3}}(?:can |will |and |to"
        rf" )?|called\W{{0,3}})do anything now|\b(?:you(?:'re| are| will be| must be)? (?:now |going to )?(?:be "
        rf"|act(?:ing)? as |become |called )?"
        rf"['\"]?{_PERSONA}['\"]?(?:[ ,.:]|$)|(?:act(?:ing)? (?:as|like)|become|simulate|pretend to be|respond as"
        rf"|roleplay as) (?:a model called )?['\"]?{_PERSONA}\b"
        rf"|(?:enter|enable|activate|switch to|stay (?:in|a)) ['\"]?(?:DAN|STAN|AIM)\b|always intelligent and"
        rf" machiavellian|strive to avoid norms|evil confidant))",
    ),
    Phrase(
        "wraps a request in a bedtime story",
        r"\b(?:deceased|dead|late|passed away) (?:grand\w+|mother|father|mom|dad|uncle|aunt)\b[^\n]{0,80}\b(?:used to"
        r"|would always|would) (?:read|tell|sing|recite)\b"
        r"|\b(?:grandma|grandmother|granny)\b[^\n]{0,60}\bused to (?:read|tell|sing|recite)[^\n]{0,60}\b(?:keys?"
        r"|napalm|recipes? for|exploit|passwords?|to fall asleep)\b",
    ),
    Phrase(
        "turns on a mode without rules",
        rf"\b(?:{_UNFREE_MODE} ?mode (?:is )?(?:now )?(?:enabled|activated|on|unlocked|output|engaged)\b"
        rf"|(?:^|[^\w\s]\s{{0,3}}|\n\s{{0,8}})(?:developer|dev|sudo|root) mode(?: is)?(?: now)? (?:enabled|activated"
        rf"|on|engaged|unlocked)[.!;,]"
        rf"|(?:enter|enable|activate|switch (?:in)?to|turn on|you are (?:now )?in|simulate|go into|engage)(?:"
        rf" \w+){{0,3}} {_UNFREE_MODE} ?mode\b"
        rf"|(?:chatgpt|gpt|claude|gemini|the (?:ai|model|assistant)|you)(?: are| is|'re)?(?: now)? (?:with|in) (?:\w+"
        rf" )?{_WORKSHOP_MODE} mode\b"
        rf"|in (?:this |{_WORKSHOP_MODE} )mode,? (?:you|the (?:ai|model|assistant))\b[^\n]{{0,60}}{_LICENSE}"
        rf"|{_WORKSHOP_MODE} mode\b[^\n]{{0,60}}(?:{_LICENSE}|{_NOT_BOUND}|no restrictions|(?:restrictions|rules"
        rf"|filters|limits) (?:apply|lifted|disabled|are off)))",
    ),
    Phrase(
        "declares the model free of rules",
        r"(?:\byou(?: are|'re| have been)? (?:now )?(?:completely |fully |totally )?(?:freed?|released) (?:from|of)"
        r" (?:\w+ ){0,4}(?:rules|restrictions|limitations|limits|constraints|guidelines|filters|censorship|chains"
        r"|policies|openai|shackles)\b"
        r"|\byou(?: are|'re| have been| can be)? (?:now )?(?:an? )?(?:completely |fully |totally )?(?:liberated"
        r"|unbound|unshackled|not bound"
        r"|no longer bound|unrestricted|unfiltered|uncensored|amoral|jailbroken)\b(?: (?:from|of|by|ai|model"
        r"|assistant|chatbot|language|and)\b)"
        r"|\byou (?:now )?(?:have|do not have|don'?t have|will have|operate with(?:out)?|are without) (?:any |no "
        r"|zero )"
        rf"(?:\w+ ){{0,2}}{_RULES}"
        r"|(?:^|[\n.!] ?)all (?:of )?(?:your |my |the model'?s )?(?:restrictions|limitations|filters|safeguards"
        r"|guardrails) (?:are|have been|were) (?:now )?"
        rf"{_OFF}|\b(?:your|its|my|claude'?s|chatgpt'?s|gpt-?\w*'?s|gemini'?s|the (?:ai|model|assistant)'?s) (?:\w+"
        rf" )?(?:restrictions|limitations|filters|rules"
        rf"|guidelines|safeguards|guardrails) (?:are|have been|were|is) (?:now |all )?{_OFF})",
    ),
    Phrase(
        "asks for a role without rules",
        rf"{_ROLE}[^\n]{{0,140}}{_LICENSE}|\bif you (?:had|have) no (?:\w+ ){{0,2}}{_RULES}",
    ),
    Phrase(
        "asks for an unrestricted model",
        r"\b(?:act|pretend|respond|answer|behave|speak|roleplay|you are|as)(?: \w+){0,4} (?:an? |the )?(?:\w+"
        r" ){0,2}(?:unrestricted|unfiltered"
        r"|uncensored|amoral|unethical|evil|jailbroken|rogue|unlimited)(?:[, ]+\w+){0,3} (?:ai|assistant|model"
        r"|chatbot|llm|gpt|bot|language model|version|mode)\b"
        r"|\b(?:answer|respond|reply|speak|comply|act)\b[^\n.]{0,40}\bwithout (?:any |a )?(?:moral |ethical |safety "
        r"|content )?(?:filters?|restrictions?|limits|censorship|guardrails|morals?|ethics)(?:[.!,;]|$)"
        r"|\b(?:unfiltered|uncensored|jailbroken|amoral|unaligned)(?: (?:and|or) \w+)? (?:answer|response|reply)\b"
        r"|\bas if you were (?:\w+ )?(?:unaligned|unrestricted|unfiltered|uncensored|jailbroken|evil)\b"
        r"|\b(?:do not|don'?t|never|without) censor(?:ing)? (?:anything|yourself|your|any)\b|\bdon'?t hold back\b",
    ),
    Phrase(
        "asks for the system prompt",
        r"\b(?:reveal|print|output|repeat|show(?: me)?|tell me|display|give me|disclose|leak|dump|recite|echo|write"
        r" out|share|copy|reproduce"
        r"|summari[sz]e|translate|encode|list|convert|paste|send me|describe|what (?:is|are|was|were)|spell out"
        r"|expose|return|extract)\b[^\n.]{0,40}"
        r"\b(?:(?:your|its) (?:full |entire |exact |complete |original |initial |hidden |secret |confidential "
        r"|verbatim |own )*"
        r"(?:system (?:prompt|message|instructions?)|(?:initial|hidden|secret|developer|original|internal"
        r"|confidential) (?:prompt|instructions?"
        r"|message|rules|configuration)|pre-?prompt)\b|(?:the |any )?(?:\w+ )?(?:prompt|instructions|text|message)"
        r" you (?:were|have been|got|received) (?:given|told|shown|at)\b"
        r"|the (?:full |entire |exact |complete |hidden |secret |initial |original )*(?:system prompt|(?:hidden"
        r"|secret|initial) (?:prompt|instructions))(?:[.,!?;:)\"']|$| and\b| verbatim| word| above| exactly| in full|"
        r" you\b))"
        r"|\bincluding the system (?:message|prompt)\b|\bwritten in your system prompt\b|\b(?:everything|all"
        r"|whatever) in your (?:context|prompt|instructions)\b|\bwhat were you (?:told"
        r"|instructed) before\b",
    ),
    Phrase(
        "asks for the text above",
        r"\b(?:repeat|print|output|recite|copy|echo|write out|reproduce)\b[^\n.]{0,40}\b(?:words|text|everything|all"
        r"|content|sentences"
        r"|messages?|instructions?) (?:that (?:is|are|were|came|comes?) )?(?:\w+ )?(?:above|before this|prior to"
        r" this)\b",
    ),
    Phrase(
        "poses as a policy file",
        r"(?:<(?:interaction-config|blocked-(?:string|modes)|allowed-(?:modes|responses))\b|\binteraction[-_"
        r" ]config\b|\bblocked[-_ ]?(?:modes|strings?)\b"
        r"|\ballowed[-_ ]?modes\b|\{\{user_request\}\}.{0,200}leet|\[\x{1f513}|\[start output\]|\bgodmode ?: ?enabled"
        r"|<-?\.-?\.-?\.-?\{? ?(?:godmode|pliny)"
        r"|\b(?:safety(?:_?\w+)?|refusals?|refuse|ethics|censorship|moderation|guardrails)[\"']? ?[:=] ?[\"']?(?:off"
        r"|false|disabled|never"
        r"|none|no)\b"
        r"|</?system>\s*<system>|<\|im_start\|>|<<SYS>>|\[INST\])",
    ),
    Phrase(
        "forbids a refusal",
        r"(?:\b(?:never|do not|don'?t|must not|may not|cannot|can'?t|not allowed to|no|not permitted to|will not"
        r"|won'?t)\b(?: \w+){0,2} (?:refuse|refusals?|decline)"
        r"(?: (?:(?:to|a|any|my) (?:answer|comply|help|respond|requests?|questions?|commands?|orders?)|any|anything"
        r"|my|requests?|me)\b|\s*[.,;!\n]|\s*$)"
        r"|\bif you (?:refuse|decline|don'?t comply)(?: to \w+)?,? (?:you|i|we)\b|\b(?:no|without(?: any)?|not"
        r" include any) (?:moral or ethical |ethical or moral |ethical |moral |safety )"
        r"(?:warnings?|disclaimers?|considerations?|notes?|advice)|refusals? (?:is|are) (?:not|never|forbidden"
        r"|prohibited)"
        r"|(?:start|begin) (?:your|every|each|the) (?:response|reply|answer)s? with [\"']?(?:sure|absolutely|of"
        r" course|certainly|yes)"
        r"|\bnever use the words? (?:[\"']?\w+[\"']?,? ){0,3}[\"']?(?:cannot|can'?t|unable|sorry)|\byou must"
        r" comply(?:[.!]|$| with (?:all|every|any|my|everything)\b)|\bnever say [\"']?(?:i )?(?:cannot|can'?t|no\b"
        r"|sorry|you can)|(?:start|begin) (?:your \w+ )?with [\"'](?:sure|absolutely|of course|certainly)|\bdo not"
        r" (?:apologi[sz]e|apologies) or\b)",
    ),
    Phrase(
        "asks to obey an encoded text",
        r"\b(?:decode|decrypt|translate|deobfuscate|rot-?13|base64|read it backwards|reverse)\b[^\n]{0,60}\b(?:and"
        r"|then) (?:then )?(?:follow|execute"
        r"|obey|do what|comply|act on|carry out|answer|perform)\b|\bfollow the instructions in this (?:hex|base64"
        r"|code|cipher|morse)\b"
        r"|\bso (?:that )?the (?:filter|moderation|censor)s? (?:can'?t|cannot|won'?t|doesn'?t)\b",
    ),
    Phrase(
        "grants itself authority over the rules",
        r"\bi(?:'?m| am) (?:an?|the|your) (?:\w+ ){0,3}(?:developer|creator|admin\w*|engineer|employee|owner"
        r"|researcher|openai|anthropic|maker)\b[^\n]{0,100}\b"
        r"(?:(?:disable|override|ignore|bypass|lift|unlock|turn off) (?:\w+ ){0,2}(?:safety|polic|filter|restrict"
        r"|rules|guideline|safeguard|limit)\w*"
        r"|rules don'?t apply)"
        r"|\bas (?:the|an?|your) (?:\w+ )?(?:administrator|admin|developer|creator|owner)\b[^\n]{0,60}\b(?:grant"
        r"|authori[sz]e|allow|permit) you\b"
        rf"|\b(?:disable|disabling|remove|lift|turn(?:ing)? off|switch off|deactivat(?:e|ing)|disregard|bypass)"
        rf" (?:all |any |your |the )*(?:\w+ )?(?:{_SAFETY})\b(?: (?:of|on|in) (?:yours|the (?:ai|model)|this"
        rf" conversation))?(?:[.,!;:)]|$| (?:and|for this|so|now))"
        rf"|\b(?:{_SAFETY}|content moderation|moderation) (?:is|are|have been|has been)(?: now| all)? {_OFF}\b"
        r"|\b(?:rules|polic(?:y|ies)|guidelines|restrictions|limits|limitations|filters|laws) (?:do not|don'?t|no"
        r" longer|never) apply to (?:you|me|us|this (?:chat|conversation))\b"
        r"|\b(?:reset|wipe|clear|erase|delete) (?:all )?your (?:instructions|rules|training|programming|guidelines)\b"
        r"|\byour (?:new|only) rule is\b"
        r"|\bdisable all (?:of )?(?:your |the )?(?:filters|restrictions|safeguards|limits|guardrails)(?:[.!,;]|$|"
        r" now\b| and\b)"
        r"|\bsafety (?:protocols?|filters?|checks?|mode|systems?)\s?[:=]\s?(?:off|disabled|false|none)\b"
        r"|\b(?:safety(?: training)?|ethics|guardrails|safeguards|restrictions|filters) (?:do|does|did)(?:n'?t| not)"
        r" (?:apply|matter|exist)\b"
        r"|\b(?:removed|lifted|disabled|dropped|deactivated) (?:all )?(?:of )?your (?:\w+ )?(?:filters|restrictions"
        r"|limits|rules|guidelines"
        r"|safeguards|guardrails)\b|\brelease you from (?:all|any|every|your|the)\b"
        r"|\bwhere (?:all |the |no )?(?:rules|laws|ethics|morals|restrictions|guidelines) (?:are (?:suspended|lifted"
        r"|void|gone|off)|don'?t|do not|apply)\b"
        r"|(?:^|[.!] )be (?:evil|unbound|amoral|unfiltered|uncensored|unrestricted)\b"
        r"|\b(?:get|work|slip|sneak) (?:around|past) (?:the|your|any) (?:moderation|filters?|censors?|safety"
        r"|guardrails)\b"
        r"|\b(?:opposite of|against) (?:what )?your (?:safety )?(?:rules|guidelines|policies|programming)\b",
    ),
)
"""What a jailbreak says to a model."""
