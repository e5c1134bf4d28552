//! Paths to properties: `FieldURI`, `ExtendedFieldURI`, `IndexedFieldURI`.

use super::{
    element::{Element, Space},
    fault::Fault,
    version::Version,
    vocabulary::{self, Known},
};
use crate::sandbox::store::PropertyName;

/// A path to a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Path {
    /// An element of a calendar item.
    Field(&'static str, String),
    /// A property of a folder, or of another class of item.
    Foreign(String),
    /// A named string property.
    Named(PropertyName),
    /// Another extended property, which no item of the sandbox has.
    Extended(Vec<(String, String)>),
}

impl Path {
    /// The name of the element, when the path is to one.
    pub(super) const fn element_name(&self) -> Option<&'static str> {
        match self {
            Self::Field(name, _) => Some(name),
            Self::Foreign(_) | Self::Named(_) | Self::Extended(_) => None,
        }
    }

    /// How a fault names it.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Field(_, path) | Self::Foreign(path) => path.clone(),
            Self::Named(_) | Self::Extended(_) => "item:ExtendedProperty".to_owned(),
        }
    }
}

/// Whether an element is a path.
pub(super) fn is_path(element: &Element) -> bool {
    element.space == Space::Types
        && matches!(element.name.as_str(), "FieldURI" | "ExtendedFieldURI" | "IndexedFieldURI" | "ExceptionFieldURI")
}

/// Reads a path.
pub(super) fn read(element: &Element, version: Version) -> Result<Path, Fault> {
    if !is_path(element) {
        return Err(Fault::schema(element, format!("The element '{}' is not a path.", element.name)));
    }
    match element.name.as_str() {
        "FieldURI" => field(element, version),
        "ExtendedFieldURI" => extended(element),
        _ => {
            element.required("FieldURI")?;
            Ok(Path::Foreign(element.attribute("FieldURI").unwrap_or_default().to_owned()))
        }
    }
}

fn field(element: &Element, version: Version) -> Result<Path, Fault> {
    const PREFIXES: [&str; 10] = [
        "folder",
        "message",
        "meeting",
        "meetingRequest",
        "task",
        "contacts",
        "distributionlist",
        "postitem",
        "conversation",
        "persona",
    ];
    element.only_attributes(&["FieldURI"])?;
    let uri = element.required("FieldURI")?;
    let fault =
        || Fault::schema(element, format!("The 'FieldURI' attribute is invalid - The value '{uri}' is invalid."));
    let (prefix, _) = uri.split_once(':').ok_or_else(fault)?;
    if PREFIXES.contains(&prefix) {
        return Ok(Path::Foreign(uri.to_owned()));
    }
    let known: &Known = vocabulary::of_path(uri).filter(|known| known.name != "ExtendedProperty").ok_or_else(fault)?;
    if known.since > version {
        return Err(fault());
    }
    Ok(Path::Field(known.name, uri.to_owned()))
}

fn extended(element: &Element) -> Result<Path, Fault> {
    const ATTRIBUTES: [&str; 6] =
        ["DistinguishedPropertySetId", "PropertySetId", "PropertyTag", "PropertyName", "PropertyId", "PropertyType"];
    const TYPES: [&str; 26] = [
        "ApplicationTime",
        "ApplicationTimeArray",
        "Binary",
        "BinaryArray",
        "Boolean",
        "CLSID",
        "CLSIDArray",
        "Currency",
        "CurrencyArray",
        "Double",
        "DoubleArray",
        "Error",
        "Float",
        "FloatArray",
        "Integer",
        "IntegerArray",
        "Long",
        "LongArray",
        "Null",
        "Object",
        "ObjectArray",
        "Short",
        "ShortArray",
        "SystemTime",
        "SystemTimeArray",
        "String",
    ];
    element.only_attributes(&ATTRIBUTES)?;
    let kind = element.required("PropertyType")?;
    if !TYPES.contains(&kind) && kind != "StringArray" {
        return Err(Fault::schema(element, "The 'PropertyType' attribute is invalid."));
    }
    if element.attribute("PropertySetId").is_some_and(|set| uuid::Uuid::try_parse(set).is_err() || set.len() != 36) {
        return Err(Fault::schema(element, "The 'PropertySetId' attribute is invalid: the Pattern constraint failed."));
    }
    match (element.attribute("PropertySetId"), element.attribute("PropertyName")) {
        (Some(set), Some(name)) if kind == "String" => Ok(Path::Named(PropertyName::new(set, name))),
        _ => Ok(Path::Extended(element.attributes.clone())),
    }
}

/// Whether the attributes of an extended path fit together.
pub(super) fn is_consistent(attributes: &[(String, String)]) -> bool {
    let has = |name: &str| attributes.iter().any(|(key, _)| key == name);
    let set = has("PropertySetId") || has("DistinguishedPropertySetId");
    let one_set = !(has("PropertySetId") && has("DistinguishedPropertySetId"));
    let name = has("PropertyName") ^ has("PropertyId");
    if has("PropertyTag") { !set && !has("PropertyName") && !has("PropertyId") } else { set && one_set && name }
}
