"""The guard: decides about one call, before the tool runs, by rules that somebody wrote down.

A policy is read (`loading`, `document`, `policy`), its rules are compiled
(`compile`, `conditions`), and a `Guard` asks them (`evaluator`) about a
`DecisionContext` that knows the trace so far (`history`). Built-in rules come in
packs. Nothing here calls a tool or knows what becomes of a verdict.
"""
