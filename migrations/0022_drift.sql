-- What the server shows of what we wrote, as hashes: `1:` and 12 digits for each field, dashes for what is not known, then those
-- of the categories that we wrote. NULL: not known.
ALTER TABLE links ADD COLUMN echo TEXT;
-- When it was found that a user had deleted the item, where that is respected: milliseconds since 1970. NULL: it is there.
ALTER TABLE links ADD COLUMN deleted_at BIGINT;
