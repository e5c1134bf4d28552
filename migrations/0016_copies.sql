-- Items with our mark that users made by copying: they are never taken for ours, also when the original is gone.
CREATE TABLE copies (
    mailbox TEXT NOT NULL,
    item_id TEXT NOT NULL,
    PRIMARY KEY (mailbox, item_id)
);
