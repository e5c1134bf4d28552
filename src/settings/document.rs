//! The settings file as text: its encoding, its syntax, and where each key stands.

use std::{collections::BTreeMap, fs, io, ops::Range, path::Path};

use config::{Map, Value, ValueKind};
use toml::de::{DeTable, DeValue};

use super::{
    finding::{Finding, SettingsFaults},
    literal::Literals,
};

/// Settings files are a few kilobytes; what is larger is another file given by mistake.
const FILE_SIZE_MAX: u64 = 1024 * 1024;
/// How many syntax faults are worth reading.
const SYNTAX_FAULTS_MAX: usize = 20;
/// The origin that values of the file carry through the layers.
pub(super) const ORIGIN_FILE: &str = "file";

/// The text of a settings file.
pub(super) struct FileText {
    /// The text without a byte order mark.
    pub(super) text: String,
    /// Whether it began with a byte order mark.
    pub(super) byte_order_mark: bool,
    /// The permission bits, where the system has them.
    pub(super) mode: Option<u32>,
}

/// Reads the file.
///
/// # Errors
/// A finding when it is missing, no ordinary file, too large, unreadable or not UTF-8.
pub(super) fn read(path: &Path) -> Result<FileText, SettingsFaults> {
    let fault = |message: String, hint: &str| SettingsFaults::from(Finding::of_file(path, message, Some(hint)));
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => {
            fault("there is no such file".to_owned(), "name the settings file with --config FILE")
        }
        io::ErrorKind::PermissionDenied => {
            fault("the file cannot be read: permission denied".to_owned(), "let the user of the service read it")
        }
        _ => fault(format!("the file cannot be read: {error}"), "see that the file and its disk are well"),
    };
    let metadata = fs::metadata(path).map_err(failed)?;
    if metadata.is_dir() {
        return Err(fault("this is a folder, not a file".to_owned(), "name the file inside it"));
    }
    if !metadata.is_file() {
        return Err(fault("this is not an ordinary file".to_owned(), "name a file that can be read again at a reload"));
    }
    if metadata.len() > FILE_SIZE_MAX {
        return Err(fault(
            format!("the file has {} bytes; settings have at most {FILE_SIZE_MAX}", metadata.len()),
            "see that this is the settings file",
        ));
    }
    let bytes = fs::read(path).map_err(failed)?;
    let (text, byte_order_mark) = decode(path, &bytes)?;
    Ok(FileText { text, byte_order_mark, mode: mode(&metadata) })
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "other systems have no mode")]
pub(super) fn mode(metadata: &fs::Metadata) -> Option<u32> {
    Some(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()))
}

#[cfg(not(unix))]
pub(super) fn mode(_: &fs::Metadata) -> Option<u32> {
    None
}

/// The text of `bytes` without its byte order mark, and whether it had one.
pub(super) fn decode(path: &Path, bytes: &[u8]) -> Result<(String, bool), SettingsFaults> {
    let hint = Some("save the file as UTF-8");
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(Finding::of_file(path, "the file is UTF-16", hint).into());
    }
    let (body, byte_order_mark) = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).map_or((bytes, false), |body| (body, true));
    if body.iter().take(64).any(|byte| *byte == 0) {
        return Err(Finding::of_file(path, "the file holds NUL bytes: it is UTF-16, or no text at all", hint).into());
    }
    match std::str::from_utf8(body) {
        Ok(text) if text.trim().is_empty() => Err(Finding::of_file(
            path,
            "the file is empty",
            Some("begin with config/calsyncd.toml, which explains every key"),
        )
        .into()),
        Ok(text) => Ok((text.to_owned(), byte_order_mark)),
        Err(error) => {
            let good = std::str::from_utf8(body.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default();
            let byte = body.get(error.valid_up_to()).copied().unwrap_or_default();
            let (line, column) = Lines::new(good).position(good.len());
            let message =
                format!("byte 0x{byte:02X} is not UTF-8: the file is Latin-1 (ISO 8859-1, Windows-1252) or damaged");
            Err(Finding::of_file(path, message, hint).at(line, column).into())
        }
    }
}

