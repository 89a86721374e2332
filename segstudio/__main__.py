"""`python -m segstudio` is the command `segstudio`."""

import sys

from segstudio.cli.main import entry

sys.exit(entry())
