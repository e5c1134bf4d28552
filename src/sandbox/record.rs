//! The recording: each exchange as one HAR 1.2 entry on a line of its own, secrets redacted.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http::{HeaderMap, Method};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::urlencoded;

const REDACTED: &str = "REDACTED";

/// Writes entries to a file.
#[derive(Debug)]
pub(super) struct Recorder {
    file: Mutex<File>,
}

/// One exchange as it was, bodies decompressed.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    /// When it began.
    pub(super) started: Timestamp,
    /// How long it took.
    pub(super) took: Duration,
    /// The method.
    pub(super) method: &'a Method,
    /// The absolute address.
    pub(super) url: &'a str,
    /// The headers sent.
    pub(super) request_headers: &'a HeaderMap,
    /// The body sent.
    pub(super) request_body: &'a [u8],
    /// The answer: status, headers, body; absent when the connection was broken.
    pub(super) answer: Option<(u16, &'a HeaderMap, &'a [u8])>,
}

impl Recorder {
    /// Starts a new recording; an old file of that name is overwritten.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: Mutex::new(File::create(path)?) })
    }

    /// Writes one entry. A write that fails is lost: a recording never stops the exchange.
    pub(super) fn write(&self, exchange: &Exchange<'_>) {
        let mut line = entry(exchange).to_string();
        line.push('\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = file.write_all(line.as_bytes()).and_then(|()| file.flush());
    }
}

/// The HAR entry of an exchange.
fn entry(exchange: &Exchange<'_>) -> Value {
    let query = exchange.url.split_once('?').map_or_else(Vec::new, |(_, query)| urlencoded::pairs(query));
    let mut request = json!({
        "method": exchange.method.as_str(),
        "url": exchange.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers(exchange.request_headers),
        "queryString": query.iter().map(|(name, value)| json!({"name": name, "value": value})).collect::<Vec<_>>(),
        "headersSize": -1,
        "bodySize": exchange.request_body.len(),
    });
    if !exchange.request_body.is_empty() {
        let mime_type = mime_type(exchange.request_headers);
        let text = String::from_utf8_lossy(exchange.request_body);
        let text = if mime_type.contains("form-urlencoded") { redact_form(&text) } else { text.into_owned() };
        request["postData"] = json!({"mimeType": mime_type, "text": text, "params": []});
    }
    let took_ms = exchange.took.as_secs_f64() * 1000.0;
    let empty = HeaderMap::new();
    let (status, answer_headers, body) = exchange.answer.unwrap_or((0, &empty, b""));
    let status_text =
        http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("");
    let mut content = json!({"size": body.len(), "mimeType": mime_type(answer_headers)});
    // A page of the web server belongs to neither protocol.
    let is_page = mime_type(answer_headers).starts_with("text/html");
    if !body.is_empty() && !is_page {
        content["text"] = Value::String(redact_token(&String::from_utf8_lossy(body)));
    }
    let mut entry = json!({
        "startedDateTime": exchange.started.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        "time": took_ms,
        "request": request,
        "response": {
            "status": status,
            "statusText": status_text,
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": headers(answer_headers),
            "content": content,
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": body.len(),
        },
        "cache": {},
        "timings": {"send": 0, "wait": took_ms, "receive": 0},
    });
    if exchange.answer.is_none() {
        entry["_error"] = Value::String("connection broken on purpose".to_owned());
    }
    entry
}

fn headers(headers: &HeaderMap) -> Vec<Value> {
    headers
        .iter()
        .map(|(name, value)| {
            let secret = ["authorization", "proxy-authorization", "cookie", "set-cookie"].contains(&name.as_str());
            let value = if secret { REDACTED.into() } else { String::from_utf8_lossy(value.as_bytes()) };
            json!({"name": name.as_str(), "value": value})
        })
        .collect()
}

fn mime_type(headers: &HeaderMap) -> &str {
    headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("")
}

fn redact_form(form: &str) -> String {
    form.split('&')
        .map(|pair| {
            let name = pair.split('=').next().unwrap_or(pair);
            let secret = ["client_secret", "client_assertion", "password", "refresh_token"];
            if secret.contains(&urlencoded::decode(name, true).as_str()) {
                format!("{name}={REDACTED}")
            } else {
                pair.to_owned()
            }
        })
        .collect::<Vec<_>>()
        .join("&")
}

/// The body without the token that it may carry.
fn redact_token(body: &str) -> String {
    if !body.contains("\"access_token\"") {
        return body.to_owned();
    }
    match serde_json::from_str::<Value>(body) {
        Ok(mut value) if value.get("access_token").is_some() => {
            value["access_token"] = Value::String(REDACTED.to_owned());
            value.to_string()
        }
        Ok(_) | Err(_) => body.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_entry_is_whole_and_has_no_secret() {
        let mut request_headers = HeaderMap::new();
        request_headers.insert("authorization", "Basic c2VjcmV0".parse().unwrap());
        request_headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
        let mut answer_headers = HeaderMap::new();
        answer_headers.insert("content-type", "application/json".parse().unwrap());
        answer_headers.insert("set-cookie", "s3cret".parse().unwrap());
        let entry = entry(&Exchange {
            started: Timestamp::UNIX_EPOCH,
            took: Duration::from_millis(5),
            method: &Method::POST,
            url: "http://h/t/oauth2/v2.0/token?a=b%20c",
            request_headers: &request_headers,
            request_body: b"grant_type=client_credentials&client%5Fsecret=s3cret",
            answer: Some((200, &answer_headers, br#"{"access_token":"s3cret","expires_in":1}"#)),
        });
        let text = entry.to_string();
        assert!(!text.contains("s3cret") && !text.contains("c2VjcmV0"), "{text}");
        assert_eq!(entry["request"]["queryString"][0]["value"], "b c");
        assert_eq!(entry["request"]["postData"]["text"], "grant_type=client_credentials&client%5Fsecret=REDACTED");
        assert_eq!(entry["response"]["statusText"], "OK");
        assert_eq!(entry["startedDateTime"], "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_page_is_counted_and_not_kept() {
        let headers = HeaderMap::new();
        let mut answer_headers = HeaderMap::new();
        answer_headers.insert("content-type", "text/html; charset=utf-8".parse().unwrap());
        let entry = entry(&Exchange {
            started: Timestamp::UNIX_EPOCH,
            took: Duration::ZERO,
            method: &Method::POST,
            url: "http://h/EWS/Exchange.asmx",
            request_headers: &headers,
            request_body: b"<x/>",
            answer: Some((503, &answer_headers, b"<html></html>")),
        });
        assert_eq!(entry["response"]["content"]["size"], 13);
        assert!(entry["response"]["content"].get("text").is_none());
    }

    #[test]
    fn a_broken_connection_has_status_0() {
        let headers = HeaderMap::new();
        let entry = entry(&Exchange {
            started: Timestamp::UNIX_EPOCH,
            took: Duration::ZERO,
            method: &Method::GET,
            url: "http://h/v1.0/users/a/events",
            request_headers: &headers,
            request_body: b"",
            answer: None,
        });
        assert_eq!(entry["response"]["status"], 0);
        assert!(entry["response"]["content"].get("text").is_none() && entry["request"].get("postData").is_none());
    }
}
