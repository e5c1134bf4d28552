//! Who is left alone for now: a credential that is refused, a server that asked everybody to wait, a source that cannot be
//! read or was read in part.

use jiff::Timestamp;
use sqlx::{Row, any::AnyRow};

use super::{StateError, Store, instant};
use crate::model::side::Side;

/// Who is left alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaitScope {
    /// The credential of a side.
    Credential(Side),
    /// The server of a side, with all its mailboxes.
    Server(Side),
    /// A source.
    Source(String),
}

impl WaitScope {
    fn words(&self) -> (&'static str, &str) {
        match self {
            Self::Credential(side) => ("credential", side.as_str()),
            Self::Server(side) => ("server", side.as_str()),
            Self::Source(name) => ("source", name),
        }
    }
}

/// Who is left alone, why, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Who.
    pub scope: WaitScope,
    /// Since when.
    pub since: Timestamp,
    /// When the next try is.
    pub until: Timestamp,
    /// The code of the fault.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// How often in a row.
    pub times: u32,
    /// Whether the server asked for the wait: then nothing ends it early.
    pub asked: bool,
    /// What the refused credential is compared with.
    pub proof: Option<String>,
}

impl Store {
    /// Everybody who is left alone, or was until just now.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn waits(&self) -> Result<Vec<Wait>, StateError> {
        let failed = |source| StateError::Statement { what: "read waits", source };
        let rows = sqlx::query("SELECT * FROM waits ORDER BY scope, name").fetch_all(&self.pool).await;
        rows.map_err(failed)?.iter().map(wait).collect()
    }

    /// Writes down who is left alone. Whoever was before keeps the date, as long as the code is the same.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub async fn save_wait(&self, wait: &Wait) -> Result<(), StateError> {
        let (scope, name) = wait.scope.words();
        sqlx::query(
            "INSERT INTO waits (scope, name, since, until, code, message, hint, times, asked, proof) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (scope, name) DO UPDATE SET \
             since = CASE WHEN waits.code = excluded.code THEN waits.since ELSE excluded.since END, \
             until = excluded.until, code = excluded.code, message = excluded.message, hint = excluded.hint, \
             times = excluded.times, asked = excluded.asked, proof = excluded.proof",
        )
        .bind(scope)
        .bind(name)
        .bind(wait.since.as_millisecond())
        .bind(wait.until.as_millisecond())
        .bind(&wait.code)
        .bind(&wait.message)
        .bind(wait.hint.as_deref())
        .bind(i64::from(wait.times))
        .bind(i64::from(wait.asked))
        .bind(wait.proof.as_deref())
        .execute(&self.pool)
        .await
        .map(|_| ())
        .map_err(|source| StateError::Statement { what: "write a wait", source })
    }

    /// Ends a wait.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub async fn end_wait(&self, scope: &WaitScope) -> Result<(), StateError> {
        let (scope, name) = scope.words();
        sqlx::query("DELETE FROM waits WHERE scope = $1 AND name = $2")
            .bind(scope)
            .bind(name)
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(|source| StateError::Statement { what: "end a wait", source })
    }
}

fn wait(row: &AnyRow) -> Result<Wait, StateError> {
    let failed = |source| StateError::Statement { what: "read a wait", source };
    let text = |column| row.try_get::<String, _>(column).map_err(failed);
    let number = |column| row.try_get::<i64, _>(column).map_err(failed);
    let word = text("scope")?;
    let name = text("name")?;
    let scope = match (word.as_str(), Side::parse(&name)) {
        ("credential", Some(side)) => WaitScope::Credential(side),
        ("server", Some(side)) => WaitScope::Server(side),
        ("source", _) => WaitScope::Source(name),
        _ => return Err(StateError::Content { what: "scope of a wait", value: format!("{word} {name}") }),
    };
    Ok(Wait {
        scope,
        since: instant(number("since")?),
        until: instant(number("until")?),
        code: text("code")?,
        message: text("message")?,
        hint: row.try_get("hint").map_err(failed)?,
        times: u32::try_from(number("times")?).unwrap_or_default(),
        asked: number("asked")? != 0,
        proof: row.try_get("proof").map_err(failed)?,
    })
}
