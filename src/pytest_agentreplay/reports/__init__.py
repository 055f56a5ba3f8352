"""Reports: what a session's replays did, as files for people and for programs."""
