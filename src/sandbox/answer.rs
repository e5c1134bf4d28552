//! Answers before they are sent, and gzip in both directions.

use std::io::{Read as _, Write as _};

use bytes::Bytes;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde_json::Value;

/// An answer with a body of this type.
pub(super) fn answer(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if !content_type.is_empty() {
        response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    response
}

/// A JSON answer.
pub(super) fn json(status: u16, body: &Value) -> Response<Bytes> {
    answer(status, "application/json; odata.metadata=minimal; charset=utf-8", body.to_string())
}

/// An HTML answer.
pub(super) fn html(status: u16, body: String) -> Response<Bytes> {
    answer(status, "text/html; charset=utf-8", body)
}

/// An answer without a body.
pub(super) fn empty(status: u16) -> Response<Bytes> {
    answer(status, "", Bytes::new())
}

/// The answer with one more header; a value that is no header value is left out.
pub(super) fn with_header(mut response: Response<Bytes>, name: &'static str, value: &str) -> Response<Bytes> {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().append(HeaderName::from_static(name), value);
    }
    response
}

/// Why a request body cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyFault {
    /// Larger than the limit.
    TooLarge,
    /// Not gzip although the header says so.
    NotGzip,
    /// An encoding that the server does not know.
    Encoding,
}

/// The body behind its `Content-Encoding`.
pub(super) fn decompressed(headers: &HeaderMap, body: Bytes, bytes_max: usize) -> Result<Bytes, BodyFault> {
    let encoding = headers.get("content-encoding").map(|value| value.to_str().unwrap_or("?").trim().to_lowercase());
    let plain = match encoding.as_deref() {
        None | Some("" | "identity") => body,
        Some("gzip" | "x-gzip") => {
            let mut plain = Vec::new();
            let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
            GzDecoder::new(&body[..]).take(limit).read_to_end(&mut plain).map_err(|_| BodyFault::NotGzip)?;
            plain.into()
        }
        Some(_) => return Err(BodyFault::Encoding),
    };
    if plain.len() > bytes_max { Err(BodyFault::TooLarge) } else { Ok(plain) }
}

/// The answer compressed, if the client asks for it.
pub(super) fn compressed(request_headers: &HeaderMap, response: Response<Bytes>) -> Response<Bytes> {
    let asked = request_headers
        .get_all("accept-encoding")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| coding.trim().to_lowercase().split(';').next() == Some("gzip"));
    if !asked || response.body().is_empty() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 2), Compression::fast());
    let packed = match encoder.write_all(&body).and_then(|()| encoder.finish()) {
        Ok(packed) => packed,
        Err(_) => return Response::from_parts(parts, body),
    };
    parts.headers.insert(http::header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    Response::from_parts(parts, packed.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))])
    }

    #[test]
    fn a_body_goes_through_gzip_and_back() {
        let plain = Bytes::from("text ".repeat(100));
        let packed = compressed(&headers("accept-encoding", "deflate, gzip;q=0.5"), answer(200, "", plain.clone()));
        assert!(packed.body().len() < plain.len());
        assert_eq!(packed.headers()["content-encoding"], "gzip");
        let encoded = headers("content-encoding", "gzip");
        assert_eq!(decompressed(&encoded, packed.body().clone(), 500), Ok(plain.clone()));
        assert_eq!(decompressed(&encoded, packed.body().clone(), 499), Err(BodyFault::TooLarge));
        assert_eq!(decompressed(&encoded, plain.clone(), 500), Err(BodyFault::NotGzip));
        assert_eq!(decompressed(&headers("content-encoding", "br"), plain.clone(), 500), Err(BodyFault::Encoding));
        assert_eq!(decompressed(&HeaderMap::new(), plain.clone(), 500), Ok(plain.clone()));
        assert_eq!(compressed(&HeaderMap::new(), answer(200, "", plain.clone())).body(), &plain);
    }
}
