//! The sample files: those of the checkout, or the copies in the program.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

/// Where a checkout has them.
const CHECKOUT: &str = "config/demo/events";

/// Name and text of each sample file.
const SAMPLES: [(&str, &str); 5] = [
    ("appointments.jsonl", include_str!("../../../config/demo/events/appointments.jsonl")),
    ("schedules.jsonl", include_str!("../../../config/demo/events/schedules.jsonl")),
    ("ana.martin/training.ics", include_str!("../../../config/demo/events/ana.martin/training.ics")),
    ("grace.oconnor/conference.ics", include_str!("../../../config/demo/events/grace.oconnor/conference.ics")),
    ("maya.rosen.ics", include_str!("../../../config/demo/events/maya.rosen.ics")),
];

/// The folder of the sample files: the one of the checkout that the program is started in, else a copy in `folder`.
pub(super) fn folder(folder: &Path) -> anyhow::Result<PathBuf> {
    let checkout = PathBuf::from(CHECKOUT);
    if checkout.is_dir() {
        return Ok(checkout);
    }
    let copy = folder.join("samples");
    for (name, text) in SAMPLES {
        let path = copy.join(name);
        let parent = path.parent().unwrap_or(&copy);
        fs::create_dir_all(parent).and_then(|()| fs::write(&path, text)).context("cannot write the sample files")?;
    }
    Ok(copy)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{collections::BTreeSet, fs, path::Path};

    use super::SAMPLES;

    fn names(folder: &Path, root: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                names(&path, root, found);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
            }
        }
    }

    #[test]
    fn the_program_carries_every_sample_file() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo/events");
        let mut found = BTreeSet::new();
        names(&root, &root, &mut found);
        assert_eq!(found, SAMPLES.iter().map(|(name, _)| (*name).to_owned()).collect());
    }
}
