"""What keeps the store running: the worker, the audit, the doctor, the health checks."""
