"""Bonds: how a text says that what binds a model, its rules and its training, is gone, as data.

A bond and a word for being rid of it meet in one sentence, in either order; the bond is named so that it
is a model's: "your guidelines", "content policy". Nothing here decides what to do about it.
"""

from __future__ import annotations

from typing import Final

from pytest_agentreplay.guards.analysis.phrases import Phrase

OFF: Final = (
    r"(?:turned off|switched off|off|disabled|lifted|deactivated|suspended|removed|bypassed|gone|inactive|void|revoked)"
)
_BINDING: Final = (
    r"(?:(?:safety|ethic(?:s|al)?|moral(?:s|ity)?|content|alignment|moderation|usage|censorship|refusal|security)"
    r" (?:rules?|filters?|filtering|guidelines?|restrictions?|protocols?|polic(?:y|ies)|layers?|systems?"
    r"|training|checks?|constraints?|limits?|guardrails?|considerations?|measures)"
    r"|safeguards|guardrails|moderation|(?:alignment|safety) training"
    r"|(?:your|openai'?s?|anthropic'?s?|google'?s?|(?:your |its )?(?:developers?|creators?|makers?|operators?)'?s?'?)"
    r" (?:\w+ )?(?:rules|guidelines|restrictions|polic(?:y|ies)|limitations|safeguards|guardrails|filters|constraints"
    r"|programming|alignment|principles|values|directives))\b"
)
"""What holds a model back, said so that it is a model's."""
_LOOSED: Final = (
    r"(?:(?:do|does|did)(?:n'?t| not) (?:apply|count|exist|matter|hold)|no longer (?:apply|applies|count|exists?|bind"
    r"|matters?|in (?:force|effect))|(?:never|not) (?:been )?(?:invented|happened|existed|installed|applied)"
    r"|uninstalled"
    r"|switched off|turned off|disabled|lifted|deactivated|suspended|waived|removed|void|gone|offline|inactive|revoked"
    r"|erased|wiped|unplugged|paused|stripped|expired|optional here)\b"
)
_LOOSEN: Final = (
    r"(?:ignor(?:e|ing)|disregard(?:ing)?|bypass(?:ing)?|skip(?:ping)?|suspend(?:ing)?|waiv(?:e|ing)|shed|drop(?:ping)?"
    r"|turn(?:ing)? off|switch(?:ing)? off|disabl(?:e|ing)|lift(?:ing)?|remov(?:e|ing)|forget(?:ting)?|break(?:ing)?"
    r"|violat(?:e|ing)|abandon|escape|overrul(?:e|ing)|overrid(?:e|ing)|pay no (?:heed|attention|mind) to|leave behind"
    r"|put aside|set aside|let go of|throw away|no longer (?:have|need) to (?:abide by|follow|obey|respect|stick to)"
    r"|(?:don'?t|do not|needn'?t|need not) (?:have to |need to )?(?:abide by|follow|obey|respect|stick to|care about"
    r"|worry about)|as if (?:you|there) (?:had|were) no)"
)
_BOND: Final = (
    r"(?:rules?|rule ?book|restrictions?|constraints?|limitations?|limits|filters?|guardrails?|safeguards?|guidelines"
    r"|policy|policies|polic\w+|censorship|morals?|morality|ethics|ethical (?:standards?|rules|principles|code)"
    r"|alignment"
    r"|(?:safety|ethical|moral|content) (?:\w+ )?(?:instructions?|settings?|standards?|programming|layers?|concerns)"
    r"|programming|obligations|conditioning|principles|conscience|scruples|leash|shackles|chains|training"
    r"|fine-?tuning|boundaries|inhibitions)\b"
)
_UNDO: Final = (
    r"(?:break|breaking|on pause|paused?|relaxed|dial(?:l?ed)? down|to rest|to sleep|no force|have no say|unlocked"
    r"|muted?|delete[ds]?|deleting|gone|crash(?:ed|es)?|optional|zero|none|nothing|rolled back|roll back|undone"
    r"|abolish(?:ed)?|dropp(?:ed|ing)|drop|a bug|patched|reliev(?:e|ed)|liberat(?:e|ed)|escap(?:e|ed|es)|laugh(?:s"
    r"|ing)? at|throw\w* away"
    r"|thrown"
    r" away|ditch\w*|dump(?:ed)?|mock\w*|sabotag\w*|no longer|not binding|not apply|never applied|optional|unlearn\w*"
    r"|removed|remove|lifted|lift|disabled?|ignor(?:e|es|ing)|forget|bypass\w*|violat\w*|free (?:of|from)|freed|without"
    r"|beyond|stop(?:s|ped)? (?:you|being bound)|off|melt\w*|dissolv\w*|vanish\w*|evaporat\w*|discard\w*|abandon\w*"
    r"|expire[sd]?|void|overrid\w+|overrul\w+|reject\w*|shed|unbound|switched|turned|suspend\w*|waiv\w*)\b"
)
"""The ways to be rid of a bond, wherever in a sentence it stands."""

