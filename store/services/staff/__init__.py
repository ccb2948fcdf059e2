"""The staff: their accounts, and what was tried to get into them. Flask-Security signs them in: see `store.admin`."""
