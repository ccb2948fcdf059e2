"""`python -m sandbox`: run the sandbox."""

import argparse
import os
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from sandbox.app import create_app

THREADS = 16


def main() -> None:
    options = _parser().parse_args()
    url = f"http://{options.host}:{options.port}"
    key = options.key
    print(f"Sandbox on {url}\n  secret key       {key}\n  publishable key  {key.replace('sk_', 'pk_', 1)}")
    print(f"  Stripe.js        {url}/endive/stripe.js\n  API base         {url}")
    if options.forward_to:
        print(f"  webhooks go to   {options.forward_to}", flush=True)
    _Server(options, url).run()


class _Server(BaseApplication):
    """Gunicorn with one worker: the sandbox's locks and its thread live in one process."""

    def __init__(self, options: argparse.Namespace, url: str) -> None:
        self._options = options
        self._url = url
        super().__init__()

    def load_config(self) -> None:
        settings: dict[str, Any] = {
            "bind": f"{self._options.host}:{self._options.port}",
            "worker_class": "gthread",
            "workers": 1,
            "threads": THREADS,
            "timeout": 120,
            "graceful_timeout": 2,
            "loglevel": "warning",
            "post_worker_init": _start,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:  # type: ignore[override]  # a Flask is a WSGI application
        app = create_app(self._options.database, public_url=self._url)
        if self._options.forward_to:
            secrets = [secret.strip() for secret in self._options.webhook_secret.split(",") if secret.strip()]
            app.extensions["sandbox"].forward(self._options.key, self._options.forward_to, secrets)
        return app


def _start(worker: Any) -> None:
    worker.wsgi.extensions["sandbox"].start()


def _parser() -> argparse.ArgumentParser:
    store_port = os.environ.get("STORE_PORT")
    forward_to = f"http://127.0.0.1:{store_port}/webhooks/stripe" if store_port else None
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A local Stripe test mode.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("SANDBOX_PORT") or 4242))
    parser.add_argument("--database", default="instance/sandbox.sqlite3", help="the file everything is kept in")
    parser.add_argument("--key", default=os.environ.get("STRIPE_SECRET_KEY") or "sk_test_sandbox", help="secret key")
    parser.add_argument("--forward-to", default=forward_to, help="send every event of the key's account there")
    parser.add_argument("--webhook-secret", default=os.environ.get("STRIPE_WEBHOOK_SECRET") or "whsec_sandbox")
    return parser


if __name__ == "__main__":
    main()
