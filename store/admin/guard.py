"""Who may ask for what: each view says which role it needs. One that does not say so keeps the admin from starting."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from flask import Flask, abort, current_app, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_security import check_and_update_authn_fresh, current_user

from models import StaffMember
from store.domain.staff import Role
from store.services.history import Origin, Source
from store.services.staff_log import Actor
from store.web.current import now

View = TypeVar("View", bound=Callable[..., Any])

# After so long the password is asked for in any case.
LONGEST = timedelta(hours=12)
SIGNED_IN_AT = "fs_paa"  # as Flask-Security's cookie calls it: seconds since 1970
_NEEDED, _FRESH = "needed_role", "needs_fresh"


class NotFresh(Exception):
    """Who asks signed in too long ago for what they ask."""


def allowed(role: Role, *, fresh: bool = False) -> Callable[[View], View]:
    """The view is for whoever has this role, or one that includes it; `fresh`: and has just signed in, or typed the
    password again.
    """
    return _marked(role, fresh=fresh)


def open_to_all(view: View) -> View:
    """The view is for whoever comes: it is the way in."""
    return _marked(None)(view)


def register(app: Flask) -> None:
    """Let nobody in without the role that an address needs. Call it when every view is there."""
    undecided = [endpoint for endpoint, view in app.view_functions.items() if not hasattr(view, _NEEDED)]
    if undecided:
        raise LookupError(f"nobody has said who may ask for {', '.join(undecided)}")
    app.before_request(_let_in)


def member() -> StaffMember:
    """Who asks. Only behind a view that is `allowed` to a role."""
    who = member_or_none()
    if who is None:
        raise LookupError("nobody is signed in")
    return who


def member_or_none() -> StaffMember | None:
    """Who asks, on a page that is open to all."""
    who = current_user._get_current_object()
    return who if isinstance(who, StaffMember) else None


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


def lets_in(view: Any) -> bool:
    """Whether who asks has the role that a view needs."""
    needed: Role | None = getattr(view, _NEEDED, None)
    return needed is not None and may(needed)


def _marked(role: Role | None, *, fresh: bool = False) -> Callable[[View], View]:
    def mark(view: View) -> View:
        setattr(view, _NEEDED, role)
        setattr(view, _FRESH, fresh)
        return view

    return mark


def _let_in() -> ResponseReturnValue | None:
    who = member_or_none()
    if who is not None and time.time() - session.get(SIGNED_IN_AT, 0) > LONGEST.total_seconds():
        session.clear()
        return _to_the_door()
    if request.endpoint is None:
        # Which addresses there are is nobody else's business.
        return _to_the_door() if who is None else None
    view = current_app.view_functions[request.endpoint]
    needed: Role | None = getattr(view, _NEEDED)
    if needed is None:
        return None
    if who is None:
        return _to_the_door()
    if not who.role.includes(needed):
        abort(403)
    if getattr(view, _FRESH) and not _is_fresh():
        raise NotFresh
    return None


def _is_fresh() -> bool:
    within, grace = (current_app.config[f"SECURITY_{name}"] for name in ("FRESHNESS", "FRESHNESS_GRACE_PERIOD"))
    return check_and_update_authn_fresh(within, grace, "session")


def _to_the_door() -> ResponseReturnValue:
    """To the sign-in page, and from there to where somebody wanted to go; a form is not sent a second time."""
    wanted = f"{request.script_root}{request.full_path.rstrip('?')}" if request.method == "GET" else None
    return redirect(url_for("security.login", next=wanted), 303)
