"""The server's worker with less patience, so that a test need not wait for it."""

from store.web.punctual_worker import PunctualWorker


class HastyWorker(PunctualWorker):
    SECONDS = 1.5
