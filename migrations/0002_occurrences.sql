-- What each occurrence that differs from its series was last written as: `<wall time> <hash>`, `… cancelled` or `… rule`,
-- with commas between them. NULL: not known.

ALTER TABLE links ADD COLUMN occurrences TEXT;
