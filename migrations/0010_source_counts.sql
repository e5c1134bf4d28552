-- How many events each source held: a drop is a reason to hold its deletions. `accepted` is what later reads are compared with,
-- `latest` the last complete read. `shrunk_since` is NULL where there is no drop.
CREATE TABLE source_counts (
    source TEXT NOT NULL PRIMARY KEY,
    accepted BIGINT NOT NULL,
    latest BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    shrunk_since BIGINT
);
