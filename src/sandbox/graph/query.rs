//! The options of a query string.

use super::{
    super::urlencoded,
    error::GraphError,
    filter::{Condition, filter},
    odata::{Expand, expand},
};

/// The largest page.
const TOP_MAX: usize = 1000;

/// The options, read.
#[derive(Debug, Default)]
pub(super) struct Query {
    /// `$select`; absent for everything.
    pub(super) select: Option<Vec<String>>,
    /// `$expand`.
    pub(super) expand: Expand,
    /// `$filter`.
    pub(super) filter: Option<Condition>,
    /// `$top`.
    pub(super) top: Option<usize>,
    /// `$skip`.
    pub(super) skip: usize,
    /// `$count`.
    pub(super) count: bool,
    /// `$orderby`: by start, and whether downward.
    pub(super) order_by_start: Option<bool>,
    /// Every pair, for the link to the next page and for what is not OData.
    pub(super) pairs: Vec<(String, String)>,
}

/// Reads the query of a request; an option that the sandbox does not know is refused.
pub(super) fn query(text: &str) -> Result<Query, GraphError> {
    let pairs = urlencoded::pairs(text);
    let mut query = Query::default();
    for (name, value) in &pairs {
        let number = || {
            let message = format!("The value '{value}' of '{name}' is not a number.");
            value.parse::<usize>().map_err(|_| GraphError::new(400, "BadRequest", message))
        };
        match name.as_str() {
            "$select" => query.select = Some(value.split(',').map(|name| name.trim().to_owned()).collect()),
            "$expand" => query.expand = expand(value)?,
            "$filter" => query.filter = Some(filter(value)?),
            "$top" => query.top = Some(number()?),
            "$skip" => query.skip = number()?,
            "$count" => query.count = value == "true",
            "$orderby" => query.order_by_start = Some(downward(value)?),
            "startDateTime" | "endDateTime" => {}
            other => {
                let message = format!("The query option '{other}' is not known.");
                return Err(GraphError::new(400, "BadRequest", message));
            }
        }
    }
    if query.top.is_some_and(|top| top == 0 || top > TOP_MAX) {
        let message = format!("The limit of '{TOP_MAX}' for Top query has been exceeded, or it is 0.");
        return Err(GraphError::invalid(message));
    }
    query.pairs = pairs;
    Ok(query)
}

fn downward(value: &str) -> Result<bool, GraphError> {
    match value.trim() {
        "start/dateTime" | "start/dateTime asc" => Ok(false),
        "start/dateTime desc" => Ok(true),
        other => Err(GraphError::new(400, "BadRequest", format!("Cannot order by '{other}'."))),
    }
}

impl Query {
    /// The value of a pair that is not OData.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        urlencoded::value(&self.pairs, name)
    }

    /// The same query for the page that begins at `skip`.
    pub(super) fn with_skip(&self, skip: usize) -> String {
        let mut text = String::new();
        for (name, value) in self.pairs.iter().filter(|(name, _)| name != "$skip") {
            // Microsoft leaves the dollar of an option's name as it is.
            text.push_str(&format!("{}={}&", urlencoded::encode(name).replace("%24", "$"), urlencoded::encode(value)));
        }
        text.push_str(&format!("$skip={skip}"));
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn options_are_read_and_carried_on() {
        let read =
            query("$select=id,%20subject&$top=5&%24skip=10&$orderby=start/dateTime%20desc&startDateTime=x").unwrap();
        assert_eq!(read.select.as_deref(), Some(["id".to_owned(), "subject".to_owned()].as_slice()));
        assert_eq!((read.top, read.skip, read.order_by_start), (Some(5), 10, Some(true)));
        assert_eq!(read.value("startDateTime"), Some("x"));
        let next = read.with_skip(15);
        assert!(next.ends_with("&$skip=15") && next.matches("skip").count() == 1, "{next}");
        assert_eq!(query(&next).unwrap().skip, 15);
        for bad in ["$top=0", "$top=1001", "$top=x", "$search=x", "colour=red", "$orderby=subject"] {
            assert!(query(bad).is_err(), "{bad}");
        }
    }
}
