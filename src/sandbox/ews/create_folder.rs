//! CreateFolder: calendars beside the default one.

use super::{
    Targets,
    access::{Access, Folder, FolderKind, Session},
    element::{Element, Space, unexpected},
    fault::Fault,
    folder,
    reply::{Reply, batch, run},
    target::{FolderRef, read_one_folder},
    writer::Writer,
};

#[derive(Debug, Clone)]
pub(super) struct Request {
    parent: FolderRef,
    names: Vec<String>,
}

impl Request {
    pub(super) fn read(element: &Element) -> Result<Self, Fault> {
        element.only_attributes(&[])?;
        let mut sequence = element.sequence();
        let parent = read_one_folder(sequence.required(Space::Messages, "ParentFolderId")?)?;
        let folders = sequence.required(Space::Messages, "Folders")?;
        sequence.finish()?;
        let name = |child: &Element| {
            if !child.is_type("CalendarFolder") {
                return Err(Fault::schema(child, unexpected(folders, child)));
            }
            let mut inner = child.sequence();
            inner.optional(Space::Types, "FolderClass");
            let name = inner.required(Space::Types, "DisplayName")?.value()?.trim().to_owned();
            inner.finish()?;
            Ok(name)
        };
        let names: Vec<String> = folders.children.iter().map(name).collect::<Result<_, Fault>>()?;
        if names.is_empty() {
            return Err(Fault::schema(folders, "The element 'Folders' has incomplete content."));
        }
        Ok(Self { parent, names })
    }

    pub(super) fn targets(&self) -> Targets<'_> {
        Targets { folders: vec![&self.parent], items: Vec::new(), count: self.names.len() }
    }

    pub(super) fn execute(self, session: &Session<'_>) -> Reply {
        let outcomes = run(&self.names, |name| {
            let parent = session.folder(&self.parent, Access::Create)?;
            let info = session.store.add_folder(&parent.mailbox, name)?;
            let mut writer = Writer::new();
            writer.open("m:Folders", &[]);
            folder::write(&mut writer, session, &Folder { mailbox: parent.mailbox, kind: FolderKind::Calendar(info) })?;
            writer.close("m:Folders");
            Ok(writer.finish())
        });
        batch("CreateFolder", "<m:Folders/>", &outcomes)
    }
}
