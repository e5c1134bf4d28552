//! Answers: the envelope, and the response messages of a batch.

use super::{fault::ItemFault, writer::Writer};

/// An answer, ready for HTTP. Its content type is `text/xml; charset=utf-8`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status: 200, or 500 with a SOAP fault.
    pub status: u16,
    /// The envelope.
    pub body: String,
    /// The response code of a SOAP fault.
    pub fault: Option<&'static str>,
}

impl Reply {
    pub(super) fn envelope(status: u16, content: &str, fault: Option<&'static str>) -> Self {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope xmlns:soap=\"{}\" xmlns:m=\"{}\" xmlns:t=\"{}\">\
             <soap:Header><h:ServerVersionInfo xmlns:h=\"{}\" MajorVersion=\"15\" MinorVersion=\"1\" \
             MajorBuildNumber=\"2507\" MinorBuildNumber=\"39\" Version=\"V2017_07_11\"/></soap:Header>\
             <soap:Body>{content}</soap:Body></soap:Envelope>",
            super::SOAP,
            super::MESSAGES,
            super::TYPES,
            super::TYPES,
        );
        Self { status, body, fault }
    }
}

/// What became of one item of a batch.
pub(super) enum Outcome {
    /// It worked; what follows the response code, as XML.
    Success(String),
    /// It did not.
    Failure(ItemFault),
    /// It was not attempted.
    Stopped,
}

/// The answer of an operation: one message for each outcome. `empty` stands where a failed message must hold something.
pub(super) fn batch(operation: &str, empty: &str, outcomes: &[Outcome]) -> Reply {
    let mut writer = Writer::new();
    let root = format!("m:{operation}Response");
    writer.open(&root, &[]);
    writer.open("m:ResponseMessages", &[]);
    for outcome in outcomes {
        message(&mut writer, &format!("m:{operation}ResponseMessage"), empty, outcome);
    }
    writer.close("m:ResponseMessages");
    writer.close(&root);
    Reply::envelope(200, &writer.finish(), None)
}

fn message(writer: &mut Writer, name: &str, empty: &str, outcome: &Outcome) {
    match outcome {
        Outcome::Success(content) => {
            writer.open(name, &[("ResponseClass", "Success")]);
            writer.text("m:ResponseCode", "NoError");
            writer.raw(content);
        }
        Outcome::Failure(fault) => {
            writer.open(name, &[("ResponseClass", "Error")]);
            writer.text("m:MessageText", &fault.message);
            writer.text("m:ResponseCode", fault.code);
            writer.text("m:DescriptiveLinkKey", "0");
            if let Some(field) = &fault.field {
                writer.open("m:MessageXml", &[]);
                writer.empty("t:FieldURI", &[("FieldURI", field)]);
                writer.close("m:MessageXml");
            }
            if let Some(primary) = &fault.primary {
                writer.open("m:MessageXml", &[]);
                writer.text_with("t:Value", &[("Name", "Primary")], primary);
                writer.close("m:MessageXml");
            }
            writer.raw(empty);
        }
        Outcome::Stopped => {
            writer.open(name, &[("ResponseClass", "Warning")]);
            writer.text("m:MessageText", "The batch was stopped because of an earlier error.");
            writer.text("m:ResponseCode", "ErrorBatchProcessingStopped");
            writer.text("m:DescriptiveLinkKey", "0");
            writer.raw(empty);
        }
    }
    writer.close(name);
}

/// Runs a batch in order; after a fault that concerns the mailbox the rest is not attempted.
pub(super) fn run<T>(parts: &[T], mut work: impl FnMut(&T) -> Result<String, ItemFault>) -> Vec<Outcome> {
    let mut stopped = false;
    parts
        .iter()
        .map(|part| {
            if stopped {
                return Outcome::Stopped;
            }
            match work(part) {
                Ok(content) => Outcome::Success(content),
                Err(fault) => {
                    stopped = fault.stops_batch();
                    Outcome::Failure(fault)
                }
            }
        })
        .collect()
}
