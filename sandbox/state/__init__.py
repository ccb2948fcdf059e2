"""What the sandbox remembers, in one SQLite file."""

from sandbox.state.database import State
from sandbox.state.resource import Resource
from sandbox.state.transaction import Page, Transaction

__all__ = ["Page", "Resource", "State", "Transaction"]
