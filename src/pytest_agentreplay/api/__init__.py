"""What the front doors stand on: running, recording, settings and third-party hooks."""
