"""Analysis: what the arguments of a call hold, for rules to judge: texts, commands, paths, URLs, secrets, orders.

One file or folder for each sort of fact, imported when a rule first asks for it.
Nothing here is a rule.
"""
