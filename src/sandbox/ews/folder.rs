//! Writes a folder.

use super::{
    access::{Folder, FolderKind, Session},
    fault::ItemFault,
    version::Version,
    writer::Writer,
};

/// A folder with all its properties; a shape that asks for fewer gets more, as the schema allows.
pub(super) fn write(writer: &mut Writer, session: &Session<'_>, folder: &Folder) -> Result<(), ItemFault> {
    let id = folder.kind.id(session.store, &folder.mailbox);
    let calendars = session.store.folders(&folder.mailbox)?;
    let distinguished = |writer: &mut Writer, name: &str| {
        if session.version >= Version::Exchange2013 {
            writer.text("t:DistinguishedFolderId", name);
        }
    };
    match &folder.kind {
        FolderKind::Calendar(info) => {
            writer.open("t:CalendarFolder", &[]);
            writer.empty("t:FolderId", &[("Id", &id), ("ChangeKey", &info.change_key)]);
            let parent = if info.is_default {
                FolderKind::Top.id(session.store, &folder.mailbox)
            } else {
                calendars[0].id.clone()
            };
            writer.empty("t:ParentFolderId", &[("Id", &parent)]);
            writer.text("t:FolderClass", "IPF.Appointment");
            writer.text("t:DisplayName", &info.name);
            writer.text("t:TotalCount", &info.item_count.to_string());
            let children = if info.is_default { calendars.len().saturating_sub(1) } else { 0 };
            writer.text("t:ChildFolderCount", &children.to_string());
            if info.is_default {
                distinguished(writer, "calendar");
            }
            writer.close("t:CalendarFolder");
        }
        FolderKind::Root | FolderKind::Top => {
            let is_root = matches!(folder.kind, FolderKind::Root);
            writer.open("t:Folder", &[]);
            writer.empty("t:FolderId", &[("Id", &id)]);
            if !is_root {
                writer.empty("t:ParentFolderId", &[("Id", &FolderKind::Root.id(session.store, &folder.mailbox))]);
                writer.text("t:FolderClass", "IPF.Note");
            }
            writer.text("t:DisplayName", if is_root { "Root" } else { "Top of Information Store" });
            writer.text("t:TotalCount", "0");
            writer.text("t:ChildFolderCount", "1");
            distinguished(writer, if is_root { "root" } else { "msgfolderroot" });
            writer.text("t:UnreadCount", "0");
            writer.close("t:Folder");
        }
    }
    Ok(())
}
