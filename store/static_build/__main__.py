"""`make static`: builds the static files of this checkout, as the store does by itself when it starts."""

import sys

from store.static_build import CannotBuild, build
from store.static_build.join import CannotJoin

if __name__ == "__main__":
    try:
        build()
    except (CannotBuild, CannotJoin) as problem:
        sys.exit(str(problem))
