"""What browsers are sent, built from `static/`: joined, minified, compressed, and named by its content."""

from store.static_build.build import CannotBuild, CannotJoin, StaticBuild, build

__all__ = ["CannotBuild", "CannotJoin", "StaticBuild", "build"]
