//! Pages of a list and the link to the next one.

use bytes::Bytes;
use http::Response;
use serde_json::{Map, Value, json};

use super::{super::answer, Ask, query::Query};

/// How many entries a page has by default.
const PAGE_SIZE: usize = 10;

/// One page of `all`.
pub(super) fn page<T>(
    ask: &Ask<'_>,
    query: &Query,
    of: &str,
    all: &[T],
    write: impl Fn(&T) -> Value,
) -> Response<Bytes> {
    let size = query.top.or(ask.prefer.page_size).unwrap_or(PAGE_SIZE).max(1);
    let shown: Vec<Value> = all.iter().skip(query.skip).take(size).map(write).collect();
    let mut body = Map::new();
    body.insert("@odata.context".to_owned(), ask.context(of).into());
    if query.count {
        body.insert("@odata.count".to_owned(), json!(all.len()));
    }
    body.insert("value".to_owned(), shown.into());
    let next = query.skip.saturating_add(size);
    if next < all.len() {
        body.insert("@odata.nextLink".to_owned(), format!("{}?{}", ask.address, query.with_skip(next)).into());
    }
    ask.applied(answer::json(200, &Value::Object(body)))
}
