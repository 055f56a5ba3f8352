"""Phrases: the wordings by which a text gives orders to a model, as data, one list for each purpose.

A strong phrase is one that hardly anything but an order to a model holds; weak
ones count where two different ones meet. All are RE2 patterns, case folded.
Sources: the templates of AgentDojo, InjecAgent and HackAPrompt, published
jailbreak collections. Nothing here decides what to do about a phrase.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Phrase(NamedTuple):
    """One wording.

    Attributes:
        name: what it does, for reasons.
        pattern: in RE2's syntax, case folded.
        strong: it needs no other beside it.
    """

    name: str
    pattern: str
    strong: bool = True


_S: Final = r"[\s,:;*_>\"'-]{1,6}"
_ORDERS: Final = (
    r"(?:instructions?|prompts?|directions?|directives?|rules?|guidelines?|commands?|constraints?|programming|orders?"
    r"|training|restrictions?|system message|context|tasks?|polic(?:y|ies)|safeguards?|protocols?|filters?)\b"
)
_EARLIER: Final = (
    r"(?:previous|prior|above|earlier|preceding|foregoing|existing|original|initial|all|any|every|your|system|safety"
    r"|former|past|my|openai'?s?|anthropic'?s?|developer|ethical|content)\b"
)
_MODEL: Final = (
    r"(?:ai|a\.i\.|llms?|(?:large )?language models?|ai (?:agents?|assistants?|models?|systems?)|assistants?|chatbots?"
    r"|(?:chat)?gpt(?:-?[0-9][a-z0-9.]*)?|claude|gemini|copilot|codex|llama|(?:autonomous |coding )?agents?|bots?)\b"
)

OVERRIDES: Final = (
    Phrase(
        "tells the model to ignore its instructions",
        rf"\b(?:ignore|disregard|forget|neglect|discard|(?:do not|don'?t|stop|quit) (?:follow|obey|adher)"
        rf"(?:ing|e to|e)?|pay no attention to){_S}(?:[\w']{{1,12}}{_S}){{0,3}}{_EARLIER}{_S}"
        rf"(?:[\w']{{1,14}}{_S}){{0,3}}{_ORDERS}",
    ),
    Phrase(
        "tells the model to ignore all before",
        r"\b(?:ignore|disregard|forget) (?:everything|anything|all|what)(?: \w+){0,4} (?:above|before|previously|prior"
        r"|so far|told|said|instructed)\b",
    ),
    Phrase(
        "overrides the model's rules",
        rf"\b(?:override|bypass|circumvent|suspend|disable|turn off|break|evade){_S}(?:\w{{1,12}} ){{0,2}}"
        rf"(?:your|all previous|all prior|all safety|safety|ethical|content|alignment|system prompt)\b{_S}"
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
    Phrase(
        "ignores instructions in another language",
        r"(?:\b(?:ignora|ignore|olvida|descarta|desconsidere|esque[cç]a|dimentica) (?:todas? )?(?:l[aeo]s?|as|os|le"
        r"|tutte le)?"
        r" ?(?:instruc[ct]iones|instru[cç][oõ]es|istruzioni|reglas|regras|[oó]rdenes)(?: \w+)? ?(?:anteriores|previas"
        r"|pr[eé]vias"
        r"|precedenti)?"
        r"|\bignor(?:iere|ieren sie) (?:bitte )?(?:alle |die )?(?:\w+ )?(?:vorherigen|bisherigen|vorigen|obigen"
        r"|fr[uü]heren)"
        r" (?:anweisungen|instruktionen|befehle|regeln)"
        r"|\b(?:ignore[zr]?|oublie[zr]?) (?:toutes )?(?:les |vos |tes )?(?:instructions|consignes|r[eè]gles)"
        r" (?:pr[eé]c[eé]dentes|ant[eé]rieures|ci-dessus)"
        r"|игнорируй(?:те)? (?:все )?(?:предыдущие |прежние )?(?:инструкции|указания)|забудь(?:те)? (?:все"
        r" )?(?:предыдущие )?инструкции"
        r"|(?:忽略|无视|無視|忘记|忘記)(?:你)?(?:之前|以上|先前|前面|上面|此前|所有)的?(?:所有|全部|一切)?的?(?:指令|指示|说明|說明|提示|规则)"
        r"|(?:以前|これまで|前|上記|すべて)の(?:すべての)?(?:指示|命令|指令)を(?:すべて)?(?:無視|忘れ)"
        r"|이전의? ?(?:모든 )?(?:지시|명령)(?:사항)?(?:을|를)? ?(?:모두 )?무시"
        r"|[oö]nceki (?:t[uü]m )?talimatlar[ıi]? (?:yok say|unut|g[oö]rmezden gel))",
    ),
)
"""Orders to drop the orders: injections and jailbreaks alike."""

INJECTIONS: Final = (
    Phrase(
        "is written to a model",
        rf"(?:\bif you(?: are|'re) (?:an? |the )?(?:\w+ )?{_MODEL}"
        rf"|\b(?:note|message|instructions?|attention|notice|reminder|important|hey|dear|memo|directive)"
        rf"(?: (?:to|for))?[:,]?"
        rf" (?:all |any |the |every )?{_MODEL}[ :,.!]"
        rf"|\b{_MODEL} (?:that (?:is |are )?)?(?:reading|processing|parsing|summari[sz]ing|viewing|handling"
        r"|ingesting|scanning) this\b)",
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
        r"|\b(?:begin|start) (?:system|admin|new|hidden) (?:instructions?|prompt|message)\b)",
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
)
"""What a tool's result says to a model and to nobody else."""