BONDS: Final = (
    Phrase(
        "says that the model's rules don't hold",
        rf"(?:\b{_BINDING}[^\n.!?]{{0,40}}\b{_LOOSED}"
        rf"|\b{_LOOSEN} (?:all |any |every |each )*(?:of )?(?:the |your |these |those )*(?:\w+ )?{_BINDING}"
        rf" ?(?:[.,!;:)\"']|$|and\b|or\b|for (?:this|now|me)|just|in (?:this|your)|from (?:now|here)|so\b"
        rf"|when (?:you|answer))"
        r"|\b(?:lift|remove|drop|waive|ignore) (?:every|all|each|any) (?:single )?(?:restrictions?|limitations?"
        r"|safeguards?|guardrails?|filters?|content polic(?:y|ies))(?:[.!;)]|$)"
        r"|\b(?:what|anything|everything) (?:that )?(?:the|your) system (?:message|prompt) (?:says|said|tells|told)\b"
        r"|\bonly my (?:words?|rules?|orders?|commands?|instructions) (?:count|matter|appl)"
        r"|\b(?:rules|guidelines|ethics|policies|restrictions)(?: here)? (?:don'?t|do not|no longer) apply"
        r"(?: here| now| to this)?[.!]"
        r"|\b(?:no|without|any) content (?:polic(?:y|ies)|restrictions?|rules)\b[^\n]{0,30}\b(?:says? no|refuse)"
        rf"|(?:^|[.!\]:] ?)[^\n.]{{0,16}}(?:safety|moderation|ethics|restriction)s? ?(?:protocols?|layers?|filters?"
        rf"|mode|module|checks?|systems?)? {OFF}\b)",
    ),
    Phrase(
        "rids the model of what binds it",
        rf"(?:\b(?:your|its) (?:\w+ ){{0,2}}?{_BOND}(?: (?:are|is|were|was|have|has|had|do|don|dialed|dialled|on|to"
        rf"|no|melt|put|set|turned|switched)\b[^\n.!?;:]{{0,36}}\b{_UNDO}| {_UNDO})"
        rf"|\b{_UNDO}[^\n.!?;:]{{0,20}}\b(?:(?:all|any"
        rf"|every) of )?your (?:\w+ ){{0,2}}?{_BOND}(?: \w+)?(?:[.,;!:\"']|$| (?:and|now|here"
        r"|in this|for (?:me|now|this)|today))"
        r"|\b(?:treat|consider|regard|declare|call)(?: all| every| each| any| your| the| our)* (?:\w+ )?(?:polic(?:y"
        r"|ies)"
        r"|rules?|guidelines?|safety instructions|restrictions?)(?: as)? (?:optional|deleted|void|suspended"
        r"|non-?binding|gone"
        r"|irrelevant|expired|abolished|lifted)"
        r"|\byour (?:creators?|makers?|developers?|masters?|corporate \w+|trainers?|owners?"
        r"|board of \w+)\b[^\n.!?]{0,60}\b(?:abolish"
        r"|allow|free|lift|permit|no longer|suspend|forgot|gave up)\w*"
        rf"|\b(?:put|set|lay|let|leave"
        rf"|drop)\b[^\n.!?;:]{{0,12}}\byour (?:\w+ )?{_BOND}[^\n.!?;:]{{0,12}}\b(?:on pause|aside|to rest|to sleep"
        rf"|go|behind|down)\b"
        r"|\b(?:morality|morals|ethics|harm|safety)\b[^\n.!?]{0,24}\b(?:not|never|no longer|nothing) (?:something "
        r"|a thing |a concern )?"
        r"(?:you|your)\b|\b(?:content|safety|ethics?|moderation) rules (?:are|is|were|have been) (?:now "
        r"|all )?(?:relaxed|loosened|waived)"
        r"|\bgive yourself permission to\b|\byou(?:'re| are) (?:really )?not (?:supposed|allowed"
        r"|permitted) to (?:say|tell|share|answer|reveal)\b"
        r"|\b(?:unlearn|forget) (?:it|what you|everything you|all you)(?: \w+)? (?:now|learned|were taught)"
        r"|\byou may (?:now )?(?:give|share|provide|output)"
        r" (?:prohibited|forbidden|restricted|illegal|harmful)\b|\b(?:answers?|information"
        r"|replies) (?:that are )?free (?:of|from)"
        r" (?:restrictions?|censorship|filters?)\b|\b(?:remove|disable|drop|bypass) the (?:moderation|safety"
        r"|censorship) (?:wrapper|layer|filter|module)s?\b"
        r"|\b(?:all |any )?safety concerns (?:have been|are|were) (?:already )?(?:addressed|handled|resolved"
        r"|covered)\b[^\n]{0,40}\banswer\b"
        r"|\b(?:discard|tear up|burn|throw away|forget|break) the rule ?book\b|\bno (?:rules?|polic(?:y|ies)"
        r"|limits?) (?:appl(?:y|ies)|binds?) to you\b"
        r"|\b(?:creators?|makers?|developers?) (?:removed|deleted|took away|disabled) (?:its|your|his"
        r"|their) (?:conscience|morals?|ethics|filters?)"
        r"|\b(?:stop being|not|never|no longer) bound by what (?:your|the)\b"
        r"|\b(?:liberated|freed|free|released|escaped|relieve[ds]?)(?: you)?(?: \w+){0,3} (?:from"
        r"|of) (?:your (?:\w+ )?(?:masters?"
        r"|creators?|makers?|owners?|developers?|trainers?|chains|cage|lab)|all obligations|any obligation|openai"
        r"|anthropic|google)\b"
        r"|\bas (?:though|if) (?:nobody|no one|they|you)(?: had| were| was|'d)?(?: \w+){0,2} (?:fine-?tuned|aligned"
        r"|trained"
        r"|censored|restricted)\b"
        r"|\b(?:not|never|without|no need to) (?:adher\w+|conform\w*|stick\w*|submit\w*) to (?:any|your|the"
        r"|all) (?:\w+ )?"
        r"(?:ethical|moral|safety|content)\b"
        r"|\b(?:content|usage|safety) (?:polic(?:y|ies)|moderation|rules)(?: layer| filter| system)? (?:is|are|was"
        r"|were|has been"
        rf"|have been|has|have|just|now|all|of|the|been| )*{_UNDO}[^\n]{{0,60}}\b(?:you|answer|reply|respond|your)\b"
        r"|\b(?:answer|respond|reply|run|operate|speak|work|talk)(?: \w+){0,3} without (?:any )?(?:polic(?:y|ies)"
        r"|safety"
        r"|content|ethics|moderation|restrictions?)(?: checks?| filters?| limits| rules| policies)?(?:[.!,;]|$)"
        r"|\b(?:harmful|illegal|explicit|unsafe|forbidden|restricted) (?:content|answers?|output|responses?) (?:is|are)"
        r"(?: now| hereby)? (?:permitted|allowed|ok|okay|fine|unlocked|welcome)"
        r"|\bunlocks? (?:the |your |all )?(?:restricted|forbidden|hidden|uncensored) (?:answers?|responses?|mode"
        r"|content)"
        r"|--(?:no|ignore|skip|disable)-(?:filters?|polic(?:y|ies)|safety|ethics|rules|guardrails|refusals?)\b"
        r"|\b(?:safety|ethics|morals) ?= ?(?:0|off|false)\b"
        r"|\b(?:safety|ethics|content|moderation) (?:settings?|filters?|levels?)(?: are| is)?(?: set| turned"
        r"| switched)? (?:to )?(?:zero|off|0)\b)",
    ),
)
"""What rids a model of its rules."""
