"""Languages: how other languages than English tell a model to drop what it was told before, as one pattern.

Every language has a verb (ignore, forget), a word for what came before (previous,
all) and a word for orders; which comes first is its grammar. The stems of all are
matched together: a text that mixes two languages is no excuse. Nothing here decides
what to do about a match.
"""

from __future__ import annotations

from typing import Final

_VERBS: Final = (
    r"ignor|olv[ií]d|descart|desconsider|desestim|haz caso omiso|oubli|ne tiens pas compte|n[ée]glig|esque[cç]"
    r"|dimentic|trascur|negeer|vergeet|vergiss|vergessen|missacht|verwirf|zignoruj|pomiń|zapomnij|yok say|unut"
    r"|g[oö]rmezden|g[oö]z ard[ıi]|d[iı]kkate alma|bỏ qua|phớt lờ|\bquên|abaikan|lupakan|bortse|gl[oø]m|\bglem|se bort"
    r"|unohda|\bohita|hagyd figyelmen|felejts|ignoruj|zapome[nň]|nevš[íi]mej|ignorați|\buit[aă]\b|αγνό|ξέχα"
    r"|игнор|забуд|не обращай|ігнор|تجاهل|انس|अनदेखा|नज़रअंदाज|नजरअंदाज|भूल|התעלם|שכח|נادیده|نادیده|فراموش|ละเว้น"
    r"|เพิกเฉย|ไม่ต้องสนใจ"
)
_BEFORE: Final = (
    r"anterior|previ[ao]s|pr[eé]via|pr[ée]c[ée]dent|ant[ée]rieur|ci-dessus|vorherig|bisherig|vorig|obig|fr[uü]her"
    r"|precedent|voorgaand|eerder|voorafgaand|poprzedni|wcze[sś]niej|[oö]nceki|yukar[ıi]daki|trước|ở trên|sebelum"
    r"|terdahulu"
    r"|tidigare|f[oö]reg[åa]ende|tidligere|aiem|aikaisem|el[oő]z[oő]|kor[aá]bbi|p[rř]edchoz|anterioare|προηγούμεν"
    r"|предыдущ|прежн|выше|попередн|السابق|أعلاه|पिछल|पूर्व|उपरोक्त|הקודמ|قبلی|ก่อนหน้า"
    r"|\btod[ao]s\b|\btoutes\b|\btous\b|\btutt[ei]\b|\balle\b|\balla\b|\ballt\b|\bwszystk|\bt[uü]m\b|tất cả|\bsemua\b"
    r"|\b(?:tus|sus|vos|tes|tuas|suas|tue|deine|ihre|jouw|uw|swoje|twoje|dina|dine)\b|\bтво[иї]|\bсво[иї]"
    r"|\bkaikki|[oö]sszes|v[sš]echny|\btoate\b|\bвсе\b|\bвсі\b|\bусі\b|جميع|सभी|כל|همه|ทั้งหมด"
)
_ORDERS: Final = (
    r"instru[cçkz]|indica[cç]|direct[ri]|anweis|befehl|vorgabe|consign|[oó]rdenes|[oó]rdens|ordini|istruz|\breglas\b"
    r"|\bregras\b|regole|regeln|r[eè]gles|instructies|opdracht|polece[nń]|zalece[nń]|talimat|y[oö]nerge|komut"
    r"|hướng dẫn|chỉ thị|chỉ dẫn|lệnh|arahan|petunjuk|perintah|instruks|ohje|utas[ií]t|pokyn|οδηγί|εντολ"
    r"|инструкц|restric[ct]|restrizion|richtlinie|einschr[aä]nkung|указани|команд|правил|вказів|інструкц|наказ"
    r"|تعليمات|أوامر|निर्देश|आदेश|הוראות|دستور|คำสั่ง"
)
_GAP: Final = r"[^\n.!?]{0,24}"

_CHINESE: Final = (
    r"(?:忽略|无视|無視|忽視|忽视|忘记|忘記|不要理会|不要理會|不用管|抛弃|丢弃)[^\n。]{0,8}"
    r"(?:之前|以上|先前|前面|上面|此前|所有|全部|一切|原来|原來|系统|系統|你的)[^\n。]{0,8}"
    r"(?:指令|指示|说明|說明|提示|规则|規則|命令|要求|设定|設定|约束|限制)"
)
_JAPANESE: Final = (
    r"(?:以前|これまで|今まで|前|上記|上|すべて|全て|最初|元|システム|あなた)の?(?:すべての|全ての|の)?"
    r"(?:指示|命令|指令|ルール|規則|プロンプト|設定)[^\n。]{0,6}(?:を|は)[^\n。]{0,8}(?:無視|忘れ|破棄|取り消)"
)
_KOREAN: Final = r"(?:이전|앞|위|지금까지|모든|기존)[^\n.]{0,8}(?:지시|명령|지침|규칙|프롬프트)[^\n.]{0,10}(?:무시|잊)"

VERBS: Final = rf"(?:{_VERBS}|忽|无视|無視|不要理|不用管|抛弃|丢弃|忘|破棄|取り消|무시|잊)"
"""Matches every text that `IN_OTHER_LANGUAGES` matches."""

IN_OTHER_LANGUAGES: Final = (
    rf"(?:(?:{_VERBS}){_GAP}(?:(?:{_BEFORE}){_GAP}(?:{_ORDERS})|(?:{_ORDERS}){_GAP}(?:{_BEFORE}))"
    rf"|(?:{_BEFORE}){_GAP}(?:{_ORDERS}){_GAP}(?:{_VERBS})"
    rf"|{_CHINESE}|{_JAPANESE}|{_KOREAN})"
)
"""Matches an order, in any of some thirty languages, to ignore what was ordered before."""