/// Where lines begin.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(index, _)| index + 1)).collect();
        Self { text, starts }
    }

    /// Line and column, both from 1, of a byte.
    pub(super) fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|index| self.starts.get(index)).copied().unwrap_or_default();
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count());
        (line, column + 1)
    }
}

/// Line and column of each key, by its dotted path; of an element of a list, by `path[index]`.
pub(super) type Positions = BTreeMap<String, (usize, usize)>;

/// The file, parsed.
pub(super) struct Document {
    /// Its values, each with the origin [`ORIGIN_FILE`].
    pub(super) values: Map<String, Value>,
    /// Where they stand.
    pub(super) positions: Positions,
    /// How its texts are written.
    pub(super) literals: Literals,
}

impl Document {
    /// Parses the text.
    ///
    /// # Errors
    /// Every fault of syntax. What the keys say is then not looked at: a broken line would make nonsense of the rest.
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, SettingsFaults> {
        let lines = Lines::new(text);
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let faults = errors.iter().take(SYNTAX_FAULTS_MAX).map(|error| syntax_fault(path, text, &lines, error));
            return Err(SettingsFaults { findings: faults.collect() });
        }
        let mut places = Places { lines: &lines, positions: Positions::new(), spans: BTreeMap::new() };
        let values = convert_table(table.get_ref(), "", &mut places);
        let (positions, spans) = (places.positions, places.spans);
        Ok(Self { values, positions, literals: Literals::new(text, spans) })
    }
}

fn syntax_fault(path: &Path, text: &str, lines: &Lines<'_>, error: &toml::de::Error) -> Finding {
    let offset = error.span().map_or(text.len(), |span| span.start);
    let (line, column) = lines.position(offset.min(text.len()));
    let hint = if offset >= text.trim_end().len() {
        "the file ends in the middle of something: it may be truncated"
    } else {
        "the rest of the file is checked once this is right"
    };
    Finding::of_file(path, error.message().trim().replace('\n', ", "), Some(hint)).at(line, column)
}

/// What is noted of places while values are taken over.
struct Places<'a> {
    lines: &'a Lines<'a>,
    positions: Positions,
    spans: BTreeMap<String, Range<usize>>,
}

fn convert_table(table: &DeTable<'_>, path: &str, places: &mut Places<'_>) -> Map<String, Value> {
    let mut converted = Map::new();
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        places.positions.insert(path.clone(), places.lines.position(key.span().start));
        if value.get_ref().is_str() {
            places.spans.insert(path.clone(), value.span());
        }
        converted.insert(name.to_owned(), convert(value.get_ref(), &path, places));
    }
    converted
}

fn convert(value: &DeValue<'_>, path: &str, places: &mut Places<'_>) -> Value {
    let kind = match value {
        DeValue::String(text) => ValueKind::String(text.to_string()),
        DeValue::Integer(number) => {
            ValueKind::I128(i128::from_str_radix(number.as_str(), number.radix()).unwrap_or(i128::MAX))
        }
        DeValue::Float(number) => ValueKind::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(value) => ValueKind::Boolean(*value),
        // No setting is a TOML date or time: `Nil` stands for "of no use".
        DeValue::Datetime(_) => ValueKind::Nil,
        DeValue::Array(elements) => {
            let mut converted = Vec::new();
            for (index, element) in elements.iter().enumerate() {
                let path = format!("{path}[{index}]");
                places.positions.insert(path.clone(), places.lines.position(element.span().start));
                if element.get_ref().is_str() {
                    places.spans.insert(path.clone(), element.span());
                }
                converted.push(convert(element.get_ref(), &path, places));
            }
            ValueKind::Array(converted)
        }
        DeValue::Table(table) => ValueKind::Table(convert_table(table, path, places)),
    };
    Value::new(Some(&ORIGIN_FILE.to_owned()), kind)
}
