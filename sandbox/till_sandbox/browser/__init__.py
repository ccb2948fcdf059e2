"""Everything a browser loads from the sandbox: Stripe.js, the frames of its card fields, the 3-D Secure page."""

from till_sandbox.browser.pages import blueprint

__all__ = ["blueprint"]
