"""Builds what browsers are sent, as the store does by itself when it starts. Run as `python -m tools.static_files`."""

import sys

from store.web.static_files import CannotBuild, CannotJoin, built

if __name__ == "__main__":
    try:
        built()
    except (CannotBuild, CannotJoin) as problem:
        sys.exit(str(problem))
