"""`--line PRODUCT[=PIECES]`: which pieces of an order a command is about."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import click

from models import Order, OrderLine

LINE = "--line"
METAVAR = "PRODUCT[=PIECES]"


def pieces_of(order: Order, typed: Sequence[str], left: Callable[[OrderLine], int]) -> dict[int, int]:
    """How many pieces, by the id of their product; without a number, all that are `left` of it. Raises click's
    BadParameter for a product that the order does not have, and for what is no number.
    """
    lines, found = {line.slug: line for line in order.lines}, dict[int, int]()
    for each in typed:
        slug, equals, number = each.partition("=")
        line = lines.get(slug)
        if line is None:
            raise click.BadParameter(f"the order has no “{slug}”, only {', '.join(lines)}.", param_hint=LINE)
        if equals and not re.fullmatch(r"[1-9][0-9]{0,3}", number, re.ASCII):
            raise click.BadParameter(f"“{number}” is no number of pieces.", param_hint=LINE)
        found[line.product_id] = found.get(line.product_id, 0) + (int(number) if equals else left(line))
    return found
