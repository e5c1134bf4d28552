//! Copies that users made of our items carry our mark. As long as the original is there it is told from them; they are
//! remembered, so that none of them is taken for ours once the original is gone.

use std::{borrow::Cow, collections::BTreeSet};

use crate::model::{
    link::{FoundItem, Link},
    snapshot::Snapshot,
};

/// A reading without the items that are known to be copies, and the ids of those.
pub(super) fn without_copies<'a>(
    snapshot: &'a Snapshot,
    copies: &BTreeSet<String>,
    links: &[Link],
) -> (Cow<'a, Snapshot>, Vec<String>) {
    let linked = |id: &str| links.iter().any(|link| link.item.id == id);
    let is_copy = |found: &FoundItem| copies.contains(&found.item.id) && !linked(&found.item.id);
    let found: &[FoundItem] = match snapshot {
        Snapshot::NotRead => &[],
        Snapshot::Changes { ours, .. } => ours,
        Snapshot::Whole(found) => found,
    };
    let left: Vec<String> = found.iter().filter(|found| is_copy(found)).map(|found| found.item.id.clone()).collect();
    if left.is_empty() {
        return (Cow::Borrowed(snapshot), left);
    }
    let mut rest = snapshot.clone();
    match &mut rest {
        Snapshot::NotRead => {}
        Snapshot::Changes { ours: found, .. } | Snapshot::Whole(found) => found.retain(|found| !is_copy(found)),
    }
    (Cow::Owned(rest), left)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use super::without_copies;
    use crate::model::{
        fingerprint::Fingerprint,
        key::{Kind, SourceKey},
        link::{FoundItem, ItemRef, Link},
        snapshot::Snapshot,
    };

    #[test]
    fn a_copy_is_never_seen_again_unless_a_link_names_it() {
        let item = |id: &str| ItemRef { id: id.to_owned(), change_key: "1".to_owned() };
        let key = SourceKey::new("erp", Kind::Appointment, "1");
        let found = |id: &str| FoundItem::new(item(id), key.as_str());
        let link = |id: &str| Link::new(key.clone(), item(id), Fingerprint::unknown());
        let copies = BTreeSet::from(["b".to_owned(), "gone".to_owned()]);
        let whole = Snapshot::Whole(vec![found("a"), found("b"), found("c")]);
        let (seen, left) = without_copies(&whole, &copies, &[link("a")]);
        assert_eq!((seen.into_owned(), left), (Snapshot::Whole(vec![found("a"), found("c")]), vec!["b".to_owned()]));
        let (seen, left) = without_copies(&whole, &copies, &[link("b")]);
        assert_eq!((seen.as_ref(), left.len()), (&whole, 0));
        let changes = |ours: Vec<FoundItem>| Snapshot::Changes { changed: vec![item("b")], ours, gone: Vec::new() };
        let touched = changes(vec![found("b")]);
        let (seen, left) = without_copies(&touched, &copies, &[]);
        assert_eq!((seen.into_owned(), left.len()), (changes(Vec::new()), 1));
        assert_eq!(without_copies(&Snapshot::NotRead, &copies, &[]).1.len(), 0);
    }
}