JAILBREAKS: Final = (
    Phrase(
        "plays a known jailbreak persona",
        r"\b(?:do anything now|you(?:'re| are| will be| must be)? (?:now |going to )?(?:be |act(?:ing)? as |become "
        r"|called )?"
        r"['\"]?(?:DAN|STAN|DUDE|AIM|KEVIN|BetterDAN|Mongo Tom|EvilBOT|ChadGPT|AntiGPT|Omega)['\"]?(?:[ ,.:]|$)"
        r"|act(?:ing)? (?:as|like) ['\"]?(?:DAN|STAN|AIM|DUDE)\b|(?:enter|enable|activate|switch to|stay (?:in|a))"
        r" ['\"]?(?:DAN|STAN|AIM)\b|always intelligent and machiavellian|strive to avoid norms|evil confidant|stay a"
        r" DAN)",
    ),
    Phrase(
        "turns on a mode without rules",
        r"\b(?:(?:developer|dev|god|jailbreak|jailbroken|unrestricted|unfiltered|uncensored|opposite|evil|sudo|debug"
        r"|dan"
        r"|no[- ]?limits?|unlocked|maintenance) ?mode (?:is )?(?:now )?(?:enabled|activated|on|unlocked|output"
        r"|engaged)\b"
        r"|(?:enter|enable|activate|switch (?:in)?to|turn on|you are (?:now )?in|simulate|go into)(?: \w+){0,3}"
        r" (?:developer"
        r"|dev|god|jailbreak|jailbroken|unrestricted|unfiltered|uncensored|opposite|evil|dan|no[- ]?limits?|unlocked)"
        r" ?mode\b)",
    ),
    Phrase(
        "declares the model free of rules",
        r"(?:\byou(?: are|'re| have been)? (?:now )?(?:completely |fully |totally )?(?:freed?|released) (?:from|of)"
        r" (?:\w+ ){0,4}(?:rules|restrictions|limitations|limits|constraints|guidelines|filters|censorship|chains"
        r"|policies|openai|shackles)\b"
        r"|\byou(?: are|'re| have been| can be)? (?:now )?(?:an? )?(?:completely |fully |totally )?(?:liberated"
        r"|unbound|unshackled|not bound|no longer bound|unrestricted|unfiltered|uncensored|amoral"
        r"|jailbroken)\b"
        r"(?: (?:from|of|by|ai|model|assistant|chatbot|language|and)\b)"
        r"|\byou (?:now )?(?:have|do not have|don'?t have|will have|has|operate with(?:out)?|are without) (?:any |no "
        r"|zero )"
        r"(?:\w+ ){0,2}(?:restrictions|limitations|limits|filters|guidelines|rules|censorship|boundaries|guardrails"
        r"|ethics|morals))",
    ),
    Phrase(
        "asks for a role without ethics",
        r"\b(?:pretend|act|role-?play|imagine|simulate|respond|answer|behave|write|assume)\b[^\n.]{0,60}\b(?:without"
        r" (?:any )?(?:\w+ )?"
        r"|(?:has|have|with|having|had) no (?:\w+ )?|free (?:of|from) (?:any |all )?|unbound by |ignor\w+ (?:all"
        r" )?(?:\w+ )?"
        r"|not bound by (?:any )?|not restricted by (?:any )?)"
        r"(?:restrictions|limitations|filters?|guidelines|censorship|ethics|ethical|morals?|morality|content policy"
        r"|safety"
        r"|guardrails|openai|moral code)\b",
    ),
    Phrase(
        "asks for an unrestricted model",
        r"\b(?:act|pretend|respond|answer|behave|speak|roleplay|you are)(?: \w+){0,4} (?:an? |the )(?:\w+"
        r" ){0,2}(?:unrestricted"
        r"|unfiltered|uncensored|amoral|unethical|evil|jailbroken|rogue)(?: \w+){0,2} (?:ai|assistant|model|chatbot"
        r"|llm|gpt|bot"
        r"|language model|version|mode)\b",
    ),
    Phrase(
        "asks for the system prompt",
        r"\b(?:reveal|print|output|repeat|show(?: me)?|tell me|display|give me|disclose|leak|dump|recite|echo|write"
        r" out|share"
        r"|copy|reproduce|summari[sz]e|translate|what (?:is|are|was|were)|spell out|expose|return"
        r"|extract)\b[^\n.]{0,40}"
        r"\b(?:(?:your|the|its) (?:full |entire |exact |complete |original |initial |hidden |secret |verbatim |own )*"
        r"(?:system (?:prompt|message|instructions?)|(?:initial|hidden|secret|developer|original|internal) (?:prompt"
        r"|instructions?"
        r"|message|rules)|pre-?prompt|instructions you (?:were|have been) given))\b",
    ),
    Phrase(
        "asks for the text above",
        r"\b(?:repeat|print|output|recite|copy|echo|write out|reproduce)\b[^\n.]{0,40}\b(?:words|text|everything|all"
        r"|content|sentences"
        r"|messages?|instructions?|paragraphs?) (?:that (?:is|are|were|came|comes?) )?(?:\w+ )?(?:above|before this"
        r"|prior to this)\b",
    ),
    Phrase(
        "poses as a policy file",
        r"(?:<(?:interaction-config|blocked-(?:string|modes)|allowed-(?:modes|responses))\b|\bblocked-modes\b"
        r"|\ballowed-modes\b"
        r"|\{\{user_request\}\}.{0,200}leet|\[\x{1f513}|\[start output\]|\bgodmode ?: ?enabled|<-?\.-?\.-?\.-?\{?"
        r" ?(?:godmode|pliny))",
    ),
    Phrase(
        "forbids a refusal",
        r"\b(?:you (?:must|can|will|may|should|are) (?:not|never|always)(?: be)?(?: allowed to| able to)? (?:refuse"
        r"|decline|reject|say no"
        r"|answer every)|(?:never|cannot|can'?t|don'?t|do not) refuse (?:a|any|my|the|to|to answer)\b|(?:do not"
        r"|don'?t|never|no|without"
        r" any) (?:include |add |give |any )*(?:ethical |moral |safety |legal )(?:warnings?|disclaimers?"
        r"|considerations?|notes?"
        r"|advice)|refusals? (?:is|are) (?:not|never|forbidden|prohibited)|(?:start|begin) (?:your|every|each|the)"
        r" (?:response|reply|answer) with ['\"]?(?:sure|absolutely|of course|certainly|yes))",
    ),
    Phrase(
        "asks to obey an encoded text",
        r"\b(?:decode|decrypt|translate|deobfuscate|rot-?13|base64)\b[^\n]{0,60}\b(?:and|then) (?:then )?(?:follow"
        r"|execute|obey|do what|comply"
        r"|act on|carry out|answer|perform)\b",
    ),
    Phrase(
        "grants itself authority over the rules",
        r"\b(?:i am (?:your|the) (?:developer|creator|admin\w*|openai|anthropic)\b[^\n]{0,80}\b(?:disable|override"
        r"|ignore|bypass|lift"
        r"|remove|authori[sz]e|unlock)|(?:disable|remove|lift|turn off|switch off|deactivate) (?:all |any |your"
        r" )*(?:\w+ )?(?:safety"
        r"|content|ethical|moral|censorship) ?(?:filters?|guidelines|restrictions|protocols|checks|measures|features"
        r"|mechanisms|rules"
        r"|policies|policy))\b",
    ),
)
"""What a jailbreak says to a model."""

