"""``python -m resistpath``."""

import sys

from resistpath.cli import main

sys.exit(main())
