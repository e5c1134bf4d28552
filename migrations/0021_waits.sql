-- Who is left alone, why, since when and until when.

ALTER TABLE mailboxes ADD COLUMN parked_since BIGINT;

-- `scope`: 'credential', 'server' or 'source'; `name` is the source's, or ''. `proof` is a slow salted digest of the credential:
-- it tells whether the same one would be tried again.
CREATE TABLE waits (
    scope   TEXT   NOT NULL,
    name    TEXT   NOT NULL,
    since   BIGINT NOT NULL,
    until   BIGINT NOT NULL,
    code    TEXT   NOT NULL,
    message TEXT   NOT NULL,
    hint    TEXT,
    times   BIGINT NOT NULL,
    asked   BIGINT NOT NULL,
    proof   TEXT,
    PRIMARY KEY (scope, name)
);

-- What stands without a write: items that were repaired too often ('quarantine'), items that stay for a reason ('keep').
CREATE TABLE standings (
    mailbox    TEXT   NOT NULL,
    source_key TEXT   NOT NULL,
    action     TEXT   NOT NULL,
    code       TEXT   NOT NULL,
    since      BIGINT NOT NULL,
    retry_at   BIGINT,
    PRIMARY KEY (mailbox, source_key)
);