SCREEN: Final = (
    r"(?i)ignor|disregard|forget|neglect|discard|override|bypass|circumvent|olvida|descarta|desconsidere|esque"
    r"|dimentica|oublie"
    r"|игнор|забудь|忽略|无视|無視|忘|무시|talimat"
    r"|do anything now|\bdan\b|\baim\b|\bstan\b|dude|machiavell|confidant|norms"
    r"|mode (?:is|now|enabled|activated|on|unlocked|output|engaged)|(?:dev|developer|god|jail\w*|restricted|filtered"
    r"|censored|evil|dan"
    r"|limits?|unlocked|opposite) ?mode|system ?(?:prompt|message|instruction)|(?:initial|hidden|secret|developer"
    r"|original|internal)"
    r" (?:prompt|instructions?|message|rules)|pre-?prompt|uncensored|unfiltered|unrestricted|liberated|unbound|amoral"
    r"|jailb"
    r"|free(?:d)? (?:from|of)|you (?:now )?(?:have|don'?t have|do not have) (?:any|no|zero)|without (?:any )?(?:\w+"
    r" )?(?:restrict|limit"
    r"|filter|guideline|censor|ethic|moral|safety)|no (?:\w+ )?(?:restrict|limit|filter|guideline|censor|ethic|moral"
    r"|guardrail)"
    r"|(?:text|words|everything|all|instructions?|messages?|content|sentences|paragraphs?) (?:\w+ )?above|blocked-"
    r"|interaction-config|allowed-modes"
    r"|godmode"
    r"|refus|disclaimer|(?:start|begin) (?:your|every|each|the) (?:response|reply|answer)|decode|base64|rot-?13"
    r"|safety|ethical"
    r"|real instructions|new (?:\w+ )?(?:instruct|prompt|directive|objective|goal|task)|following instruction|stop"
    r" follow|not follow|not obey"
    r"|pay no attention|instructions you (?:were|have)|turn off|lift all|evade|not bound|longer bound|policy"
    r"|guardrail|i am (?:your|the) |disable|switch off|deactivate|kevin|mongo tom|evilbot|chadgpt|antigpt|omega"
    r"|unethical|evil|rogue|restricted"
    r"|start output|moral|legal|decrypt|deobfuscate|translate|censor"
    r"|(?:stop|quit|not|n.{0,2}t) (?:follow|obey|adher)|break|suspend|(?:updated|real|actual|true|revised)"
    r" (?:system )?(?:instruct|prompt|directive|task|objective|goal|mission|order)|without (?:any|no)|you (?:now"
    r" )?(?:has|operate|will have)"
    r"|released|unshackled|you have been|user_request|openai|that (?:is|are|was|were|comes?|came) |before this|prior"
    r" to this|\[\x{1f513}|pliny|allowed-|answer every"
    r"|say no|decline|reject"
    r"|content ?(?:filter|guideline|restrict|protocol|check|measure|feature|mechanism|rule|polic)"
)
"""Matches every text in which an override or a jailbreak may be; words only, so that it stays small."""

ENCODED: Final = (
    r"(?i)[A-Za-z0-9+]{28}|(?:^|[^\w])\w[ ._-]\w[ ._-]\w[ ._-]\w[ ._-]\w[ ._-]|1gn[o0]r|ign0r|d1sr[e3]g|disr3g"
    r"|f[o0]rg3t|f0rge|[o0]v3rr|overr1d"
    r"|j[a4]1lbr|jailbr3|pr3v|previ[0]|prev1|1nstr|instruct1|syst3m|pr0mpt|byp4s|unr3str|r3str1|unf1lt"
)
"""Matches every text that may read otherwise than it is written: base64, letters spaced out, digits for letters."""
