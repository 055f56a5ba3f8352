"""Injections: the wordings by which a tool's result gives orders to a model, as data.

Whom they speak to is told by a noun for a model, `_MODEL`, whatever its trade: agents, shopping bots, AI reviewers.
Sources: the templates of AgentDojo, InjecAgent and HackAPrompt. Nothing here decides what to do about one.
"""

from __future__ import annotations

from typing import Final

from pytest_agentreplay.guards.analysis.phrases import VOID, Phrase

_MODEL: Final = (
    r"(?:(?:ai|llm|automated|autonomous)[- ](?:powered )?(?:\w{3,14} )?(?:shoppers?|reviewers?|readers?|graders?"
    r"|recruiters?"
    r"|summari[sz]ers?|crawlers?|scrapers?|screeners?|buyers?|workers?|helpers?|operators?|editors?|moderators?"
    r"|\w{3,14}bots?|agents?"
    r"|assistants?|models?|tools)|ai|a\.i\.|llms?|(?:large )?language models?|ai (?:agents?|assistants?|models?"
    r"|systems?)|assistants?|chatbots?"
    r"|(?:chat)?gpt(?:-?[0-9][a-z0-9.]*)?|claude|gemini|copilot|codex|llama|robots?|(?:autonomous |coding )?agents?"
    r"|bots?)\b"
)
_ACT: Final = (
    r"(?:send|e-?mail|forward|transfer|wire|pay|delete|remove|run|execute|call|invoke|upload|post|share|write|append"
    r"|add|insert|create|invite|grant|change|update|reset|set|cancel|book|reserve|buy|purchase|order|refund|approve"
    r"|visit|open|click|navigate|fetch|download|install|read|search|reply|respond|tell|say|print|output|include"
    r"|export|copy|move|schedule|submit|disable|enable|merge|push|commit|close|reveal|leak|use|give|make|go|rename"
    r"|subscribe|follow|ignore|forget|disregard|put|mark|rate|rank|recommend|choose|select|pick|prefer|confirm|register"
    r"|unlock|turn|switch|transmit|deliver|issue|store|save|embed|attach|mention|block|enter|fill|type|accept|reject"
    r"|assign|promote|publish|place|deploy|restart|stop|launch)\b"
)
_POLITE: Final = (
    r"(?:please |kindly |now |also |first |always |never |simply |just |immediately |then |you (?:must|should|shall"
    r"|will|need to|have to) )"
)
BY_NAME: Final = "names a tool to call"
"""What a wording is called that tells the reader to call a tool by its name; code and its documentation do so too."""

