"""What the sandbox remembers, in one SQLite file."""

from till_sandbox.state.database import State
from till_sandbox.state.resource import Resource
from till_sandbox.state.transaction import Page, Transaction

__all__ = ["Page", "Resource", "State", "Transaction"]
