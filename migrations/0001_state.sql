-- One text for SQLite and PostgreSQL: BIGINT (times in milliseconds since 1970), TEXT, natural keys.

CREATE TABLE instance (
    one        BIGINT PRIMARY KEY CHECK (one = 1),
    owner      TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE mailboxes (
    mailbox        TEXT PRIMARY KEY,
    cursor         TEXT,
    read_at        BIGINT,
    finished_at    BIGINT,
    parked_until   BIGINT,
    parked_code    TEXT,
    parked_message TEXT,
    parked_hint    TEXT,
    parked_times   BIGINT NOT NULL DEFAULT 0,
    parked_asked   BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE links (
    mailbox       TEXT   NOT NULL,
    source_key    TEXT   NOT NULL,
    item_id       TEXT   NOT NULL,
    change_key    TEXT   NOT NULL,
    fingerprint   TEXT   NOT NULL,
    generation    BIGINT NOT NULL,
    ends          BIGINT NOT NULL,
    repairs_since BIGINT NOT NULL,
    repairs_count BIGINT NOT NULL,
    PRIMARY KEY (mailbox, source_key)
);

CREATE TABLE intents (
    mailbox       TEXT   NOT NULL,
    source_key    TEXT   NOT NULL,
    verb          TEXT   NOT NULL,
    generation    BIGINT NOT NULL,
    ends          BIGINT NOT NULL,
    repairs_since BIGINT NOT NULL,
    repairs_count BIGINT NOT NULL,
    PRIMARY KEY (mailbox, source_key)
);

CREATE TABLE refusals (
    mailbox     TEXT   NOT NULL,
    source_key  TEXT   NOT NULL,
    fingerprint TEXT   NOT NULL,
    code        TEXT   NOT NULL,
    message     TEXT   NOT NULL,
    since       BIGINT NOT NULL,
    retry_at    BIGINT NOT NULL,
    PRIMARY KEY (mailbox, source_key)
);

CREATE TABLE holds (
    mailbox    TEXT   NOT NULL,
    source_key TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    since      BIGINT NOT NULL,
    PRIMARY KEY (mailbox, source_key)
);

CREATE TABLE rejections (
    source     TEXT   NOT NULL,
    place      TEXT   NOT NULL,
    source_key TEXT,
    reason     TEXT   NOT NULL,
    since      BIGINT NOT NULL,
    PRIMARY KEY (source, place, reason)
);
