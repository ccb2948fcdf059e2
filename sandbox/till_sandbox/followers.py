"""Who follows payments: each kind of object that owns intents, and the module that is told how they end.

A further kind is a module with the functions of `till_sandbox.model.followers.Follower`, and a line here.
"""

from till_sandbox.model.checkout import completion
from till_sandbox.model.followers import Follower

FOLLOWERS: dict[str, Follower] = {
    "checkout.session": completion,
}
