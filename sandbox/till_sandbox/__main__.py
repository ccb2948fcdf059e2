"""`python -m till_sandbox`: run a sandbox, tell a running one to do something, or measure one."""

import argparse
import os
import re
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from urllib.parse import urlsplit

from till_sandbox import benchmark
from till_sandbox.api.keys import DEFAULT_KEY, account_of
from till_sandbox.commands import Refused, Remote, tax_places, triggers
from till_sandbox.errors import ApiError
from till_sandbox.model import webhook_endpoints
from till_sandbox.server import Forward, Server
from till_sandbox.state import State


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        if options.command == "run":
            _run(options)
        elif options.command == "benchmark":
            print("\n".join(benchmark.run(options.requests, options.rounds)))
        else:
            _tell(options)
        sys.stdout.flush()
    except (
        BrokenPipeError
    ):  # who reads has read enough, as `head` has; what is left is not to be written at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace) -> None:
    url, key = f"http://{options.host}:{options.port}", options.key
    forward_to: Forward | None = None
    if options.forward_to:
        secrets = [secret.strip() for secret in options.webhook_secret.split(",") if secret.strip()]
        forward_to = (key, options.forward_to, secrets)
    _try(options.database, forward_to)
    print(f"A sandbox of Stripe's test mode on {url}")
    print(f"  secret key       {key}   (any sk_test_… will do: each is an account of its own)")
    print(f"  publishable key  {key.replace('sk_', 'pk_', 1)}")
    print(f"  API              {url}\n  Stripe.js        {url}/endive/stripe.js")
    print(f"  console          {url}/sandbox/", flush=True)
    if forward_to:
        print(f"  webhooks         to {options.forward_to}", flush=True)
    Server(options.host, options.port, options.database, forward_to, options.allow_host).run()


def _try(database: str, forward_to: Forward | None) -> None:
    """Try what the server does first, so that a failure is told in a sentence and not as a traceback in its log."""
    try:
        state = State(database)
    except (OSError, sqlite3.Error) as error:
        raise Refused(f"{database} cannot be the file everything is kept in: {error}") from error
    with closing(state):
        if forward_to is None:
            return
        key, url, secrets = forward_to
        try:
            with state.write(account_of(key)) as tx:
                webhook_endpoints.forward(tx, url, secrets)
        except ApiError as error:
            raise Refused(f"events cannot be forwarded to {url}: {error}") from error


def _tell(options: argparse.Namespace) -> None:
    remote = Remote(options.url or f"http://{options.host}:{options.port}", options.key)
    if options.command == "trigger":
        print("\n".join(remote.trigger(options.event, options.order)))
    elif options.command == "events":
        print("\n".join(remote.events(options.limit)))
    elif options.command == "resend":
        print(remote.resend(options.event))
    elif options.command == "register":
        print("\n".join(remote.register(options.places)))
    else:
        remote.reset()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m till_sandbox", description="A local Stripe test mode.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=_port, default=os.environ.get("SANDBOX_PORT") or "4242")
    parser.add_argument(
        "--key", type=_secret_key, default=os.environ.get("STRIPE_SECRET_KEY") or DEFAULT_KEY, help="a secret key"
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a further name of this machine that the console and the control API may be reached by",
    )
    _add_run_options(parser)
    parser.add_argument("--url", type=_address, help="where the sandbox runs that is to be told something")
    parser.set_defaults(command="run")
    commands = parser.add_subparsers(title="to tell a running sandbox, or to measure one", metavar="COMMAND")
    trigger = commands.add_parser("trigger", help="make an event happen")
    trigger.add_argument("event", choices=triggers(), metavar="EVENT", help=", ".join(triggers()))
    trigger.add_argument(
        "--order", metavar="REFERENCE", help="to the payment with this reference in its metadata, not to a new one"
    )
    trigger.set_defaults(command="trigger")
    events = commands.add_parser("events", help="list the newest events")
    events.add_argument("--limit", type=_positive, default=20)
    events.set_defaults(command="events")
    resend = commands.add_parser("resend", help="send an event to the webhook endpoints again")
    resend.add_argument("event", type=_event, metavar="evt_…")
    resend.set_defaults(command="resend")
    register = commands.add_parser("register", help="collect tax in places")
    places = ["all", *tax_places()]
    register.add_argument("places", nargs="+", choices=places, metavar="PLACE", help=", ".join(places))
    register.set_defaults(command="register")
    commands.add_parser("reset", help="forget everything but where to forward events").set_defaults(command="reset")
    measure = commands.add_parser("benchmark", help="measure how fast a sandbox of its own answers")
    measure.add_argument("--requests", type=_positive, default=1000)
    measure.add_argument("--rounds", type=_positive, default=5)
    measure.set_defaults(command="benchmark")
    return parser


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    store_port = os.environ.get("STORE_PORT")
    forward_to = f"http://127.0.0.1:{store_port}/webhooks/stripe" if store_port else None
    parser.add_argument("--database", default="instance/sandbox.sqlite3", help="the file everything is kept in")
    parser.add_argument(
        "--forward-to", type=_address, default=forward_to, metavar="URL", help="send every event of the key there"
    )
    parser.add_argument(
        "--webhook-secret",
        default=os.environ.get("STRIPE_WEBHOOK_SECRET") or "whsec_sandbox",
        help="sign them with it; several, separated by commas, sign each event several times",
    )


def _positive(text: str) -> int:
    if not re.fullmatch("0*[1-9][0-9]{0,8}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 1")
    return int(text)


def _port(text: str) -> int:
    if not (re.fullmatch("[0-9]{1,5}", text) and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a port, a number from 1 to 65535 (SANDBOX_PORT is the default)"
        )
    return int(text)


def _address(text: str) -> str:
    """An http or https address with a host and, if it names one, a valid port."""
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and text.isprintable()
    except ValueError:
        fine = False
    if not fine:
        raise argparse.ArgumentTypeError(f"{text!r} is not an address such as http://127.0.0.1:3000/webhooks")
    return text


def _event(text: str) -> str:
    if not re.fullmatch("evt_[A-Za-z0-9_]+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the id of an event: evt_…, as `events` lists them")
    return text


def _secret_key(text: str) -> str:
    if not re.fullmatch("sk_test_[A-Za-z0-9_]+", text):
        raise argparse.ArgumentTypeError("the sandbox takes test keys only: sk_test_ and letters, digits or _ after it")
    return text


if __name__ == "__main__":
    sys.exit(main())
