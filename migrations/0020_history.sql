-- What happened to each source event in each mailbox; rows are added and pruned by age, never changed. No titles and no bodies.
-- `mailbox` is '' where no mailbox is meant. `number` orders the rows of one instant.
-- `step`: 'source', 'decision', 'answer' or 'verdict'; `word` and `code` say what. `source` is what the source said at a decision.

CREATE TABLE history (
    at         BIGINT NOT NULL,
    number     BIGINT NOT NULL,
    mailbox    TEXT   NOT NULL,
    source_key TEXT   NOT NULL,
    step       TEXT   NOT NULL,
    verb       TEXT,
    word       TEXT   NOT NULL,
    source     TEXT,
    code       TEXT,
    detail     TEXT,
    request_id TEXT,
    starts     BIGINT,
    ends       BIGINT
);

CREATE INDEX history_by_key ON history (source_key);
CREATE INDEX history_by_day ON history (mailbox, starts) WHERE starts IS NOT NULL;
CREATE INDEX history_by_age ON history (at);
