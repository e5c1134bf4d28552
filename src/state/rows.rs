//! Statements over several rows: each statement is a trip to the thread of the database, whatever it holds.

use sqlx::{AnyConnection, AssertSqlSafe};

use crate::model::{address::Address, key::SourceKey};

/// Rows of one statement. PostgreSQL takes 65,535 values, SQLite 32,766.
pub(super) const ROWS_MAX: usize = 100;

/// The text after `VALUES`: `($1, $2), ($3, $4)` for two rows of two columns.
pub(super) fn placeholders(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let values: Vec<String> = (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", values.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// A table with the columns `mailbox` and `source_key`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Table {
    Links,
    Intents,
    Refusals,
    Holds,
    Standings,
}

impl Table {
    const fn name(self) -> &'static str {
        match self {
            Self::Links => "links",
            Self::Intents => "intents",
            Self::Refusals => "refusals",
            Self::Holds => "holds",
            Self::Standings => "standings",
        }
    }
}

/// Removes the rows of some keys of a mailbox.
pub(super) async fn remove(
    connection: &mut AnyConnection,
    table: Table,
    mailbox: &Address,
    keys: &[&SourceKey],
) -> Result<(), sqlx::Error> {
    for some in keys.chunks(ROWS_MAX) {
        let list: Vec<String> = (2..some.len() + 2).map(|number| format!("${number}")).collect();
        let sql = format!("DELETE FROM {} WHERE mailbox = $1 AND source_key IN ({})", table.name(), list.join(", "));
        // Made of names and numbers of ours: the values are bound.
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(mailbox.as_str());
        for key in some {
            query = query.bind(key.as_str());
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::placeholders;

    #[test]
    fn placeholders_are_numbered_through() {
        assert_eq!(placeholders(0, 2), "");
        assert_eq!(placeholders(1, 3), "($1, $2, $3)");
        assert_eq!(placeholders(3, 2), "($1, $2), ($3, $4), ($5, $6)");
    }
}
