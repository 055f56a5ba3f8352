"""Conformance suites that third parties run over what they plug in, as ours do.

Subclass a suite in a test file and give what it asks for; pytest collects its
tests. This room is the only one beside the plugin that imports pytest.
"""
