//! What users may keep, as a job says it.

use jiff::SignedDuration;

use super::{super::Environment, Bench, GOOD};
use crate::model::keeps::Keeps;

fn keeps(more: &str) -> Option<Keeps> {
    let loaded = Bench::new(format!("{GOOD}{more}")).load(&Environment::default()).expect("good settings");
    loaded.settings.jobs["team"].keeps.as_deref().cloned()
}

#[test]
fn nothing_is_kept_unless_it_is_said() {
    assert_eq!(keeps(""), None);
    assert_eq!(keeps("keep_reminder = false\ndeleted_by_user = \"recreate\"\n"), None);
    let all = "keep_reminder = true\nkeep_categories = true\nkeep_notes = \"-- my  notes --\"\n\
               deleted_by_user = \"30d\"\n";
    let expected = Keeps {
        reminder: true,
        categories: true,
        notes: Some("-- my notes --".to_owned()),
        deleted: Some(SignedDuration::from_hours(720)),
    };
    assert_eq!(keeps(all), Some(expected));
}
