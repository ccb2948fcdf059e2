"""The server's worker with less patience, so that a test need not wait for it."""

from store.web.read_timeout_worker import ReadTimeoutWorker


class ImpatientWorker(ReadTimeoutWorker):
    SECONDS = 1.5
