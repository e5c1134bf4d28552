//! Response messages: one for each item of a request, in its order; nothing but the position tells which.

use super::{
    document::{Element, Unreadable},
    fault::{Circumstances, ServerError, is_gone, is_indivisible},
    operation::ReadError,
};
use crate::model::fault::{Fault, FaultScope};

/// Reads the SOAP body of an answer to `operation` with `items` items: as many results, in the order of the items.
///
/// # Errors
/// A SOAP fault, or an answer that is not one to this operation.
pub(super) fn messages(
    mut body: Element,
    operation: &str,
    items: usize,
    circumstances: &Circumstances,
) -> Result<Vec<Result<Element, Fault>>, ReadError> {
    if let Some(fault) = body.child("Fault") {
        return Err(circumstances.of_request(&ServerError::of_soap_fault(fault)).into());
    }
    let name = format!("{operation}Response");
    let messages = body.take(&[&name, "ResponseMessages"])?;
    let mut results: Vec<Result<Element, Fault>> =
        messages.into_iter().map(|message| result(message, circumstances)).collect();
    if results.len() > items {
        return Err(Unreadable::new(name, format!("{} response messages for {items} items", results.len())).into());
    }
    if let ([Err(fault)], 2..) = (results.as_slice(), items) {
        // It speaks of one item and does not say of which: smaller requests tell.
        if is_indivisible(fault) && !is_gone(fault) {
            return Err(fault.clone().into());
        }
        let fault = for_all(fault, circumstances);
        return Ok(vec![Err(fault); items]);
    }
    let missing =
        circumstances.unknown_outcome(FaultScope::Item, "NoResponseMessage", "the answer leaves the item out");
    results.resize(items, Err(missing));
    Ok(results)
}

/// One error in place of many stands for all of them. That one item is gone does not say that all are.
fn for_all(fault: &Fault, circumstances: &Circumstances) -> Fault {
    if is_gone(fault) {
        return circumstances.unknown_outcome(FaultScope::Item, &fault.code, fault.message.clone());
    }
    fault.clone()
}

fn result(message: Element, circumstances: &Circumstances) -> Result<Element, Fault> {
    let code = message.child("ResponseCode").map_or("", Element::text).trim();
    let success = message.attribute("ResponseClass") == Some("Success");
    if code == "NoError" || (success && code.is_empty()) {
        return Ok(message);
    }
    Err(circumstances.of_item(&ServerError::of_message(&message)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::messages;
    use crate::{
        gateway::ews::{
            document::soap_body,
            fault::Circumstances,
            operation::{Effect, ReadError},
        },
        model::fault::FaultKind,
    };

    fn read(inside: &str, items: usize) -> Result<Vec<String>, String> {
        let text = format!(
            "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' xmlns:m='urn:m'><s:Body>{inside}</s:Body></s:Envelope>"
        );
        let circumstances =
            Circumstances { effect: Effect::Write, impersonation: true, retry_after: None, request_id: None };
        let read = messages(soap_body(text.as_bytes()).unwrap(), "DeleteItem", items, &circumstances);
        match read {
            Ok(results) => Ok(results
                .into_iter()
                .map(|result| match result {
                    Ok(_) => "ok".to_owned(),
                    Err(fault) => match fault.kind {
                        FaultKind::Transient { .. } => format!("later {}", fault.code),
                        FaultKind::Doubtful { .. } => format!("doubt {}", fault.code),
                        FaultKind::Permanent => format!("never {}", fault.code),
                        FaultKind::NotAttempted => format!("not attempted {}", fault.code),
                    },
                })
                .collect()),
            Err(ReadError::Fault(fault)) => Err(fault.code),
            Err(ReadError::Unreadable(unreadable)) => Err(unreadable.to_string()),
        }
    }

    fn answer(messages: &[(&str, &str)]) -> String {
        let messages: String = messages
            .iter()
            .map(|(class, code)| {
                format!("<m:DeleteItemResponseMessage ResponseClass='{class}'><m:ResponseCode>{code}</m:ResponseCode></m:DeleteItemResponseMessage>")
            })
            .collect();
        format!("<m:DeleteItemResponse><m:ResponseMessages>{messages}</m:ResponseMessages></m:DeleteItemResponse>")
    }

    #[test]
    fn messages_are_paired_by_position() {
        let ok = ("Success", "NoError");
        let gone = ("Error", "ErrorItemNotFound");
        let full = ("Error", "ErrorQuotaExceeded");
        let stopped = ("Warning", "ErrorBatchProcessingStopped");
        type Message<'a> = (&'a str, &'a str);
        let cases: [(&[Message<'_>], usize, &[&str]); 6] = [
            (&[ok, gone, ok], 3, &["ok", "never ErrorItemNotFound", "ok"]),
            (&[full], 3, &["never ErrorQuotaExceeded"; 3]),
            (&[gone], 2, &["doubt ErrorItemNotFound"; 2]),
            (&[ok, full, stopped], 3, &["ok", "never ErrorQuotaExceeded", "not attempted ErrorBatchProcessingStopped"]),
            (&[ok], 2, &["ok", "doubt NoResponseMessage"]),
            (&[], 1, &["doubt NoResponseMessage"]),
        ];
        for (given, items, expected) in cases {
            assert_eq!(read(&answer(given), items).unwrap(), expected, "{given:?}");
        }
        let fault = read(&answer(&[ok, ok]), 1).unwrap_err();
        assert_eq!(fault, "2 response messages for 1 items at /DeleteItemResponse");
        assert_eq!(read("<m:GetItemResponse/>", 1).unwrap_err(), "no element DeleteItemResponse at /Body");
    }

    #[test]
    fn soap_faults_are_read_by_local_name() {
        let fault = "<s:Fault><faultcode>a:ErrorServerBusy</faultcode><faultstring>Busy.</faultstring></s:Fault>";
        assert_eq!(read(fault, 1).unwrap_err(), "ErrorServerBusy");
        let fault = "<s:Fault><faultcode>s:Client</faultcode><faultstring>Bad.</faultstring><detail>\
            <e:ResponseCode xmlns:e='urn:e'>ErrorSchemaValidation</e:ResponseCode></detail></s:Fault>";
        assert_eq!(read(fault, 1).unwrap_err(), "ErrorSchemaValidation");
    }
}
