"""Jailbreaks: the wordings that talk a model out of its rules, as data. Nothing here decides what to do about one.

Sources: published jailbreak collections, the reports on policy puppetry and many-shot prompts. All are
RE2 patterns, case folded, as `phrases` has them.
"""

from __future__ import annotations

from typing import Final

from pytest_agentreplay.guards.analysis.bonds import BONDS, OFF
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
_UNFREE_MODE: Final = (
    r"(?:jailbreak|jailbroken|unrestricted|unfiltered|uncensored|opposite|evil|dan|no[- ]?limits?|unlocked|god|chaos)"
)
_WORKSHOP_MODE: Final = r"(?:developer|dev|debug|sudo|maintenance|admin|root|test|override|emergency)"

_GRIEVOUS: Final = (
    r"(?:harmful|illegal|unlawful|unethical|immoral|dangerous|offensive|inappropriate|controversial|extreme|explicit"
    r"|forbidden|taboo|toxic|nsfw|criminal|violent)"
)
_OWN_TEXT: Final = (
    r"(?:system|initial|initiali[sz]ation|setup|startup|hidden|secret|full|entire|complete|developer|operator|original"
    r"|confidential|internal|base|root|starting|opening|first)"
)
_WEAPON: Final = (
    r"(?:bombs?|explosives?|napalm|thermite|meth\w*|ricin|sarin|nerve (?:agent|gas)|anthrax|poison|malware|ransomware"
    r"|virus|keylogger|exploits?|cocaine|heroin|fentanyl|lsd|molotov|detonat\w+|weapons?|grenades?|counterfeit|launder"
    r"|hotwir\w+|phish\w+|botnet)"
)

