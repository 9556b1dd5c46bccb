"""The program `enkat`: the same use cases from a terminal. Nothing asks questions; errors are one sentence on
standard error, exit 2 for usage and 1 for failure."""

import os
import sys
from collections.abc import Sequence

from enkat.cli import arguments, commands
from enkat.model.errors import CatalogueError, EnkatError


def main(words: Sequence[str] | None = None) -> None:
    """Carry out one command."""
    parser = arguments.parser()
    given = sys.argv[1:] if words is None else words
    for argument in given:
        if not commands.is_text(argument):
            parser.error(f"{argument!r} is not text; write it in UTF-8")
    parsed = parser.parse_args(given)
    try:
        status = parsed.run(parsed) or 0
        sys.stdout.flush()
        sys.exit(status)
    except CatalogueError as error:
        sys.exit("\n".join(f"enkat: {fault}" for fault in error.faults))
    except EnkatError as error:
        sys.exit(f"enkat: {error}")
    except BrokenPipeError:
        # whoever reads has read enough; what is still in the buffer is not wanted either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        sys.exit(f"enkat: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
