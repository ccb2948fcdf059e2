"""Link, which Stripe offers wherever cards are. Nobody pays with it here."""

from typing import ClassVar

from till_sandbox.model.methods.base import MethodType


class LinkType(MethodType):
    """Only shown."""

    name = "link"
    payment_options: ClassVar = {"persistent_token": None}
    setup_options: ClassVar = {"persistent_token": None}


LINK = LinkType()
