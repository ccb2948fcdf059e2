"""`python -m sandbox`: run a sandbox, tell a running one to do something, or measure one."""

import argparse
import os
import sys
from collections.abc import Sequence

from sandbox import bench
from sandbox.commands import Refused, Remote, triggers
from sandbox.server import Server


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        if options.command == "run":
            _run(options)
        elif options.command == "bench":
            print("\n".join(bench.run(options.requests, options.rounds)))
        else:
            _tell(options)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace) -> None:
    url, key = f"http://{options.host}:{options.port}", options.key
    print(f"A sandbox of Stripe's test mode on {url}")
    print(f"  secret key       {key}   (any sk_test_… will do: each is an account of its own)")
    print(f"  publishable key  {key.replace('sk_', 'pk_', 1)}")
    print(f"  API              {url}\n  Stripe.js        {url}/endive/stripe.js")
    print(f"  console          {url}/sandbox/", flush=True)
    forward_to = None
    if options.forward_to:
        print(f"  webhooks         to {options.forward_to}", flush=True)
        secrets = [secret.strip() for secret in options.webhook_secret.split(",") if secret.strip()]
        forward_to = (key, options.forward_to, secrets)
    Server(options.host, options.port, options.database, forward_to).run()


def _tell(options: argparse.Namespace) -> None:
    remote = Remote(options.url or f"http://{options.host}:{options.port}", options.key)
    if options.command == "trigger":
        print("\n".join(remote.trigger(options.event)))
    elif options.command == "events":
        print("\n".join(remote.events(options.limit)))
    elif options.command == "resend":
        print(remote.resend(options.event))
    else:
        remote.reset()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A local Stripe test mode.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("SANDBOX_PORT") or 4242))
    parser.add_argument(
        "--key", type=_secret_key, default=os.environ.get("STRIPE_SECRET_KEY") or "sk_test_sandbox", help="a secret key"
    )
    _add_run_options(parser)
    parser.add_argument("--url", help="where the sandbox runs that is to be told something")
    parser.set_defaults(command="run")
    commands = parser.add_subparsers(title="to tell a running sandbox, or to measure one", metavar="COMMAND")
    trigger = commands.add_parser("trigger", help="make an event happen")
    trigger.add_argument("event", choices=triggers(), metavar="EVENT", help=", ".join(triggers()))
    trigger.set_defaults(command="trigger")
    events = commands.add_parser("events", help="list the newest events")
    events.add_argument("--limit", type=int, default=20)
    events.set_defaults(command="events")
    resend = commands.add_parser("resend", help="send an event to the webhook endpoints again")
    resend.add_argument("event", metavar="evt_…")
    resend.set_defaults(command="resend")
    commands.add_parser("reset", help="forget everything but where to forward events").set_defaults(command="reset")
    measure = commands.add_parser("bench", help="measure how fast a sandbox of its own answers")
    measure.add_argument("--requests", type=_positive, default=1000)
    measure.add_argument("--rounds", type=_positive, default=5)
    measure.set_defaults(command="bench")
    return parser


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    store_port = os.environ.get("STORE_PORT")
    forward_to = f"http://127.0.0.1:{store_port}/webhooks/stripe" if store_port else None
    parser.add_argument("--database", default="instance/sandbox.sqlite3", help="the file everything is kept in")
    parser.add_argument("--forward-to", default=forward_to, metavar="URL", help="send every event of the key there")
    parser.add_argument(
        "--webhook-secret",
        default=os.environ.get("STRIPE_WEBHOOK_SECRET") or "whsec_sandbox",
        help="sign them with it; several, separated by commas, sign each event several times",
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _secret_key(text: str) -> str:
    if not text.startswith("sk_test_"):
        raise argparse.ArgumentTypeError("the sandbox takes test keys only: sk_test_…")
    return text


if __name__ == "__main__":
    sys.exit(main())
