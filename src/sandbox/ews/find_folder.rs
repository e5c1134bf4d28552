//! FindFolder: the calendars of a mailbox, without paging.

use super::{
    Targets,
    access::{Access, Folder, FolderKind, Session},
    element::{Element, Space},
    fault::{Fault, ItemFault},
    folder,
    reply::{Reply, batch, run},
    shape::Shape,
    target::{FolderRef, read_folders},
    value::word_attribute,
    version::Version,
    writer::Writer,
};

#[derive(Debug, Clone)]
pub(super) struct Request {
    parents: Vec<FolderRef>,
    is_deep: bool,
}

impl Request {
    pub(super) fn read(element: &Element, version: Version) -> Result<Self, Fault> {
        element.only_attributes(&["Traversal"])?;
        element.required("Traversal")?;
        let traversals = [("Shallow", false), ("Deep", true), ("SoftDeleted", false)];
        let is_deep = word_attribute(element, "Traversal", &traversals)?.unwrap_or_default();
        let mut sequence = element.sequence();
        Shape::read_for_folder(sequence.required(Space::Messages, "FolderShape")?, version)?;
        if sequence.optional(Space::Messages, "IndexedPageFolderView").is_none() {
            sequence.optional(Space::Messages, "FractionalPageFolderView");
        }
        sequence.optional(Space::Messages, "Restriction");
        let parents = read_folders(sequence.required(Space::Messages, "ParentFolderIds")?)?;
        sequence.finish()?;
        Ok(Self { parents, is_deep })
    }

    pub(super) fn targets(&self) -> Targets<'_> {
        Targets::of_folders(&self.parents)
    }

    pub(super) fn execute(self, session: &Session<'_>) -> Reply {
        batch("FindFolder", "", &run(&self.parents, |parent| find(session, parent, self.is_deep)))
    }
}

fn find(session: &Session<'_>, parent: &FolderRef, is_deep: bool) -> Result<String, ItemFault> {
    let parent = session.folder(parent, Access::Read)?;
    let calendars = session.store.folders(&parent.mailbox)?.into_iter().map(|info| (info.is_default, info));
    let top = FolderKind::Top;
    let kinds: Vec<FolderKind> = match &parent.kind {
        FolderKind::Root if is_deep => {
            std::iter::once(top).chain(calendars.map(|(_, info)| FolderKind::Calendar(info))).collect()
        }
        FolderKind::Root => vec![top],
        FolderKind::Top => calendars
            .filter(|(is_default, _)| is_deep || *is_default)
            .map(|(_, info)| FolderKind::Calendar(info))
            .collect(),
        FolderKind::Calendar(own) if own.is_default => {
            calendars.filter(|(is_default, _)| !is_default).map(|(_, info)| FolderKind::Calendar(info)).collect()
        }
        FolderKind::Calendar(_) => Vec::new(),
    };
    let count = kinds.len().to_string();
    let mut writer = Writer::new();
    writer.open(
        "m:RootFolder",
        &[("IndexedPagingOffset", &count), ("TotalItemsInView", &count), ("IncludesLastItemInRange", "true")],
    );
    writer.open("t:Folders", &[]);
    for kind in kinds {
        folder::write(&mut writer, session, &Folder { mailbox: parent.mailbox.clone(), kind })?;
    }
    writer.close("t:Folders");
    writer.close("m:RootFolder");
    Ok(writer.finish())
}
