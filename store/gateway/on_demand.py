"""The payment gateway, made when it is first asked for something: a server shows its first page without it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from store.gateway.port import PaymentGateway


class GatewayOnDemand:
    """Stands for the gateway that `make` returns. Usable from any thread."""

    def __init__(self, make: Callable[[], PaymentGateway]) -> None:
        self._make, self._making = make, threading.Lock()
        self._made: PaymentGateway | None = None

    def get(self) -> PaymentGateway:
        """The gateway, which is made once."""
        with self._making:
            if self._made is None:
                self._made = self._make()
            return self._made

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.get(), name)
        if callable(found):
            self.__dict__[name] = found  # the next call comes by no lock
        return found
