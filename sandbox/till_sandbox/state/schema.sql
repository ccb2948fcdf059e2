-- Every object of every account, as JSON the way Stripe shows it; `private` is what only the sandbox knows about it.
-- `account` is derived from X of the keys sk_test_X and pk_test_X, which are not kept. The columns before `body` repeat
-- what objects are looked up by: an index on JSON would parse it whenever an object is written.
CREATE TABLE IF NOT EXISTS objects (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,   -- lists are newest first: by this
    id             TEXT    NOT NULL UNIQUE,
    account        TEXT    NOT NULL,
    kind           TEXT    NOT NULL,
    created        INTEGER NOT NULL,
    deleted        INTEGER NOT NULL DEFAULT 0,
    customer       TEXT,
    payment_intent TEXT,
    charge         TEXT,
    body           TEXT    NOT NULL,
    private        TEXT    NOT NULL
);
CREATE INDEX IF NOT EXISTS objects_kind ON objects (account, kind, seq);
CREATE INDEX IF NOT EXISTS objects_of_customer ON objects (customer, account, kind, seq) WHERE customer IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_of_payment_intent
    ON objects (payment_intent, account, kind, seq) WHERE payment_intent IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_of_charge ON objects (charge, account, kind, seq) WHERE charge IS NOT NULL;

-- An event on its way to one endpoint. Written with the event, before anything is sent.
CREATE TABLE IF NOT EXISTS deliveries (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    account  TEXT    NOT NULL,
    event    TEXT    NOT NULL,
    endpoint TEXT    NOT NULL,
    status   TEXT    NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')) DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    created  REAL    NOT NULL,
    due_at   REAL    NOT NULL
);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due_at) WHERE status = 'pending';
CREATE INDEX IF NOT EXISTS deliveries_event ON deliveries (event);

-- Each try: what the endpoint answered, or why there was no answer.
CREATE TABLE IF NOT EXISTS attempts (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    delivery INTEGER NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    at       REAL    NOT NULL,
    seconds  REAL    NOT NULL,
    status   INTEGER,
    answer   TEXT    NOT NULL
);
CREATE INDEX IF NOT EXISTS attempts_delivery ON attempts (delivery);

-- The first answer given under an idempotency key.
CREATE TABLE IF NOT EXISTS answers (
    account     TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    status      INTEGER NOT NULL,
    body        TEXT    NOT NULL,
    request     TEXT    NOT NULL,
    created     INTEGER NOT NULL,
    PRIMARY KEY (account, key)
) WITHOUT ROWID;

-- Things Stripe does a while after it was asked: settle a charge, open a dispute, finish a refund. `due_at` is the time
-- of the test clock named by `clock`, or the sandbox's own.
CREATE TABLE IF NOT EXISTS scheduled (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    due_at  REAL NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail  TEXT NOT NULL,
    clock   TEXT
);
CREATE INDEX IF NOT EXISTS scheduled_by_sandbox ON scheduled (due_at) WHERE clock IS NULL;
CREATE INDEX IF NOT EXISTS scheduled_by_clock ON scheduled (clock, due_at) WHERE clock IS NOT NULL;

-- Misbehaviour somebody asked for, until it is used up.
CREATE TABLE IF NOT EXISTS faults (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    target    TEXT    NOT NULL CHECK (target IN ('api', 'webhook')),
    fault     TEXT    NOT NULL,
    detail    TEXT    NOT NULL,
    remaining INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
