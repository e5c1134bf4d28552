//! Every file under `config/` is a file that can be used.

use std::path::{Path, PathBuf};

use super::super::{Environment, ServerVersion, Severity, Strictness, duration, flat, load, schema};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_sandbox = path.parent().is_some_and(|parent| parent.ends_with("demo")) && name.starts_with("sandbox");
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "toml") && !is_sandbox {
            found.push(path);
        }
    }
}

#[test]
fn every_shipped_file_passes_the_check() {
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config"), &mut found);
    assert!(found.len() >= 3, "{found:?}");
    for path in found {
        match load(&path, &Environment::default(), Strictness::Check) {
            Ok(loaded) => assert!(loaded.warnings.iter().all(|finding| finding.severity == Severity::Warning)),
            Err(faults) => panic!("{faults}"),
        }
    }
}

/// A line `#key = value` of the default file is a key, and shows its default where there is one.
#[test]
fn the_default_file_names_every_key_with_its_default() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/calsyncd.toml")).unwrap();
    for (section, _, keys) in schema::SECTIONS {
        for key in *keys {
            let line = text.lines().find(|line| {
                line.trim_start_matches('#').split_once(" = ").is_some_and(|(name, _)| name == key.name)
                    || line.ends_with(&format!(".{}]", key.name))
            });
            let line = line.unwrap_or_else(|| panic!("{section}: {} is not explained", key.name));
            let Some(default) = key.default else { continue };
            let value = line.split_once(" = ").unwrap().1.replace(['"', '[', ']'], "");
            assert!(!line.starts_with('#') || value == default, "{section}.{}: {value}, not {default}", key.name);
        }
    }
}

/// The comment lists the versions that there are, in their order, and no other.
#[test]
fn the_default_file_lists_every_version() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/calsyncd.toml")).unwrap();
    let (_, comment) = text.split_once("# Exchange server version: ").unwrap();
    let listed = comment.split_once('.').unwrap().0.replace("\n# ", " ").replace(" or ", ", ");
    let versions: Vec<&str> = ServerVersion::ALL.iter().map(|version| version.as_str()).collect();
    assert_eq!(listed, versions.join(", "));
}

/// `1m40s` and `100s`.
fn same_length(one: &str, two: &str) -> bool {
    duration::parse(one).is_some_and(|length| duration::parse(two) == Some(length))
}

#[test]
fn the_listed_defaults_are_those_of_the_loader() {
    for text in [super::GOOD.replace("use_impersonation = true\n", ""), super::GRAPH.to_owned()] {
        let bench = super::Bench::new(text);
        let flat = flat::flatten(&bench.load(&Environment::default()).unwrap().settings);
        for (section, named, keys) in schema::SECTIONS {
            let prefix = match (*section, named) {
                ("sources", _) => "sources.erp",
                ("jobs", _) => "jobs.team",
                (section, _) => section,
            };
            for key in *keys {
                let Some(default) = key.default else { continue };
                let switched = ["use_graph_api", "use_oauth"].contains(&key.name);
                match flat.get(&format!("{prefix}.{}", key.name)) {
                    Some(flat::Value::Text(value)) => {
                        assert!(
                            switched || value == default || same_length(value, default),
                            "{prefix}.{}: {value}",
                            key.name
                        )
                    }
                    Some(flat::Value::Secret(_)) => panic!("{} is a secret", key.name),
                    None => assert_eq!(prefix, "exchange", "{}", key.name),
                }
            }
        }
    }
}
