//! SyncFolderItems.

use super::{
    Targets,
    access::{Access, Session},
    calendar_item,
    element::{Element, Space},
    fault::{Fault, ItemFault},
    reply::{Reply, batch, run},
    shape::Shape,
    target::{FolderRef, read_items, read_one_folder},
    value::number,
    version::Version,
    writer::Writer,
};
use crate::sandbox::store::FolderChange;

#[derive(Debug, Clone)]
pub(super) struct Request {
    shape: Shape,
    folder: FolderRef,
    state: Option<String>,
    ignored: Vec<String>,
    count_max: usize,
}

impl Request {
    pub(super) fn read(element: &Element, version: Version) -> Result<Self, Fault> {
        element.only_attributes(&[])?;
        let mut sequence = element.sequence();
        let shape = Shape::read(sequence.required(Space::Messages, "ItemShape")?, version)?;
        let folder = read_one_folder(sequence.required(Space::Messages, "SyncFolderId")?)?;
        let state = sequence.optional(Space::Messages, "SyncState").map(Element::value).transpose()?;
        let ignored = sequence.optional(Space::Messages, "Ignore").map(read_items).transpose()?.unwrap_or_default();
        let count_max = number(sequence.required(Space::Messages, "MaxChangesReturned")?, 1..=512)?;
        sequence.optional(Space::Messages, "SyncScope");
        sequence.finish()?;
        Ok(Self {
            shape,
            folder,
            state: state.map(str::trim).filter(|state| !state.is_empty()).map(str::to_owned),
            ignored: ignored.into_iter().map(|item| item.id).collect(),
            count_max: usize::try_from(count_max).unwrap_or(512),
        })
    }

    pub(super) fn targets(&self) -> Targets<'_> {
        Targets::of_folders([&self.folder])
    }

    pub(super) fn execute(self, session: &Session<'_>) -> Reply {
        batch("SyncFolderItems", "", &run(&[()], |()| self.sync(session)))
    }

    fn sync(&self, session: &Session<'_>) -> Result<String, ItemFault> {
        let (mailbox, folder) = session.calendar(&self.folder, Access::Read)?;
        let found = session.store.changes(&mailbox, Some(&folder.id), self.state.as_deref(), self.count_max)?;
        // Like a search it gives no bodies.
        let columns = self.shape.columns(session.version, true);
        let mut writer = Writer::new();
        writer.text("m:SyncState", &found.state);
        writer.text("m:IncludesLastItemInRange", if found.is_last { "true" } else { "false" });
        writer.open("m:Changes", &[]);
        for change in &found.changes {
            let (name, entry) = match change {
                FolderChange::Created(entry) => ("t:Create", entry),
                FolderChange::Updated(entry) => ("t:Update", entry),
                FolderChange::Deleted { id, .. } => {
                    writer.open("t:Delete", &[]);
                    writer.empty("t:ItemId", &[("Id", id)]);
                    writer.close("t:Delete");
                    continue;
                }
            };
            if !self.ignored.contains(&entry.id) {
                writer.open(name, &[]);
                calendar_item::write(&mut writer, session, entry, &columns)?;
                writer.close(name);
            }
        }
        writer.close("m:Changes");
        Ok(writer.finish())
    }
}
