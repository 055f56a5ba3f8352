"""Snapshots of an agent's state: the one door to syrupy, which is loaded with `assertion` and no sooner."""
