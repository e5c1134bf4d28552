-- The calendar of a mailbox that is not its default one: followed by the id of its folder, whatever it is called now.
CREATE TABLE calendars (
    mailbox TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    folder_id TEXT NOT NULL
);
