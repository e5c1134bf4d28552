-- What an operator said of a held deletion ('approved' or 'rejected'), who, and when. NULL: nothing yet.

ALTER TABLE holds ADD COLUMN verdict TEXT;
ALTER TABLE holds ADD COLUMN decided_by TEXT;
ALTER TABLE holds ADD COLUMN decided_at BIGINT;
