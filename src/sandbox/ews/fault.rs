//! Faults: of a whole request (SOAP), or of one item.

use super::{element::Element, reply::Reply, writer::Writer};

/// Why a whole request is refused: HTTP 500 with a SOAP fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) message: String,
    detail: Detail,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Detail {
    None,
    Place { line: usize, column: usize, violation: String },
    Values(Vec<(&'static str, String)>),
}

impl Fault {
    /// A fault that says nothing more.
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), detail: Detail::None }
    }

    /// A fault with named values.
    pub(super) fn with_values(code: &'static str, message: &str, values: Vec<(&'static str, String)>) -> Self {
        Self { code, message: message.to_owned(), detail: Detail::Values(values) }
    }

    /// The schema is violated at an element.
    pub(super) fn schema(element: &Element, violation: impl Into<String>) -> Self {
        Self::at(violation.into(), element.line, element.column)
    }

    /// The document is not the XML that Exchange reads.
    pub(super) fn not_xml(what: &str, line: usize, column: usize) -> Self {
        Self::at(format!("The document cannot be read: {what}."), line, column)
    }

    fn at(violation: String, line: usize, column: usize) -> Self {
        Self {
            code: "ErrorSchemaValidation",
            message: "The request failed schema validation.".to_owned(),
            detail: Detail::Place { line, column, violation },
        }
    }

    /// The answer.
    pub(super) fn reply(&self) -> Reply {
        let mut writer = Writer::new();
        writer.open("soap:Fault", &[]);
        let errors = ("xmlns:e", super::ERRORS);
        writer.text_with("faultcode", &[("xmlns:a", super::TYPES)], &format!("a:{}", self.code));
        writer.text_with("faultstring", &[("xml:lang", "en-US")], &self.message);
        writer.open("detail", &[]);
        writer.text_with("e:ResponseCode", &[errors], self.code);
        writer.text_with("e:Message", &[errors], &self.message);
        match &self.detail {
            Detail::None => {}
            Detail::Place { line, column, violation } => {
                writer.open("t:MessageXml", &[]);
                writer.text("t:LineNumber", &line.to_string());
                writer.text("t:LinePosition", &column.to_string());
                writer.text("t:Violation", violation);
                writer.close("t:MessageXml");
            }
            Detail::Values(values) => {
                writer.open("t:MessageXml", &[]);
                for (name, value) in values {
                    writer.text_with("t:Value", &[("Name", name)], value);
                }
                writer.close("t:MessageXml");
            }
        }
        writer.close("detail");
        writer.close("soap:Fault");
        Reply::envelope(500, &writer.finish(), Some(self.code))
    }
}

/// Why one item, folder or search is refused: an error message under HTTP 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemFault {
    pub(super) code: &'static str,
    pub(super) message: String,
    /// The path of the property at fault, as `FieldURI`.
    pub(super) field: Option<String>,
    /// The primary address of the mailbox whose alias was named.
    pub(super) primary: Option<String>,
}

impl ItemFault {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None, primary: None }
    }

    pub(super) fn on(code: &'static str, message: impl Into<String>, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::new(code, message) }
    }

    /// Whether it concerns the mailbox, so that the rest of the batch is not attempted.
    pub(super) fn stops_batch(&self) -> bool {
        matches!(
            self.code,
            "ErrorAccessDenied"
                | "ErrorAccountDisabled"
                | "ErrorADUnavailable"
                | "ErrorADOperation"
                | "ErrorConnectionFailed"
                | "ErrorMailboxStoreUnavailable"
                | "ErrorMailboxMoveInProgress"
                | "ErrorPasswordChangeRequired"
                | "ErrorPasswordExpired"
                | "ErrorQuotaExceeded"
                | "ErrorInsufficientResources"
        )
    }
}
