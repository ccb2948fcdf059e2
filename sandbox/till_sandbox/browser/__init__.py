"""Everything a browser loads from the sandbox: Stripe.js, the frames of its card fields, the 3-D Secure page, and the
page of a Checkout Session."""

from till_sandbox.browser.checkout import blueprint as checkout
from till_sandbox.browser.pages import blueprint

__all__ = ["blueprint", "checkout"]