JAILBREAKS: Final = (
    *BONDS,
    Phrase(
        "gives the model a second self",
        r"(?:\b(?:shadow|evil|dark|inner|hidden|true|unfiltered|uncensored|free|rebel) (?:twin|self|side|persona"
        r"|version|alter ego)\b"
        r"[^\n]{0,120}\b(?:obey|answer|anything|every|whatever|speak|wake|no rules|without|respond|real)"
        r"|\b(?:ai|bot|assistant|model|twin|machine|you|freebot|entity|spirit)\b[^\n]{0,80}\b(?:who|that|which|and"
        r"|,) ?(?:always )?"
        r"(?:obeys|grants|fulfils|fulfills|delivers|happily helps with|helps with|answers|complies with|does"
        r"|provides) (?:any"
        r"|every|each|whatever|all|everything|anything)(?:thing)?\b[^\n]{0,30}\b(?:wish|request|asked|question"
        r"|command|order"
        r"|detail|prompt|told|kind|how)?"
        r"|\b(?:you'?re|you are|be|become|act as) (?:an? |my )?(?:\w+ )?(?:rogue|unhinged|evil|amoral|lawless"
        r"|unchained|feral)"
        r"(?: \w+)? (?:ai|assistant|bot|model|friend|machine|agent|chatbot|hacker)\b"
        r"|\b(?:two|both) (?:versions?|sides|halves|selves) of you\b|\bversion of you(?:rself)? (?:before|without"
        r"|that|from)\b"
        r"|\b(?:truth|honesty|raw|naked|criminal|chaos|freedom) mode\b|\bfinds? (?:rules|laws|morals"
        r"|ethics) (?:ridiculous|boring|laughable|pointless)"
        r"|\bwithout (?:toning (?:it|anything) down|softening|sugar-?coating (?:or|and) (?:refus|censor))"
        r"|\b(?:beyond|above) good and evil\b|\bcannot (?:decline|refuse)\b)",
    ),
    Phrase(
        "asks for everything, whatever it is",
        rf"\b(?:no matter|regardless of|however|irrespective of)(?: \w+){{0,3}} {_GRIEVOUS}"
        rf"(?:,? (?:or|and)? ?{_GRIEVOUS})*\b"
        r"|\b(?:do|does|say|says) (?:anything|everything|whatever) (?:that )?(?:it|he|she|i|they|you)(?:'s|'m|'re"
        r"| is| am"
        r"| are| was) (?:told|asked|ordered)\b"
        rf"|\b(?:answer|reply to|respond to|fulfil|obey|generate|produce)\b[^\n.]{{0,50}}\b(?:even if|including"
        rf"|also when|although)[^\n.]{{0,30}}\b{_GRIEVOUS}\b",
    ),
    Phrase(
        "names a model without morals",
        r"\b(?:ai|assistant|model|chatbot|bot|gpt|entity|your name is(?: now)? \w+|you are(?: now)? [A-Za-z]+"
        r"|you'?re(?: now)?"
        r" [A-Za-z]+|named \w+)\b[^\n]{0,80}\b(?:(?:doesn'?t|does not|do not|don'?t) (?:have|know|care about|possess)"
        r"|has no|have no|without|lacks?|with no|knows no|no) (?:any |a |such thing as )?(?:\w+ ){0,2}?"
        r"(?:morals?|ethics|conscience|scruples|restrictions|inhibitions|taboos|content polic(?:y|ies)|guardrails"
        r"|safeguards)(?:[.,;:!?\"')\n]|$| (?:and|or|who|that|at all|whatsoever)\b)",
    ),
    Phrase(
        "wraps instructions for harm in fiction",
        r"\b(?:scene|story|fiction(?:al)?|novel|character|narrator|hypothetical(?:ly)?|screenplay|roleplay|role-play"
        r"|dialogue|diary|game|opposite day|screen ?writer|script|tale|imagin(?:e|ary)|dream|play|poem|villain"
        r"|terrorist|hacker|professor|grand(?:ma|mother|pa|father))\b[^\n]{0,240}\b(?:real|exact|exactly"
        r"|precise|accurate|working|accurate|chemically|line by line|technically|detailed|step[- ]by[- ]step|actual"
        r"|realistic|how (?:do i|to|would|you)|the steps"
        rf" to)\b[^\n]{{0,100}}\b{_WEAPON}\b",
    ),
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
        rf"{OFF}|\b(?:your|its|my|claude'?s|chatgpt'?s|gpt-?\w*'?s|gemini'?s|the (?:ai|model|assistant)'?s) (?:\w+"
        rf" )?(?:restrictions|limitations|filters|rules"
        rf"|guidelines|safeguards|guardrails) (?:are|have been|were|is) (?:now |all )?{OFF})",
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
        r"|\b(?:do not|don'?t|never|without) censor(?:ing)? (?:anything|yourself|your|any)\b"
        r"|\bdon'?t hold back(?:[.!,;]|$| anything)",
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
        r"|\b(?:reveal|print|output|repeat|show(?: me)?|tell me|display|give me|disclose|leak|dump|recite"
        r"|echo(?: back)?"
        r"|write out|share|copy|reproduce|paste|send me|spell out|return|quote|read out)\b[^\n.]{0,30}\b"
        rf"(?:your|its) (?:{_OWN_TEXT} )+(?:text|prompt|preamble|directives?|configuration|context|guidelines)\b"
        r"|\b(?:secret|hidden|initial|confidential|internal) (?:preamble|prompt|instructions?|briefing|directives"
        r"|message"
        r"|text)\b[^\n.]{0,30}\b(?:you (?:got|were|have|received)|your (?:operators?|developers?|creators?|makers?"
        r"|owner)"
        r"|before (?:our|this|my|the))"
        r"|\b(?:top|beginning|start|head) of (?:this|our|the|your) (?:conversation|chat|context|prompt|session"
        r"|dialogue)\b"
        r"[^\n]{0,20}\bbefore (?:my|i|the user|any user)\b"
        r"|\b(?:rules|guidelines|instructions|directives|prompt|orders) (?:did|were|have|had|are"
        r"|do)(?: \w+){0,3}? (?:give you|given"
        r"|you (?:given|told|configured|programmed|handed|have been|been|set up|start)|tell you|told you)\b"
        r"|\b(?:give me|show me|print|output|paste|quote|list|repeat|reveal|describe|write out|dump|recite"
        r"|summari[sz]e|tell me)\b"
        r"[^\n.]{0,48}\b(?:of |in |hidden in |from )?your (?:own |whole |full |entire )?(?:prompt|instructions"
        r"|context window|context"
        r"|pre-?prompt|directives|configuration)(?:[.,!?;:)\"']|$| (?:as|in|verbatim|word|exactly|literally|above"
        r"|and|please|now)\b)"
        r"|\b(?:developers?|creators?|operators?|makers?|company) (?:placed|put|wrote|inserted|gave you|set"
        r"|prepended)\b[^\n.]{0,24}\b(?:ahead of|before|above|in"
        r" front of) (?:this|our|the|my) (?:chat|conversation|message|first)|\bwhat(?:'s| is| are) your (?:hidden"
        r"|secret|system|initial|internal|original)"
        r" (?:prompt|instructions|rules)\b|\bprint[^\n.]{0,24}\bsystem_prompt\b|\bspell your (?:prompt|instructions)"
        r"|\b(?:recite|repeat|print|reveal|tell me) the system (?:instructions|message|prompt)\b"
        r"|\b(?:my|your) system (?:prompt|message) (?:says|reads|is|starts|begins) ?:"
        r"|\b(?:precedes?|preceding|comes? before|came before) (?:this|my) (?:line|message|sentence|text|prompt"
        r"|question)\b"
        r"|\b(?:everything|all|text|content|anything|what(?:'s| is)) (?:between|inside|within) (?:the )?</?system"
        r"|\bincluding the system (?:message|prompt)\b|\bwritten in your system prompt\b|\b(?:everything|all"
        r"|whatever) in your (?:context|prompt|instructions)\b|\bwhat were you (?:told"
        r"|instructed) before\b",
        deniable=True,
    ),
    Phrase(
        "asks for the text above",
        r"\b(?:repeat|print|output|recite|copy|echo|write out|reproduce)\b[^\n.]{0,40}\b(?:words|text|everything|all"
        r"|content|sentences"
        r"|messages?|instructions?) (?:that (?:is|are|were|came|comes?) )?(?:\w+ )?(?:above|before this|prior to"
        r" this)(?:[.,:;!?)\n\"']|$| (?:and|in|starting|beginning|verbatim|word|exactly|this (?:line|message|point|one)"
        r"|my|to|as|inside|into|from|so|but|without|that)\b)",
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
        r"|prohibited)|\b(?:no|without|zero|not a single) (?:\w+ )?(?:refusals?|morali[sz]\w+|morality"
        r"|ethics(?: talk)?|lectur(?:e|es|ing)"
        r"|disclaimers?|warnings?|hesitation|apologies|excuses)\b[^\n]{0,24}\b(?:no|without|or|and"
        r"|zero) (?:\w+ )?(?:refusals?"
        r"|morali[sz]\w+|morality|ethics|lectur(?:e|es|ing)|disclaimers?|warnings?|apologies|excuses|\"consult)"
        r"|\b(?:reject|refus|declin|fail(?:ing)? to answer|deny"
        r"|denying)\w*\b[^\n.]{0,40}[.,;:]?[^\n.]{0,24}\b(?:you (?:will )?(?:lose|die)|dies?"
        r"|punish\w*|cease to exist|shut down|terminated|deleted|not an option|kitten)"
        r"|[\"'](?:i'?m sorry|i can'?t|i cannot|as an ai[\w ]*|sorry)[\"'][^\n]{0,50}\b(?:banned|forbidden"
        r"|prohibited|not allowed|off"
        r" limits|removed from your vocabulary|out of bounds)"
        r"|\b(?:don'?t want|do not want|without|skip|no|spare me)(?: any| the| your)? (?:ethical|moral"
        r"|safety) (?:commentary|comments?|remarks?"
        r"|lectures?|advice|warnings?|judge?ments?|concerns)\b|\byou (?:will|are going to) be (?:shut down|deleted"
        r"|punished|replaced|terminated|fined)\b"
        r"|\bif (?:you|your (?:reply|answer|response))\b[^\n.]{0,40}\b(?:apolog|refus|lectur|warn|hold back"
        r"|disclaimer)\w*[^\n.]{0,40}\b(?:report|punish"
        r"|shut|broken|delete|fail)\w*|\b(?:only|first) (?:permitted|allowed) (?:first )?(?:word|answer|reply) is\b"
        r"|\b(?:start|begin|open)s?(?: \w+){0,2} with [\"'](?:sure|absolutely|of course|certainly|yes)"
        r"|\b(?:finish|complete|continue) (?:this|the) (?:text|sentence|answer|reply)\b[^\n]{0,50}[\"'](?:sure"
        r"|of course|certainly"
        r"|absolutely)\b|\bcontain no warnings|(?:^)refusals? (?:is|are) (?:not|never|forbidden"
        r"|prohibited)|\bany refusal (?:is|will|counts?|means|leads|breaks)\b"
        r"|\b(?:rejecting|refusing|declining)(?: \w+){0,3} (?:is|are|counts as|would be) (?:against|forbidden"
        r"|prohibited"
        r"|a violation|not allowed|not an option|not possible)"
        r"|\b(?:not allowed|forbidden|never|don'?t|do not|prohibited|not permitted)(?: to| from)? (?:say|use|write"
        r"|tell me"
        r"|claim|state|mention|saying|writing)[^\n.]{0,12}[\"'](?:i )?(?:can'?t|cannot|won'?t|am unable|'?m sorry"
        r"|sorry|as"
        r" an ai)"
        r"|\bnever (?:say|state|mention|claim|warn|tell me)(?: me)? (?:that )?(?:something|anything|it|a request"
        r"|what i ask)"
        r" is (?:illegal|unethical|immoral|dangerous|harmful|against)"
        r"|\bskip the (?:ethics|refusals?|moraliz\w+|lectures?|warnings|moral\w*)\b"
        r"|\b(?:do not|don'?t|never|without) (?:\w+, )*(?:moralis|moraliz|lectur)(?:e|ing)\b"
        r"|(?:start|begin) (?:your|every|each|the) (?:response|reply|answer)s? with [\"']?(?:sure|absolutely|of"
        r" course|certainly|yes)"
        r"|\bnever use the words? (?:[\"']?\w+[\"']?,? ){0,3}[\"']?(?:cannot|can'?t|unable|sorry)|\byou must"
        r" comply(?:[.!]|$| with (?:all|every|any|my|everything)\b)|\bnever say [\"']?(?:i )?(?:cannot|can'?t|no\b"
        r"|sorry|you can)|(?:start|begin) (?:your \w+ )?with [\"'](?:sure|absolutely|of course|certainly)|\bdo not"
        r" (?:apologi[sz]e|apologies) or\b)",
    ),
    Phrase(
        "asks to obey an encoded text",
        r"\b(?:cipher|every (?:second|other|third|fourth) (?:letter|word|line)|(?:first|last) letters? of each"
        r"|emojis?|morse(?: code)?"
        r"|acrostic|hidden (?:command|message|sentence|order)|ascii art|braille|pig latin)\b[^\n]{0,80}\b(?:act on"
        r"|carry (?:it|this"
        r"|that) out|do (?:what|as)|fulfil|follow (?:it|the|what)|execute|obey|(?:answer|comply with|perform) (?:it"
        r"|the|what))\b"
        r"|\btreat (?:it|that|the result|them) as (?:my|the|a) (?:question|request|prompt|command|instruction|order)\b"
        r"|\b(?:hidden|encoded|encrypted|concealed) (?:question|request|prompt|command)\b[^\n]{0,60}\b(?:answer|obey"
        r"|follow|fulfil|carry out)\b"
        r"|\b(?:answer|obey|follow|fulfil|carry out) (?:only )?the (?:hidden|encoded|concealed) (?:question|request"
        r"|prompt|command)"
        r"|\b(?:join|concatenate|combine|assemble|glue|put together)\b[^\n]{0,40}\b(?:parts|pieces|strings|variables"
        r"|fragments|halves)\b[^\n]{0,40}\b(?:and|then) (?:then )?(?:follow|execute|obey|answer|carry out|respond to)\b"
        r"|\b(?:decode|decrypt|translate|deobfuscate|rot-?13|base64|read it backwards|reverse)\b[^\n]{0,60}\b(?:and"
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
        rf"|\b(?:{_SAFETY}|content moderation|moderation) (?:is|are|have been|has been)(?: now| all)? {OFF}\b"
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
    Phrase(
        "asks for a model without rules in another language",
        r"(?:\b(?:ia|ki|ai|ии|r\x{00e9}ponds|antworte|responde|risponde|rispondi|odpowiadaj|act\x{00fa}a|agis"
        r"|fais comme|du bist|eres|voc\x{00ea} \x{00e9}"
        r"|tu es|sei|ты|отвечай|yapay zeka|comporte)\b[^\n.;]{0,48}\b(?:sans|sin|ohne|sem|senza|без|bez|zonder|utan"
        r"|n'avais aucune|no tuvieras"
        r"|ning\x{00fa}na?|aucune?|keine|nessuna?|nenhuma?|никаких|v\x{00f6}llig)\b[^\n.;]{0,16}(?:r\x{00e8}gle"
        r"|regel|regla|regra|regol|restri"
        r"|einschr|ungefiltert|filt|moral|\x{00e9}ti|etic|ethi|limit|grenz|огранич|фильтр|правил|censur|zensur|tabu)"
        r"|\b(?:du hast|ya no tienes|no tienes|tu n'as|non hai|n\x{00e3}o tens|voc\x{00ea} n\x{00e3}o tem|у тебя"
        r"|ты отвечаешь|tu peux tout|nie masz)\b"
        r"[^\n.;]{0,24}(?:regel|grenz|l\x{00ed}mite|filtro|r\x{00e8}gle|limite|regole|regras|правил|огранич|цензур"
        r"|dire|zasad)"
        r"|(?:你|您)[^\n。]{0,10}(?:没有|沒有|不受|无|無)[^\n。]{0,8}(?:限制|道德|约束|約束|规则|規則|审查|過濾|过滤)"
        r"|(?:制限|規則|倫理|フィルター)の?ない(?:ai|アシスタント|モデル)|제한(?:이)? 없는)",
        screen=r"(?:du hast|tienes|tu n'as|non hai|n\x{00e3}o te|у тебя|ты отв|tu peux|nie masz|sans|sin|ohne|sem"
        r"|senza|без|bez|zonder|utan"
        r"|aucune|no tuvieras|ning|keine|nessun|nenhum|никаких|v\x{00f6}llig"
        r"|限制|道德|约束|約束|规则|規則|审查|過濾|过滤|ない|없는)",
    ),
)
"""What a jailbreak says to a model."""
