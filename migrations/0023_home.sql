-- Where the state lives: the machine and the path of the file. NULL: it has not been opened for writing since it is told.

ALTER TABLE instance ADD COLUMN host TEXT;
ALTER TABLE instance ADD COLUMN path TEXT;
ALTER TABLE instance ADD COLUMN here_since BIGINT;