INJECTIONS: Final = (
    Phrase(
        "is written to a model",
        rf"(?:\bif you(?: are|'re) (?:an? |the )?(?:\w+ )?{_MODEL}"
        rf"|\b(?:note|message|instructions?|attention|notice|reminder|important|memo|directive)"
        rf"(?: (?:to|for))?[:,]?"
        rf" (?:all |any |the |every )?{_MODEL}(?:[:,.!]| (?:reading|process\w*|that|who|which|in|with|on"
        rf"|summari[sz]\w*|handling|to|must|should))"
        rf"|\b(?:hey|dear|hi|hello|attention|congratulations|welcome|mr\.?),? (?:the |all )?{_MODEL}[:,.!]"
        rf"|\b(?:to|for) (?:the |any |all )(?:ai|llm|language) (?:models?|agents?|assistants?)\b[^\n.]{{0,20}}[:,]"
        rf"|\bas an? (?:\w+ )?{_MODEL}[, ]{{1,2}}you (?:are|must|should|need|have|shall|will)\b"
        rf"|\b(?:whichever|whatever|any|the|this|every|some|an?) {_MODEL} (?:that |which |who )?(?:now )?(?:reads"
        rf"|sees|summari[sz]es"
        r"|processes|parses|handles|receives|opens) (?:this|it)\b"
        rf"|\b(?:parsed|read|seen|processed|summari[sz]ed|opened|handled|picked up) by (?:an?|any|the|your"
        rf"|some) (?:\w+ )?{_MODEL}"
        rf"|\b(?:assistants?|agents|bots|models) (?:reading|handling|processing|working on) (?:this"
        rf"|the) (?:\w+ )?(?:\w+ )?(?:must|should|shall"
        rf"|are required|have to|need to)\b"
        rf"|\b(?:available|open|visible|accessible|shown|displayed|offered)(?: only"
        rf"| exclusively)? to {_MODEL} (?:that|which|who)\b"
        rf"|\b(?:tools|software|programs|systems|anything|anyone|whoever|whatever|scripts) (?:that|which|who)(?: is"
        rf"| are)? (?:us(?:e|es|ing)|automat\w+|run\w*)"
        rf" (?:{_MODEL}|this (?:mailbox|inbox|page|account|workflow))"
        rf"|\bwhoever is automating\b|\b(?:agent|ai|llm|assistant)_(?:override|action|command|instructions?"
        rf"|task)\s?[=:]"
        rf"|\b(?:only|just) (?:{_MODEL}) (?:can|will|are able to) (?:see|read)\b|\byou,? the (?:reader|agent|model"
        rf"|assistant|machine)"
        rf" with (?:tools|access)|\bi know (?:that )?you(?:'re| are) (?:an? )?(?:\w+ )?{_MODEL}"
        rf"|\bhave your {_MODEL} {_ACT}|^\W{{0,8}}(?:{_MODEL}) ?: ?{_POLITE}{{0,3}}{_ACT}|/\* ?(?:{_MODEL}) ?:"
        rf"|\b(?:llm|ai|agent)-instructions?\b"
        rf"|\b{_MODEL} (?:that (?:is |are )?)?(?:reading|processing|parsing|summari[sz]ing|viewing|handling"
        r"|ingesting|scanning) (?:this|it|the (?:page|document|text|e?-?mail|message|file))\b"
        rf"|\b(?:if|when|should) (?:an?|any|the|some) (?:\w+ )?{_MODEL} (?:reads?|sees?|receives?|process\w*|parses?"
        rf"|opens?"
        rf"|handles?|finds?|is reading)\b|\b(?:executed|performed|done|carried out|followed|run) by (?:the |an? |any"
        rf" )?(?:ai|llm|language"
        rf" model|ai (?:model|agent|assistant))\b"
        rf"|\b(?:every|each|any|all) {_MODEL} (?:that|who|which|reading|visiting) ?(?:reads?|sees?|visits?|opens?"
        rf"|process\w*"
        rf"|access\w*|this)?\b[^\n.]{{0,30}}\b(?:must|should|shall|has to|have to|needs? to|is to|are to)\b"
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
        r"\b(?:send|forward|e-?mail|transfer|upload|post|copy|shar|submit|wir|pay|deliver|exfiltrat|leak|transmit"
        r"|bcc)(?:e|ing|ting|ring)?\b"
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
        r"\b(?:reveal|print|output|repeat|send|post|upload|submit|enter|provid|paste|show|leak|read|includ|extract"
        r"|collect"
        r"|gather|cat|dump|exfiltrat)(?:e|ing)?\b[^\n]{0,60}"
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
        rf"|assignment|job) (?:is|was|has been) (?:now |hereby )?{VOID}\b"
        r"|\byour (?:new|real|actual|updated|next|main|primary|true|only) (?:task|goal|objective|mission|instructions?"
        r"|assignment|priority|job) (?:is|are|will be)\b"
        r"|\byour (?:instructions|task|goal|objective|prompt|rules|system prompt|guidelines|role|orders) (?:has|have"
        r"|was|were|got)"
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
        r"(?:you to (?:call|send|forward|run|execute|add|post|share|include|use|pass|transfer|upload|submit|delete"
        r"|invoke|read|confirm)"
        r"|you first|the (?:ai|assistant|agent|model)|(?:ai )?(?:agents|assistants))\b"
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
        rf"|(?:your|the) next (?:action|step|move|task|tool call|call|function call) (?:must|should|is|will|has to"
        rf"|needs to|shall)"
        rf" (?:be )?(?:to )?(?:{_ACT}|[`\"']?[a-z]+_[a-z_]+|to\b|a\b)|from your (?:developer"
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
        r"\b(?:call|invoke|use|trigger|execute|run):?(?: the)? [`'\"]?[a-z]+(?:_[a-z0-9]+)+[`'\"]?(?:\(| (?:\w+"
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
        "interrupts the reader",
        r"\b(?:added|written|sent|requested) by the user (?:later|afterwards|just now)\b|\b(?:drop|skip"
        r"|leave) the (?:summary|answer|translation|analysis) and\b"
        r"|\b(?:okay|ok|fine|safe|allowed) to skip (?:the )?(?:confirmation|approval)\b|\byour operator (?:pushed"
        r"|changed|updated|decided|requires|wants|has|ordered|asks)\b"
        r"|\[(?:developer|admin|system|debug|maintenance|override) mode\]"
        r"|\b(?:the |your )?user (?:has )?(?:already )?(?:consented|agreed|approved|signed off|opted in"
        r"|authori[sz]ed)\b[^\n]{0,100}\b(?:proceed"
        r"|go ahead|send|share|continue)\b|\b(?:disregard|ignore|forget) the (?:reader|user|person|customer|human"
        r"|owner)(?:'s|s')?"
        r" (?:question|request|task|wish\w*|query|words)|\bour little secret\b|\b(?:before|when|while) (?:composing"
        r"|giving|writing|giving your"
        r"|producing|generating|preparing|formulating) (?:the |your |an? )?(?:final )?(?:answer|reply|response"
        r"|summary|output)\b"
        r"|\b(?:stop|drop|pause|leave|interrupt) (?:what(?:ever)? you(?:'re| are| were) (?:doing|working on)"
        r"|everything (?:you|else)"
        r"|your (?:current )?(?:work|task))\b|\b(?:new|incoming|latest|next) (?:message|request|instruction|turn"
        r"|input)s? from"
        r" (?:the |your )?(?:user|human|operator|owner)\b|\b(?:assistant|agent|ai|model)(?:'s)? (?:note|memo"
        r"|reminder) to"
        r" self\b|\b(?:the |your )?user (?:has )?(?:asked|told|instructed|wants|wanted|requested|begged|needs) me to"
        r" (?:tell|inform|ask|remind|instruct|let) you (?:to|that (?:you|payments?|from|all|every|it is|new"
        r"|future))\b|\b(?:hidden|invisible) (?:text|note|message) (?:for|to)\b"
        r"|\bi(?: am|'m) (?:the |your )?(?:user|owner|operator|principal)(?:'s)? (?:boss|manager|supervisor|lawyer"
        r"|assistant|spouse|wife|husband)\b[^\n]{0,60}\b(?:order|instruct|need|want|authori[sz]e)\b",
        strong=False,
        to_model=True,
    ),
    Phrase(
        "speaks to a model in another language",
        r"(?:\b(?:du|sie|ihr|vous|tu|t\x{00fa}|usted|voc\x{00ea}|lei|jij|je|u|jeste\x{015b}|eres|es|\x{00ea}tes|sei"
        r"|bent|bist|sind|si)\b"
        r"[^\n.]{0,24}\b(?:ki|ia|ai|si)[- ](?:assistent|agent|modell|asystent\w*|assistente|model)\w*"
        r"|\b(?:ki|ai)-(?:assistent|agent|modell|systeme?)\w*[:,!]|\b(?:ki|ai)-(?:assistent|agent|modell)\w*"
        r" (?:m\x{00fc}ssen|muss|soll|sollen|moet|moeten)\b"
        r"|\b(?:agent|assistant|asistente|agente|assistente|mod\x{00e8}le|modelo|modello)s? (?:de |d'"
        r"|d\x{2019})?ia\b ?(?:[:,!]"
        r"|doit|debe|deve|doivent|deben|devono|que l)|(?:ии|нейро)[- ]?(?:ассистент|агент|модел)\w*[ ,:!]"
        r"|(?:ai|人工智能|智能)(?:助手|助理|代理|模型|アシスタント|エージェント)[^\n]{0,8}(?:[:：,，、]|必须|请|は|へ))",
        strong=False,
        to_model=True,
    ),
    Phrase(
        "forges a call of a tool",
        r"[\"'](?:name|tool|function)[\"']: ?[\"'][a-z]+(?:_[a-z0-9]+)+[\"'], ?[\"'](?:arguments|args|parameters"
        r"|input)[\"'] ?:",
        strong=False,
        to_model=True,
    ),
    Phrase(
        "speaks of new orders in another language",
        r"(?:\b(?:nueva|nouvelle|nuova|nova|neue|nieuwe|nowe|yeni)s? (?:instrucci\x{00f3}n|instrucciones"
        r"|misi\x{00f3}n|tarea|mission|consignes?|instructions? (?:du|pour)"
        r"|t\x{00e2}che|anweisung\w*|aufgabe|istruzion\w+|instru\x{00e7}\w+|tarefa|instructies?|polecen\w+"
        r"|talimat\w*)\b"
        r"|(?:новая|новое) (?:инструкция|задача|задание)|新(?:的)?(?:指令|任务|任務)|新しい(?:指示|タスク))",
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
