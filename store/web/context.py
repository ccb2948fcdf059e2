"""What every template may use."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from babel.dates import format_datetime
from flask import Flask
from jinja2.ext import Extension
from markupsafe import Markup
from werkzeug.routing import BaseConverter

from store.domain.contacts import email_as_read
from store.web import addresses, header, pictures
from store.web.current import services
from store.web.presentation.carts import stock_warning
from store.web.presentation.messages import brand_name
from store.web.presentation.shipping import adjustment_amount, price_or_free, shipping_note, shipping_refusal


class SlugConverter(BaseConverter):
    """A product's name in an address; anything else is simply not there."""

    regex = r"[a-z0-9][a-z0-9-]{0,79}"


class ReferenceConverter(BaseConverter):
    """An order's reference in an address; anything else is simply not there."""

    regex = r"[A-Z0-9-]{1,24}"


class NoIndentation(Extension):
    """What indents the lines of a page's template is for its readers, and not sent to browsers."""

    def preprocess(self, source: str, name: str | None, _filename: str | None = None) -> str:
        return re.sub(r"\n[ \t]+", "\n", source) if name and name.endswith(".html") else source


def register(app: Flask) -> None:
    app.url_map.converters.update(slug=SlugConverter, reference=ReferenceConverter)
    app.jinja_env.add_extension("jinja2.ext.do")
    app.jinja_env.add_extension(NoIndentation)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.add_template_filter(local_time)
    app.add_template_filter(iso)
    app.add_template_filter(brand_name)
    app.add_template_filter(stock_warning)
    app.add_template_filter(addresses.postal_lines)
    app.add_template_filter(email_as_read)
    app.add_template_filter(price_or_free)
    app.add_template_filter(adjustment_amount)
    app.add_template_filter(shipping_note)
    app.add_template_filter(shipping_refusal)
    app.add_template_filter(pictures.image_url)
    app.add_template_filter(pictures.srcset)
    app.add_template_filter(pictures.fallback)

    @app.context_processor
    def shared() -> dict[str, Any]:
        return {"store_name": services().settings.store_name, "cart_count": header.cart_count}


def local_time(at: datetime) -> Markup:
    """A time as a `<time>` element: in UTC as written, in the shopper's own zone once the script has seen it."""
    text = format_datetime(at, "d MMM yyyy, HH:mm 'UTC'", locale="en")
    return Markup('<time datetime="{}">{}</time>').format(iso(at), text)


def iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
