"""The keys of other programs: made once, shown once, known by a digest, revoked when they are not needed any more."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import ApiKey
from store.domain import api_keys
from store.domain.api_keys import LONGEST_NAME, Scope
from store.domain.errors import ApiKeyRefusal, ApiKeyRefused, NotFound, Subject
from store.services import staff_log
from store.services.services import Services
from store.services.staff_log import Actor

OPERATOR = "flask api-keys"  # who does what is done at the terminal
# A key's last use is written at most so often: a program may ask many times a second.
NOTED_AGAIN = timedelta(minutes=1)


def add(services: Services, name: str, scopes: Collection[Scope], actor: Actor) -> tuple[ApiKey, str]:
    """Make a key; its row, and the key itself, which nobody can find out again. Raises ApiKeyRefused."""
    name = " ".join(name.split())
    if not name or not name.isprintable() or len(name) > LONGEST_NAME:
        raise ApiKeyRefused(ApiKeyRefusal.NAME_INVALID)
    if not scopes:
        raise ApiKeyRefused(ApiKeyRefusal.NO_SCOPE)
    token = api_keys.new_token()
    with services.database.transaction() as session:
        if session.scalar(select(ApiKey.id).where(ApiKey.name == name)) is not None:
            raise ApiKeyRefused(ApiKeyRefusal.NAME_TAKEN)
        key = ApiKey(
            name=name,
            prefix=api_keys.prefix_of(token),
            digest=api_keys.digest(token),
            scopes=[scope.value for scope in Scope if scope in scopes],
            added_at=actor.at,
            added_by=actor.name,
        )
        session.add(key)
        staff_log.add(session, actor.at, actor.name, "key.added", name, {"scopes": ", ".join(key.scopes)})
    return key, token


def everything(session: Session) -> Sequence[ApiKey]:
    """Every key, those that work first, the newest of them first."""
    return session.scalars(select(ApiKey).order_by(ApiKey.revoked_at.is_not(None), ApiKey.id.desc())).all()


def revoke(services: Services, name: str, actor: Actor) -> bool:
    """Let nobody in with a key any more, by its name or its prefix. False for one that was revoked before. Raises
    NotFound.
    """
    with services.database.transaction() as session:
        named = select(ApiKey).where((ApiKey.name == name) | (ApiKey.prefix == name)).with_for_update()
        key = session.scalars(named).first()
        if key is None:
            raise NotFound(Subject.API_KEY)
        if key.revoked_at is not None:
            return False
        key.revoked_at, key.revoked_by = actor.at, actor.name
        staff_log.add(session, actor.at, actor.name, "key.revoked", key.name)
    return True


def find(services: Services, token: str, now: datetime) -> ApiKey | None:
    """The key that this is, and note that it was used; None for what is no key, or not any more."""
    prefix = api_keys.prefix_of(token)
    if prefix is None:
        return None
    with services.database.reading() as session:
        key = session.scalars(select(ApiKey).where(ApiKey.prefix == prefix)).one_or_none()
    if key is None or not hmac.compare_digest(key.digest, api_keys.digest(token)) or key.revoked_at is not None:
        return None
    if key.last_used_at is None or key.last_used_at <= now - NOTED_AGAIN:
        with services.database.transaction() as session:
            session.execute(update(ApiKey).where(ApiKey.id == key.id).values(last_used_at=now))
    return key
