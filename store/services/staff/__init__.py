"""The staff: their accounts, and how they are signed in."""
