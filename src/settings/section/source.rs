//! `[sources.NAME]`.

use super::super::{
    FilesSource, Source,
    reader::{Reader, Section},
    schema,
    words::Words,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SourceKind {
    Files,
}

const SOURCE_KINDS: Words<SourceKind> = &[("files", SourceKind::Files)];

pub(in super::super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<Source> {
    reader.unknown_keys(section, schema::SOURCE);
    reader.needed(section, "kind", "to know how the source is read", "write kind = \"files\"");
    reader.needed(section, "path", "to know where the files are", "name a folder: path = \"/var/lib/calsyncd/inbox\"");
    reader.needed(
        section,
        "zone",
        "for the wall times that name none",
        "give the zone of the business: zone = \"Europe/Paris\"",
    );
    let kind = reader.word(section, "kind", SOURCE_KINDS);
    let path = reader.text(section, "path");
    let zone = reader.zone(section, "zone");
    let end_marker = reader.switch(section, "end_marker").is_some_and(|given| given.value);
    let folder = reader.folder();
    match kind?.value {
        SourceKind::Files => {
            Some(Source::Files(FilesSource { path: folder.join(path?.value), zone: zone?.value, end_marker }))
        }
    }
}
