//! From method and path to the operation asked for.

use http::Method;

use super::{super::urlencoded, error::GraphError};

/// The operations that the sandbox knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Operation {
    /// `GET /users/{user}`.
    GetUser,
    /// `GET /users/{user}/calendar` and `/calendars/{calendar}`.
    GetCalendar,
    /// `GET /users/{user}/calendars`.
    ListCalendars,
    /// `POST /users/{user}/calendars`.
    CreateCalendar,
    /// `GET …/events`.
    ListEvents,
    /// `POST …/events`.
    CreateEvent,
    /// `GET …/events/{event}`.
    GetEvent(String),
    /// `PATCH …/events/{event}`.
    UpdateEvent(String),
    /// `DELETE …/events/{event}`.
    DeleteEvent(String),
    /// `GET …/events/{event}/instances`.
    ListInstances(String),
    /// `GET …/calendarView`.
    ListCalendarView,
}

impl Operation {
    /// The name that counters and faults use.
    pub(in super::super) const fn name(&self) -> &'static str {
        match self {
            Self::GetUser => "GetUser",
            Self::GetCalendar => "GetCalendar",
            Self::ListCalendars => "ListCalendars",
            Self::CreateCalendar => "CreateCalendar",
            Self::ListEvents => "ListEvents",
            Self::CreateEvent => "CreateEvent",
            Self::GetEvent(_) => "GetEvent",
            Self::UpdateEvent(_) => "UpdateEvent",
            Self::DeleteEvent(_) => "DeleteEvent",
            Self::ListInstances(_) => "ListInstances",
            Self::ListCalendarView => "ListCalendarView",
        }
    }

    /// Whether it changes a mailbox.
    pub(in super::super) const fn writes(&self) -> bool {
        matches!(self, Self::CreateCalendar | Self::CreateEvent | Self::UpdateEvent(_) | Self::DeleteEvent(_))
    }
}

/// What a path asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Route {
    /// The operation.
    pub(in super::super) operation: Operation,
    /// The user, as written.
    pub(in super::super) user: String,
    /// The calendar, in Graph's form; absent for the default one.
    pub(super) calendar: Option<String>,
}

/// Finds the route of a path below `/v1.0/`.
pub(in super::super) fn route(method: &Method, path: &str) -> Result<Route, GraphError> {
    let segments: Vec<String> =
        path.trim_matches('/').split('/').map(|segment| urlencoded::decode(segment, false)).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let unknown = || {
        GraphError::new(400, "BadRequest", format!("Resource not found for the segment in '{}'.", segments.join("/")))
    };
    let ["users", user, rest @ ..] = segments.as_slice() else { return Err(unknown()) };
    let (calendar, in_calendar, rest) = match rest {
        ["calendar", rest @ ..] => (None, true, rest),
        ["calendars", calendar, rest @ ..] => (Some((*calendar).to_owned()), true, rest),
        rest => (None, false, rest),
    };
    let event = |event: &str| event.to_owned();
    let operation = match (method.as_str(), rest, in_calendar) {
        ("GET", [], false) => Operation::GetUser,
        ("GET", [], true) => Operation::GetCalendar,
        ("GET", ["calendars"], false) => Operation::ListCalendars,
        ("POST", ["calendars"], false) => Operation::CreateCalendar,
        ("GET", ["events"], _) => Operation::ListEvents,
        ("POST", ["events"], _) => Operation::CreateEvent,
        ("GET", ["events", id], _) if *id != "delta" => Operation::GetEvent(event(id)),
        ("PATCH", ["events", id], _) => Operation::UpdateEvent(event(id)),
        ("DELETE", ["events", id], _) => Operation::DeleteEvent(event(id)),
        ("GET", ["events", id, "instances"], _) => Operation::ListInstances(event(id)),
        ("GET", ["calendarView"], _) => Operation::ListCalendarView,
        (_, [] | ["calendars" | "events" | "calendarView"] | ["events", _], _) => {
            let message = format!("The method {method} is not allowed here.");
            return Err(GraphError::new(405, "Request_BadRequest", message));
        }
        _ => return Err(unknown()),
    };
    Ok(Route { operation, user: (*user).to_owned(), calendar })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_has_its_operation() {
        let id = || "A/=".to_owned();
        for (method, path, operation, calendar) in [
            (Method::GET, "users/a%40x", Some(Operation::GetUser), None),
            (Method::GET, "/users/a@x/calendar", Some(Operation::GetCalendar), None),
            (Method::GET, "users/a@x/calendars", Some(Operation::ListCalendars), None),
            (Method::POST, "users/a@x/calendars", Some(Operation::CreateCalendar), None),
            (Method::GET, "users/a@x/calendars/C%3D", Some(Operation::GetCalendar), Some("C=")),
            (Method::POST, "users/a@x/events", Some(Operation::CreateEvent), None),
            (Method::POST, "users/a@x/calendar/events", Some(Operation::CreateEvent), None),
            (Method::POST, "users/a@x/calendars/C/events", Some(Operation::CreateEvent), Some("C")),
            (Method::GET, "users/a@x/events/A%2F%3D", Some(Operation::GetEvent(id())), None),
            (Method::PATCH, "users/a@x/calendars/C/events/A%2F=", Some(Operation::UpdateEvent(id())), Some("C")),
            (Method::DELETE, "users/a@x/events/A%2F=", Some(Operation::DeleteEvent(id())), None),
            (Method::GET, "users/a@x/events/A%2F=/instances", Some(Operation::ListInstances(id())), None),
            (Method::GET, "users/a@x/calendar/calendarView", Some(Operation::ListCalendarView), None),
            (Method::PUT, "users/a@x/events/A", None, None),
            (Method::GET, "users/a@x/events/delta", None, None),
            (Method::GET, "me/events", None, None),
            (Method::GET, "users/a@x/messages", None, None),
        ] {
            let found = route(&method, path).ok();
            let expected = operation.map(|operation| Route {
                operation,
                user: "a@x".into(),
                calendar: calendar.map(str::to_owned),
            });
            assert_eq!(found, expected, "{method} {path}");
        }
    }
}
