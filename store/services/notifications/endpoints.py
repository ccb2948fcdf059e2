"""The endpoints of other programs: where each is, of what it is told, and the secrets that sign it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Endpoint, NotificationMark
from store.domain.endpoints import Fact, is_endpoint
from store.domain.errors import EndpointRefusal, EndpointRefused, NotFound, Subject
from store.services import history_marks, staff_log
from store.services.notifications import secrets
from store.services.services import Services
from store.services.staff_log import Actor

OPERATOR = "flask endpoints"  # who does what is done at the terminal
# After another secret was made, the one before signs as well for this long.
BOTH = timedelta(hours=24)


def add(services: Services, url: str, facts: Collection[Fact], actor: Actor) -> tuple[Endpoint, str]:
    """Tell an address of these facts from now on; the endpoint, and its secret, which nobody can find out again. Raises
    EndpointRefused.
    """
    secret = secrets.new_secret()
    chosen = _checked(services, url, facts)
    with services.database.transaction() as session:
        _refuse_second(session, url)
        endpoint = Endpoint(
            url=url,
            facts=chosen,
            secret=secrets.seal(services.settings.signing_keys, secret),
            after_id=_now(session),
            added_at=actor.at,
            added_by=actor.name,
        )
        session.add(endpoint)
        staff_log.add(session, actor.at, actor.name, "endpoint.added", url, {"facts": ", ".join(chosen)})
    return endpoint, secret


def everything(session: Session) -> Sequence[Endpoint]:
    """Every endpoint, in the order in which they were added."""
    return session.scalars(select(Endpoint).order_by(Endpoint.id)).all()


def stopped(session: Session) -> Sequence[Endpoint]:
    """Those that the store has stopped telling, and nobody has looked at."""
    return session.scalars(select(Endpoint).where(Endpoint.stopped_at.is_not(None)).order_by(Endpoint.id)).all()


def find(session: Session, endpoint_id: int) -> Endpoint:
    """Raises NotFound."""
    found = session.get(Endpoint, endpoint_id)
    if found is None:
        raise NotFound(Subject.ENDPOINT)
    return found


def change(
    services: Services, endpoint_id: int, url: str, facts: Collection[Fact], *, active: bool, actor: Actor
) -> None:
    """Tell another address, or of other facts, or nothing for now. What happens while an endpoint is not active it is
    not told later. Raises NotFound and EndpointRefused.
    """
    chosen = _checked(services, url, facts)
    with services.database.transaction() as session:
        endpoint = _lock(session, endpoint_id)
        if endpoint.url != url:
            _refuse_second(session, url)
        if active and not endpoint.active:
            endpoint.after_id = _now(session)
        endpoint.url, endpoint.facts, endpoint.active = url, chosen, active
        endpoint.failing_since = endpoint.stopped_at = None
        told = {"facts": ", ".join(chosen), "active": active}
        staff_log.add(session, actor.at, actor.name, "endpoint.changed", url, told)


def rotate(services: Services, endpoint_id: int, actor: Actor) -> str:
    """Another secret for an endpoint, which is returned; the one before signs as well for a day. Raises NotFound."""
    secret = secrets.new_secret()
    with services.database.transaction() as session:
        endpoint = _lock(session, endpoint_id)
        endpoint.earlier_secret, endpoint.earlier_until = endpoint.secret, actor.at + BOTH
        endpoint.secret = secrets.seal(services.settings.signing_keys, secret)
        staff_log.add(session, actor.at, actor.name, "endpoint.secret_changed", endpoint.url)
    return secret


def remove(services: Services, endpoint_id: int, actor: Actor) -> None:
    """Tell an endpoint nothing any more, and forget what it was told. Raises NotFound."""
    with services.database.transaction() as session:
        endpoint = _lock(session, endpoint_id)
        session.delete(endpoint)
        staff_log.add(session, actor.at, actor.name, "endpoint.removed", endpoint.url)


def _checked(services: Services, url: str, facts: Collection[Fact]) -> list[str]:
    """The facts, each once."""
    if not is_endpoint(url, live=services.settings.live):
        raise EndpointRefused(EndpointRefusal.URL_UNFIT)
    if not facts:
        raise EndpointRefused(EndpointRefusal.NO_FACT)
    return [fact.value for fact in Fact if fact in facts]


def _refuse_second(session: Session, url: str) -> None:
    if session.scalar(select(Endpoint.id).where(Endpoint.url == url)) is not None:
        raise EndpointRefused(EndpointRefusal.URL_TAKEN)


def _now(session: Session) -> int:
    """The newest entry of the history. Nobody goes through it until the transaction ends, so that nothing that comes
    after it is passed over.
    """
    history_marks.lock(session, NotificationMark)
    return history_marks.newest(session)


def _lock(session: Session, endpoint_id: int) -> Endpoint:
    found = session.get(Endpoint, endpoint_id, with_for_update=True)
    if found is None:
        raise NotFound(Subject.ENDPOINT)
    return found
