//! GetFolder.

use super::{
    Targets,
    access::{Access, Session},
    element::{Element, Space},
    fault::Fault,
    folder,
    reply::{Reply, batch, run},
    shape::Shape,
    target::{FolderRef, read_folders},
    version::Version,
    writer::Writer,
};

#[derive(Debug, Clone)]
pub(super) struct Request {
    folders: Vec<FolderRef>,
}

impl Request {
    pub(super) fn read(element: &Element, version: Version) -> Result<Self, Fault> {
        element.only_attributes(&[])?;
        let mut sequence = element.sequence();
        Shape::read_for_folder(sequence.required(Space::Messages, "FolderShape")?, version)?;
        let folders = read_folders(sequence.required(Space::Messages, "FolderIds")?)?;
        sequence.finish()?;
        Ok(Self { folders })
    }

    pub(super) fn targets(&self) -> Targets<'_> {
        Targets::of_folders(&self.folders)
    }

    pub(super) fn execute(self, session: &Session<'_>) -> Reply {
        let outcomes = run(&self.folders, |reference| {
            let found = session.folder(reference, Access::Read)?;
            let mut writer = Writer::new();
            writer.open("m:Folders", &[]);
            folder::write(&mut writer, session, &found)?;
            writer.close("m:Folders");
            Ok(writer.finish())
        });
        batch("GetFolder", "<m:Folders/>", &outcomes)
    }
}
