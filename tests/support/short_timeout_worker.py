"""The server's worker with a shorter read timeout, so that a test need not wait for it."""

from store.web.read_timeout_worker import ReadTimeoutWorker


class ShortTimeoutWorker(ReadTimeoutWorker):
    SECONDS = 1.5
