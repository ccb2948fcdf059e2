"""What a developer tries the store with: test cards and their page, a drawer of them on the payment page, and e-mail
that stays on this machine. Nothing of it is served with live keys.
"""

from __future__ import annotations

from flask import Flask

from config import Settings
from store.testmode import dev_mail, test_card_page
from store.web import static_files


def register(app: Flask, settings: Settings) -> None:
    """Add it in test mode; with live keys, do not even serve the static files that it is made of.

    Templates show a part of it where `test_mode` is true: a banner, the drawer. With live keys there is no such name.
    """
    if settings.live:
        return
    static_files.serve(app, "test_mode")
    app.register_blueprint(test_card_page.blueprint)
    app.jinja_env.globals.update(test_mode=True, uses_sandbox=settings.uses_sandbox)
    if not settings.mail_server:
        app.register_blueprint(dev_mail.blueprint)
