-- Where each mailbox is: the side that its links were written on, and whether both sides of a hybrid were asked. It may move.
CREATE TABLE places (
    mailbox TEXT NOT NULL PRIMARY KEY,
    side TEXT NOT NULL,
    asked BIGINT NOT NULL,
    since BIGINT NOT NULL
);

-- Credentials and servers are those of a side. Where none was named, that of the accounts that lock is meant.
UPDATE waits SET name = 'ews' WHERE scope IN ('credential', 'server');
