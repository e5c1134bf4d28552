//! Replaces a file as a whole: a crash at any moment leaves the old one or the new one.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// The steps, for tests that break each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The new text is written to a temporary file in the same folder.
    Write,
    /// Mode and owner of the old file are given to it.
    Own,
    /// It is on the disk.
    Sync,
    /// It takes the place of the old one.
    Rename,
}

/// Replaces the content of `path`, which exists, and keeps its mode and owner. A link stays a link: its target is replaced.
///
/// # Errors
/// When a step fails; the old file is then as it was.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_watched(path, bytes, &mut |_| Ok(()))
}

/// The same; `before` is called before each step and may fail in its place.
pub(super) fn replace_watched(
    path: &Path,
    bytes: &[u8],
    before: &mut dyn FnMut(Step) -> io::Result<()>,
) -> io::Result<()> {
    let path = path.canonicalize()?;
    let folder = path.parent().ok_or_else(|| io::Error::other("the file has no folder"))?;
    let metadata = fs::metadata(&path)?;
    before(Step::Write)?;
    let mut temporary = tempfile::Builder::new().prefix(".calsyncd-").suffix(".new").tempfile_in(folder)?;
    temporary.write_all(bytes)?;
    before(Step::Own)?;
    own(temporary.as_file(), &metadata)?;
    temporary.as_file().set_permissions(metadata.permissions())?;
    before(Step::Sync)?;
    temporary.as_file().sync_all()?;
    before(Step::Rename)?;
    temporary.persist(&path).map_err(|error| error.error)?;
    // The rename is on the disk once the folder is. Some file systems refuse to sync a folder; the file is whole either way.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

#[cfg(unix)]
fn own(file: &File, like: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let mine = file.metadata()?;
    if (mine.uid(), mine.gid()) == (like.uid(), like.gid()) {
        return Ok(());
    }
    fchown(file, Some(like.uid()), Some(like.gid()))
}

#[cfg(not(unix))]
fn own(_: &File, _: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::{fs, io};

    use super::{Step, replace, replace_watched};

    #[test]
    fn a_failure_at_any_step_leaves_the_old_file_and_nothing_else() {
        for step in [Step::Write, Step::Own, Step::Sync, Step::Rename] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("calsyncd.toml");
            fs::write(&path, "old").unwrap();
            let mut seen = Vec::new();
            let result = replace_watched(&path, b"new and longer", &mut |at| {
                seen.push(at);
                assert_eq!(fs::read_to_string(&path).unwrap(), "old", "before {at:?}");
                if at == step { Err(io::Error::other("power cut")) } else { Ok(()) }
            });
            assert!(result.is_err() && seen.last() == Some(&step), "{step:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), "old", "{step:?}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{step:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn mode_and_link_are_kept() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("real.toml"), folder.path().join("link.toml"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&path, &link).unwrap();
        replace(&link, b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
