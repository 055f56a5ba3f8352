"""``python -m pytest_agentreplay``: the command ``agent-replay``."""

import sys

from pytest_agentreplay.cli import main

if __name__ == "__main__":
    sys.exit(main())
