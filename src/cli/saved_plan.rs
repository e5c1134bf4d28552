//! The file of a saved plan: written as a whole, for its owner alone; read and checked.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use jiff::{Timestamp, Unit};

use super::output::hinted;
use crate::{
    model::link::Owner,
    plan::SavedPlan,
    scheduler::Plans,
    settings::{Settings, digest},
};

/// A plan file is not larger.
const LENGTH_MAX: u64 = 1 << 30;

/// Saves what was planned; mailboxes without a plan are not in it.
pub(super) fn save(
    path: &Path,
    plans: &Plans,
    owner: &Owner,
    settings: &Settings,
    now: Timestamp,
) -> anyhow::Result<SavedPlan> {
    let stamps = plans.mailboxes.iter().filter_map(|(mailbox, looked)| Some((mailbox, looked.as_ref().ok()?)));
    let saved = SavedPlan {
        made_at: now.round(Unit::Second).unwrap_or(now),
        owner: owner.clone(),
        settings: digest(settings),
        mailboxes: stamps.map(|(mailbox, looked)| (mailbox.clone(), looked.stamp.clone())).collect::<BTreeMap<_, _>>(),
    };
    write(path, saved.to_text().as_bytes()).map_err(|error| {
        hinted(
            format!("cannot save the plan at {}: {error}", path.display()),
            "give a file in a folder that can be written to",
        )
    })?;
    Ok(saved)
}

/// Reads a saved plan that this instance made under these settings.
pub(super) fn load(path: &Path, owner: &Owner, settings: &Settings) -> anyhow::Result<SavedPlan> {
    let unreadable = |error: io::Error| {
        hinted(format!("cannot read the plan at {}: {error}", path.display()), "save one with `calsyncd plan --save`")
    };
    if fs::metadata(path).map_err(unreadable)?.len() > LENGTH_MAX {
        return Err(unreadable(io::Error::other("it is too long")));
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    let saved = SavedPlan::parse(&String::from_utf8_lossy(&bytes));
    saved
        .and_then(|saved| saved.fits(owner, &digest(settings)).map(|()| saved))
        .map_err(|error| hinted(format!("{} is not carried out: {error}", path.display()), error.hint()))
}

/// A crash at any moment leaves what was there before, or the whole. Temporary files are made for their owner alone.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut temporary = tempfile::Builder::new().prefix(".calsyncd-").suffix(".new").tempfile_in(folder)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|error| error.error)?;
    // Some file systems refuse to sync a folder; the file is whole either way.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::write;

    #[cfg(unix)]
    #[test]
    fn the_file_is_its_owners_alone_and_replaced_as_a_whole() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        std::fs::write(&path, "old and longer").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(write(&folder.path().join("nowhere/plan.json"), b"new").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
