"""Who may ask for what: each view says which role it needs. One that does not say so keeps the admin from starting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, abort, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from models import StaffMember, StaffSession
from store.domain.staff import Role
from store.services.history import Origin, Source
from store.services.staff import signing_in
from store.services.staff_log import Actor
from store.web.current import now, services

View = TypeVar("View", bound=Callable[..., Any])

TOKEN, WANTED = "token", "wanted"  # what the cookie calls them
_NEEDED = "needed_role"


def allowed(role: Role) -> Callable[[View], View]:
    """The view is for whoever has this role, or one that includes it."""
    return _marked(role)


def open_to_all(view: View) -> View:
    """The view is for whoever comes: it is the way in."""
    return _marked(None)(view)


def register(app: Flask) -> None:
    """Let nobody in without the role that an address needs. Call it when every view is there."""
    undecided = [endpoint for endpoint, view in app.view_functions.items() if not hasattr(view, _NEEDED)]
    if undecided:
        raise LookupError(f"nobody has said who may ask for {', '.join(undecided)}")
    app.before_request(_let_in)


def signed_in() -> StaffSession:
    """The session of whoever asks. Only behind a view that is `allowed` to a role."""
    found: StaffSession = g.signed_in
    return found


def member() -> StaffMember:
    """Who asks."""
    return signed_in().member


def member_or_none() -> StaffMember | None:
    """Who asks, on a page that is open to all."""
    found: StaffSession | None = g.get("signed_in")
    return found.member if found is not None else None


def origin() -> Origin:
    """What the history names for what is done in this request."""
    return Origin(Source.STAFF, now(), member().email)


def actor() -> Actor:
    """What the staff's log names for it."""
    return Actor(member().email, now())


def may(role: Role) -> bool:
    """Whether who asks may do what `role` may."""
    who = member_or_none()
    return who is not None and who.role.includes(role)


def _marked(role: Role | None) -> Callable[[View], View]:
    def mark(view: View) -> View:
        setattr(view, _NEEDED, role)
        return view

    return mark


def _let_in() -> ResponseReturnValue | None:
    g.signed_in = _session()
    if request.endpoint is None:
        if g.signed_in is None:  # which addresses there are is nobody else's business
            return _to_the_door()
        return None
    needed: Role | None = getattr(current_app.view_functions[request.endpoint], _NEEDED)
    if needed is None:
        return None
    if g.signed_in is None:
        return _to_the_door()
    if not member().role.includes(needed):
        abort(403)
    return None


def _to_the_door() -> ResponseReturnValue:
    """To the sign-in page, and from there to where somebody wanted to go; a form is not sent a second time."""
    session.pop(TOKEN, None)
    if request.method == "GET":
        session[WANTED] = request.full_path.rstrip("?")
    return redirect(url_for("signing_in.sign_in"), 303)


def _session() -> StaffSession | None:
    token = session.get(TOKEN)
    return signing_in.look_up(services(), token, now()) if isinstance(token, str) else None
