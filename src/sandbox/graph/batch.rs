//! `POST /$batch`: reads the requests, orders them by `dependsOn`, and writes the answers.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use serde_json::{Map, Value, json};

use super::{GraphError, members::Members};

/// The most requests of one batch.
const STEPS_MAX: usize = 20;

/// One inner request.
#[derive(Debug, Clone)]
pub(in super::super) struct Step {
    /// Its id.
    pub(in super::super) id: String,
    /// The method.
    pub(in super::super) method: Method,
    /// Path and query below `/v1.0`, beginning with a slash.
    pub(in super::super) url: String,
    /// The headers.
    pub(in super::super) headers: HeaderMap,
    /// The body.
    pub(in super::super) body: Option<Value>,
    /// The positions of the requests that must succeed before.
    pub(in super::super) after: Vec<usize>,
}

/// Reads a batch. `after` holds earlier positions only.
pub(in super::super) fn steps(body: &Value) -> Result<Vec<Step>, GraphError> {
    let bad = |message: String| GraphError::new(400, "BadRequest", message);
    let requests = Members::of(body, "batch", &["requests"])?.list("requests")?.unwrap_or_default();
    if requests.is_empty() {
        return Err(bad("Invalid batch payload format: no requests.".to_owned()));
    }
    if requests.len() > STEPS_MAX {
        let message = format!("Number of batch request steps exceeds the maximum value of {STEPS_MAX}.");
        return Err(GraphError::new(400, "MaximumValueExceeded", message));
    }
    let mut positions = BTreeMap::new();
    let mut steps = Vec::with_capacity(requests.len());
    for (position, request) in requests.iter().enumerate() {
        let (step, depends_on) = step(request)?;
        let after = depends_on
            .iter()
            .map(|id| positions.get(&id.to_lowercase()).copied())
            .collect::<Option<Vec<usize>>>()
            .ok_or_else(|| bad(format!("Request '{}' depends on a request that does not come before it.", step.id)))?;
        if positions.insert(step.id.to_lowercase(), position).is_some() {
            return Err(bad(format!("Request id '{}' is not unique.", step.id)));
        }
        steps.push(Step { after, ..step });
    }
    Ok(steps)
}

fn step(request: &Value) -> Result<(Step, Vec<String>), GraphError> {
    let bad = |message: String| GraphError::new(400, "BadRequest", message);
    let members = Members::of(request, "batch request", &["id", "method", "url", "headers", "body", "dependsOn"])?;
    let required = |name: &str| members.text(name)?.ok_or_else(|| bad(format!("Each batch request needs '{name}'.")));
    let id = required("id")?.to_owned();
    let method = required("method")?;
    let method = ["GET", "POST", "PATCH", "PUT", "DELETE"]
        .contains(&method)
        .then(|| method.parse().ok())
        .flatten()
        .ok_or_else(|| bad(format!("The method '{method}' is not allowed in a batch.")))?;
    let url = required("url")?.to_owned();
    if !url.starts_with('/') || url.starts_with("/v1.0/") || url.starts_with("/$batch") {
        return Err(bad(format!("The url '{url}' must be relative and without a version.")));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in members.some("headers").and_then(Value::as_object).into_iter().flatten() {
        let name = HeaderName::try_from(name.as_str()).ok();
        let value = value.as_str().and_then(|value| HeaderValue::from_str(value).ok());
        match (name, value) {
            (Some(name), Some(value)) => headers.append(name, value),
            (_, _) => return Err(bad(format!("Request '{id}' has a header that is none."))),
        };
    }
    let body = members.some("body").cloned();
    let json =
        headers.get("content-type").and_then(|kind| kind.to_str().ok()).is_some_and(|kind| kind.contains("json"));
    if body.is_some() && !json {
        return Err(bad(format!("Request '{id}' has a body and needs the header Content-Type: application/json.")));
    }
    let depends_on = members.texts("dependsOn")?.unwrap_or_default().into_iter().map(str::to_owned).collect();
    Ok((Step { id, method, url, headers, body, after: Vec::new() }, depends_on))
}

/// What a step gets whose prerequisite failed.
pub(in super::super) fn failed_dependency() -> GraphError {
    GraphError::new(424, "FailedDependency", "Failed dependency: a request that this one depends on has failed.")
}

/// The answer of a step inside the answer of the batch.
pub(in super::super) fn wrap(id: &str, response: &Response<Bytes>) -> Value {
    let headers: Map<String, Value> = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((canonical(name.as_str()), value.to_str().ok()?.into())))
        .collect();
    let mut wrapped = json!({"id": id, "status": response.status().as_u16(), "headers": headers});
    if !response.body().is_empty() {
        wrapped["body"] = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
    }
    wrapped
}

/// `retry-after` as `Retry-After`, as batch answers write it.
fn canonical(name: &str) -> String {
    let upper_first = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    name.split('-').map(upper_first).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_batch_is_read() {
        let read = steps(&json!({"requests": [
            {"id": "a", "method": "GET", "url": "/users/x/events"},
            {"id": "b", "method": "POST", "url": "/users/x/events", "headers": {"content-type": "application/json"},
             "body": {}, "dependsOn": ["A"]},
        ]}))
        .unwrap();
        assert_eq!((read[0].after.as_slice(), read[1].after.as_slice()), ([].as_slice(), [0].as_slice()));
        assert_eq!(canonical("retry-after"), "Retry-After");
    }

    #[test]
    fn what_a_batch_may_not_be() {
        let get = |id: &str| json!({"id": id, "method": "GET", "url": "/users/x/events"});
        let with = |change: Value| {
            let mut request = get("a");
            request.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            json!({"requests": [request]})
        };
        for batch in [
            json!({}),
            json!({"requests": []}),
            json!({"requests": (0..21).map(|id| get(&id.to_string())).collect::<Vec<_>>()}),
            json!({"requests": [get("a"), get("A")]}),
            with(json!({"method": "HEAD"})),
            with(json!({"url": "https://graph.microsoft.com/v1.0/users/x/events"})),
            with(json!({"url": "/v1.0/users/x/events"})),
            with(json!({"url": "/$batch"})),
            with(json!({"method": "POST", "body": {}})),
            with(json!({"dependsOn": ["z"]})),
            with(json!({"colour": 1})),
        ] {
            assert_eq!(steps(&batch).map_err(|error| error.status).err(), Some(400), "{batch}");
        }
    }
}
