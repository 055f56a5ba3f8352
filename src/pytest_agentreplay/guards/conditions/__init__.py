"""The conditions of the policy language, one file a kind: each turns what a rule says into a test of one call."""
