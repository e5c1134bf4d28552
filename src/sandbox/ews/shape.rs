//! Shapes: which properties an answer holds.

use super::{
    element::{Element, Space},
    fault::Fault,
    path::{self, Path},
    value::{boolean, word},
    version::Version,
    vocabulary::{BODY_KINDS, ELEMENTS},
};
use crate::sandbox::store::{BodyKind, PropertyName};

/// The base of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    IdOnly,
    Default,
    AllProperties,
}

const BASES: &[(&str, Base)] =
    &[("IdOnly", Base::IdOnly), ("Default", Base::Default), ("AllProperties", Base::AllProperties)];

/// A shape as a request asks for it.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) base: Base,
    /// In which form a body is wanted; without it as it was stored.
    pub(super) body_kind: Option<BodyKind>,
    pub(super) paths: Vec<Path>,
}

/// A shape brought down to what is to be written, in the order of the schema.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    pub(super) names: Vec<&'static str>,
    pub(super) properties: Vec<PropertyName>,
    pub(super) body_kind: Option<BodyKind>,
    /// Whether it is for a FindItem, which gives no bodies and cuts long strings.
    pub(super) is_search: bool,
}

/// What `Default` gives of a calendar item.
const DEFAULT: [&str; 10] = [
    "ItemId",
    "Subject",
    "HasAttachments",
    "Start",
    "End",
    "LegacyFreeBusyStatus",
    "Location",
    "IsMeeting",
    "CalendarItemType",
    "Organizer",
];

/// What only a named path gives, or only a GetItem.
const NOT_IN_ALL: [&str; 4] = ["StartWallClock", "EndWallClock", "StartTimeZoneId", "EndTimeZoneId"];
const NOT_IN_SEARCH: [&str; 6] =
    ["Body", "TextBody", "FirstOccurrence", "LastOccurrence", "ModifiedOccurrences", "DeletedOccurrences"];

impl Shape {
    /// Reads an `ItemShape`.
    pub(super) fn read(element: &Element, version: Version) -> Result<Self, Fault> {
        let mut sequence = element.sequence();
        let base = word(sequence.required(Space::Types, "BaseShape")?, BASES)?;
        if let Some(mime) = sequence.optional(Space::Types, "IncludeMimeContent") {
            boolean(mime)?;
        }
        let body_kind = match sequence.optional(Space::Types, "BodyType") {
            Some(kind) if kind.value()? == "Best" => None,
            Some(kind) => Some(word(kind, BODY_KINDS)?),
            None => None,
        };
        for (name, since) in [
            ("UniqueBodyType", Version::Exchange2013),
            ("NormalizedBodyType", Version::Exchange2013),
            ("FilterHtmlContent", Version::Exchange2010),
            ("ConvertHtmlCodePageToUTF8", Version::Exchange2010Sp1),
            ("InlineImageUrlTemplate", Version::Exchange2013),
            ("BlockExternalImages", Version::Exchange2013),
            ("AddBlankTargetToLinks", Version::Exchange2013),
            ("MaximumBodySize", Version::Exchange2013),
        ] {
            if let Some(child) = sequence.optional(Space::Types, name)
                && since > version
            {
                return Err(Fault::schema(child, super::element::unexpected(element, child)));
            }
        }
        let paths = read_additional(&mut sequence, version)?;
        sequence.finish()?;
        Ok(Self { base, body_kind, paths })
    }

    /// Reads a `FolderShape`: every folder is written with all it has, so that only its form is checked.
    pub(super) fn read_for_folder(element: &Element, version: Version) -> Result<Self, Fault> {
        let mut sequence = element.sequence();
        let base = word(sequence.required(Space::Types, "BaseShape")?, BASES)?;
        let paths = read_additional(&mut sequence, version)?;
        sequence.finish()?;
        Ok(Self { base, body_kind: None, paths })
    }

    /// The columns of the shape.
    pub(super) fn columns(&self, version: Version, is_search: bool) -> Columns {
        let asked = |name: &str| self.paths.iter().any(|path| path.element_name() == Some(name));
        let names = ELEMENTS
            .iter()
            .filter(|known| known.since <= version && known.name != "ExtendedProperty")
            .map(|known| known.name)
            .filter(|name| !(is_search && NOT_IN_SEARCH.contains(name)))
            .filter(|name| {
                *name == "ItemId"
                    || asked(name)
                    || match self.base {
                        Base::IdOnly => false,
                        Base::Default => DEFAULT.contains(name),
                        Base::AllProperties => !NOT_IN_ALL.contains(name),
                    }
            });
        let mut names: Vec<&'static str> = names.collect();
        let properties: Vec<PropertyName> = self
            .paths
            .iter()
            .filter_map(|path| match path {
                Path::Named(name) => Some(name.clone()),
                Path::Field(..) | Path::Foreign(_) | Path::Extended(_) => None,
            })
            .collect();
        if !properties.is_empty() {
            let place = super::vocabulary::position("ExtendedProperty");
            let at = names.iter().position(|name| super::vocabulary::position(name) > place).unwrap_or(names.len());
            names.insert(at, "ExtendedProperty");
        }
        Columns { names, properties, body_kind: self.body_kind, is_search }
    }
}

fn read_additional(sequence: &mut super::element::Sequence<'_>, version: Version) -> Result<Vec<Path>, Fault> {
    let Some(additional) = sequence.optional(Space::Types, "AdditionalProperties") else { return Ok(Vec::new()) };
    additional.children.iter().map(|child| path::read(child, version)).collect()
}
