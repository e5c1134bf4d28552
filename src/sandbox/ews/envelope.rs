//! The envelope: headers and the one operation in the body.

use super::{
    element::{Element, Space},
    fault::Fault,
    version::Version,
    zone,
};
use crate::sandbox::store::{MailboxSettings, Store, Zone};

/// The headers of a request.
#[derive(Debug, Clone)]
pub(super) struct Header {
    pub(super) version: Version,
    /// The zone of `TimeZoneContext`.
    pub(super) zone: Option<Zone>,
    pub(super) impersonated: Option<Impersonated>,
}

/// Whom the caller wants to be, by which name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Impersonated {
    PrincipalName(String),
    Sid(String),
    PrimarySmtpAddress(String),
    SmtpAddress(String),
}

impl Impersonated {
    /// The address of the mailbox that the name leads to; of an address the address itself, known or not.
    pub(super) fn address(&self, store: &Store) -> Option<String> {
        let owner = |is_it: &dyn Fn(&MailboxSettings) -> bool| {
            let mut all = store.mailboxes().into_iter().map(|mailbox| mailbox.settings);
            all.find(is_it).map(|settings| settings.address)
        };
        match self {
            Self::PrincipalName(name) => owner(&|one| one.principal_name.eq_ignore_ascii_case(name)),
            Self::Sid(sid) => owner(&|one| !sid.is_empty() && one.sid == *sid),
            Self::PrimarySmtpAddress(address) | Self::SmtpAddress(address) => Some(address.clone()),
        }
    }
}

/// Reads an envelope.
pub(super) fn read(root: &Element) -> Result<(Header, &Element), Fault> {
    if root.space != Space::Soap || root.name != "Envelope" {
        return Err(Fault::schema(root, "The root element is not a SOAP 1.1 Envelope."));
    }
    let mut sequence = root.sequence();
    let header = sequence.optional(Space::Soap, "Header");
    let body = sequence.required(Space::Soap, "Body")?;
    sequence.finish()?;
    let header = read_header(header)?;
    let mut content = body.sequence();
    let operation = content.next().ok_or_else(|| Fault::new("ErrorInvalidRequest", "The request is invalid."))?;
    content.finish()?;
    if operation.space != Space::Messages {
        return Err(Fault::new("ErrorInvalidRequest", "The request is invalid."));
    }
    Ok((header, operation))
}

fn read_header(header: Option<&Element>) -> Result<Header, Fault> {
    let missing = || Fault::new("ErrorInvalidServerVersion", "The specified server version is invalid.");
    let header = header.ok_or_else(missing)?;
    let mut version = None;
    let mut zone = None;
    let mut impersonated = None;
    let mut seen: Vec<&str> = Vec::new();
    for element in header.children.iter().filter(|element| element.space != Space::Other) {
        if seen.contains(&element.name.as_str()) {
            return Err(Fault::new("ErrorDuplicateSOAPHeader", "A SOAP header is duplicated."));
        }
        seen.push(&element.name);
        match element.name.as_str() {
            "RequestServerVersion" => {
                version = Some(Version::parse(element.required("Version")?).ok_or_else(missing)?);
            }
            "TimeZoneContext" => {
                let mut sequence = element.sequence();
                let definition = sequence.required(Space::Types, "TimeZoneDefinition")?;
                sequence.finish()?;
                let read = zone::read_definition(definition)?;
                zone = Some(read.map_err(|error| Fault::new("ErrorTimeZone", error.to_string()))?);
            }
            "ExchangeImpersonation" => impersonated = Some(read_impersonation(element)?),
            "MailboxCulture" | "DateTimePrecision" | "ManagementRole" => {}
            _ => return Err(Fault::schema(element, format!("The header '{}' is unknown.", element.name))),
        }
    }
    Ok(Header { version: version.ok_or_else(missing)?, zone, impersonated })
}

fn read_impersonation(element: &Element) -> Result<Impersonated, Fault> {
    let mut outer = element.sequence();
    let sid = outer.required(Space::Types, "ConnectingSID")?;
    outer.finish()?;
    let mut sequence = sid.sequence();
    let name =
        sequence.next().ok_or_else(|| Fault::schema(sid, "The element 'ConnectingSID' has incomplete content."))?;
    sequence.finish()?;
    let text = name.value()?.trim().to_owned();
    match name.name.as_str() {
        _ if name.space != Space::Types => {}
        "PrincipalName" => return Ok(Impersonated::PrincipalName(text)),
        "SID" => return Ok(Impersonated::Sid(text)),
        "PrimarySmtpAddress" => return Ok(Impersonated::PrimarySmtpAddress(text)),
        "SmtpAddress" => return Ok(Impersonated::SmtpAddress(text)),
        _ => {}
    }
    Err(Fault::schema(name, super::element::unexpected(sid, name)))
}
