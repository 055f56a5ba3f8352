"""The only place where things happen: the session of a run, and the one path that every tool call takes."""
