//! The SOAP envelope and the HTTP headers of a request.
//!
//! Headers: <https://learn.microsoft.com/exchange/client-developer/exchange-web-services/ews-headers>;
//! impersonation and routing: <https://learn.microsoft.com/exchange/client-developer/exchange-web-services/impersonation-and-ews-in-exchange>.

use std::io::Write as _;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, USER_AGENT},
};

use super::{EwsConfig, document::SOAP, operation::Operation, route::Route, xml::Xml};
use crate::{model::address::Address, settings::Feature};

/// The namespace of messages.
const MESSAGES: &str = "http://schemas.microsoft.com/exchange/services/2006/messages";
/// The namespace of types.
const TYPES: &str = "http://schemas.microsoft.com/exchange/services/2006/types";
/// Below this length compression gains nothing.
const GZIP_BYTES_MIN: usize = 1024;

/// Writes the envelope of a request on its way to a mailbox.
pub(super) fn envelope<O: Operation>(config: &EwsConfig, route: &Route<'_>, operation: &O) -> Vec<u8> {
    let mut xml = Xml::new();
    let namespaces = [("xmlns:soap", SOAP), ("xmlns:m", MESSAGES), ("xmlns:t", TYPES)];
    xml.element("soap:Envelope", &namespaces, |xml| {
        xml.element("soap:Header", &[], |xml| {
            xml.empty("t:RequestServerVersion", &[("Version", config.version.as_str())]);
            if let (Some(zone), true) = (operation.zone(), config.version.carries(Feature::TimeZoneContext)) {
                xml.element("t:TimeZoneContext", &[], |xml| {
                    xml.empty("t:TimeZoneDefinition", &[("Id", zone.told())]);
                });
            }
            route.write_header(xml);
        });
        xml.element("soap:Body", &[], |xml| operation.write(xml, config.version));
    });
    xml.into_bytes()
}

/// The headers of a request to `mailbox`, without authorization.
pub(super) fn headers(mailbox: &Address, operation: &str, client_request_id: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8"));
    headers.insert(ACCEPT, HeaderValue::from_static("text/xml"));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("calsyncd/", env!("CARGO_PKG_VERSION"))));
    headers.insert(HeaderName::from_static("return-client-request-id"), HeaderValue::from_static("true"));
    let texts = [
        ("soapaction", format!("\"{MESSAGES}/{operation}\"")),
        ("client-request-id", client_request_id.to_owned()),
        // Leads the request to the server of the mailbox; a wrong one leads it astray, so it is set each time.
        ("x-anchormailbox", mailbox.as_str().to_owned()),
    ];
    for (name, text) in texts {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}

/// The body as it is sent: compressed where the settings say so and it gains something.
pub(super) fn body(config: &EwsConfig, envelope: Vec<u8>, headers: &mut HeaderMap) -> Bytes {
    if !config.gzip_requests || envelope.len() < GZIP_BYTES_MIN {
        return envelope.into();
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    match encoder.write_all(&envelope).and_then(|()| encoder.finish()) {
        Ok(compressed) => {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            compressed.into()
        }
        Err(_) => envelope.into(),
    }
}
