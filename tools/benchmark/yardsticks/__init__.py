"""What the store is measured against: small WSGI applications under the same Gunicorn, and pgbench."""
