//! How an event is declared, and the description of all of them.

use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};

use jiff::Timestamp;
use tracing::{Level, field::DisplayValue};

use super::events;

/// The target that all events of the catalogue carry in `tracing`.
pub const TARGET: &str = "calsyncd";

/// One event of the catalogue.
#[derive(Debug)]
pub struct EventDescription {
    /// The value of the field `event`, such as `mailbox_pass_finished`. Never changes.
    pub name: &'static str,
    /// The level it is logged at.
    pub level: Level,
    /// The sentence of the log.
    pub sentence: &'static str,
    /// When it is logged.
    pub meaning: &'static str,
    /// Its fields, in their order.
    pub fields: &'static [FieldDescription],
    /// What to do about it; also logged, as the field `hint`.
    pub hint: Option<&'static str>,
    /// The counter of its occurrences, if it has one.
    pub metric: Option<&'static str>,
    /// How often it happened since the start of the process.
    pub(super) count: &'static AtomicU64,
}

impl EventDescription {
    /// How often it happened since the start of the process, logged or not.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

/// One field of an event.
#[derive(Debug)]
pub struct FieldDescription {
    /// Its name in the log.
    pub name: &'static str,
    /// Its type in JSON.
    pub form: &'static str,
    /// What it says.
    pub meaning: &'static str,
}

/// Every event, in the order of `docs/events.md`.
#[must_use]
pub fn catalogue() -> &'static [EventDescription] {
    static CATALOGUE: LazyLock<Vec<EventDescription>> = LazyLock::new(|| {
        let mut all = Vec::new();
        for describe in events::ALL {
            all.extend(describe());
        }
        all
    });
    &CATALOGUE
}

/// A type that a field of an event can have. Closed on purpose: nothing that could hold calendar content whole.
pub(super) trait Field {
    /// Its type in JSON.
    const FORM: &'static str;
    /// What `tracing` takes.
    type Logged: tracing::Value;
    /// The value as `tracing` takes it.
    fn logged(&self) -> Self::Logged;
}

macro_rules! plain_fields {
    ($($type:ty => $form:literal),*) => { $(
        impl Field for $type {
            const FORM: &'static str = $form;
            type Logged = Self;
            fn logged(&self) -> Self {
                *self
            }
        }
    )* };
}

plain_fields!(u64 => "number", u32 => "number", u16 => "number", i64 => "number", bool => "boolean");

impl<'a> Field for &'a str {
    const FORM: &'static str = "text";
    type Logged = &'a str;
    fn logged(&self) -> &'a str {
        self
    }
}

impl Field for Timestamp {
    const FORM: &'static str = "time";
    type Logged = DisplayValue<Timestamp>;
    fn logged(&self) -> DisplayValue<Timestamp> {
        tracing::field::display(*self)
    }
}

/// Left out of the log when absent.
impl<T: Field> Field for Option<T> {
    const FORM: &'static str = T::FORM;
    type Logged = Option<T::Logged>;
    fn logged(&self) -> Option<T::Logged> {
        self.as_ref().map(Field::logged)
    }
}

/// Declares events: a struct for each, its `emit`, and the description of all.
///
/// ```text
/// /// When it is logged.
/// INFO MailboxPassFinished<'a> "mailbox_pass_finished": "a pass over a mailbox is finished" {
///     /// The mailbox.
///     mailbox: &'a str,
/// } hint "what to do" metric "mailbox_passes_total"
/// ```
///
/// The lifetime is written when a field borrows; `hint` and `metric` are optional.
macro_rules! declare_events {
    ($(
        $(#[doc = $meaning:literal])+
        $level:ident $name:ident $(<$lifetime:lifetime>)? $key:literal : $sentence:literal {
            $( $(#[doc = $field_meaning:literal])+ $field:ident : $type:ty ),* $(,)?
        } $(hint $hint:literal)? $(metric $metric:literal)?
    )+) => {
        $(
            $(#[doc = $meaning])+
            #[derive(Debug, Clone, PartialEq, Eq)]
            pub struct $name $(<$lifetime>)? {
                $( $(#[doc = $field_meaning])+ pub $field: $type, )*
            }

            impl $(<$lifetime>)? $name $(<$lifetime>)? {
                /// Logs the event and counts it.
                pub fn emit(self) {
                    Self::count().fetch_add(1, ::std::sync::atomic::Ordering::Relaxed);
                    ::tracing::event!(
                        target: $crate::observability::catalogue::TARGET,
                        ::tracing::Level::$level,
                        event = $key,
                        $( $field = $crate::observability::catalogue::Field::logged(&self.$field), )*
                        $( hint = $hint, )?
                        $sentence
                    );
                }

                fn count() -> &'static ::std::sync::atomic::AtomicU64 {
                    static COUNT: ::std::sync::atomic::AtomicU64 = ::std::sync::atomic::AtomicU64::new(0);
                    &COUNT
                }

                fn describe() -> $crate::observability::EventDescription {
                    $crate::observability::EventDescription {
                        name: $key,
                        level: ::tracing::Level::$level,
                        sentence: $sentence,
                        meaning: concat!($($meaning),+),
                        fields: const { &[ $( $crate::observability::FieldDescription {
                            name: stringify!($field),
                            form: <$type as $crate::observability::catalogue::Field>::FORM,
                            meaning: concat!($($field_meaning),+),
                        } ),* ] },
                        hint: [$(Some($hint),)? None][0],
                        metric: [$(Some($metric),)? None][0],
                        count: Self::count(),
                    }
                }
            }
        )+

        /// Describes the events of this file.
        pub(super) fn describe() -> Vec<$crate::observability::EventDescription> {
            vec![ $( $name::describe() ),+ ]
        }
    };
}

pub(super) use declare_events;
