"""Where an order goes and who pays for it: one shape for both."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """A person and a place. Every field is a text, empty where there is nothing to say.

    `country` is an ISO 3166-1 code of two capitals, `region` is written as the country writes it on an envelope (a
    state's code, such as `CA`, or its name), `phone` is in E.164 (`+41446681800`) unless no numbering plan knows it.
    """

    full_name: str
    line1: str
    line2: str
    city: str
    region: str
    postal_code: str
    country: str
    phone: str = ""


# The address of what is not shipped.
NOWHERE = Address("", "", "", "", "", "", "")
