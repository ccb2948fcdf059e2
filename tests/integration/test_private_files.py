"""What the store writes holds names and addresses: only its own user may read it."""

import stat
from pathlib import Path

from app import create_app
from config import Settings
from models import db
from store.services import mail
from tests.support.shop import Shop


def test_the_folder_and_the_database_are_private_to_the_stores_user(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    folder.mkdir(0o755)
    database = folder / "till.sqlite3"
    settings = Settings.load(_env_file=None, secret_key="a" * 16, database_url=f"sqlite:///{database}")

    app = create_app(settings, instance=folder)
    with app.app_context():
        db.create_all()
        db.engine.dispose()

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


def test_an_email_in_the_folder_is_private_to_the_stores_user(shop: Shop) -> None:
    shop.pay(shop.order())
    shop.deliver()

    mail.send_due(shop.services, shop.clock())

    (written,) = shop.mail_folder.iterdir()
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert stat.S_IMODE(shop.mail_folder.stat().st_mode) == 0o700
