//! The manual pages, made from the arguments.

use std::{path::Path, process::ExitCode};

use anyhow::Context;
use clap::CommandFactory;

use super::{Arguments, Outcome};

/// The manual pages: file name and text in roff.
///
/// # Errors
/// When a page cannot be written to memory.
pub fn pages() -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut command = without_help(Arguments::command());
    command.build();
    let mut pages = Vec::new();
    page(&command, &mut pages)?;
    Ok(pages)
}

/// No page says how to get help.
fn without_help(command: clap::Command) -> clap::Command {
    command.disable_help_subcommand(true).mut_subcommands(without_help)
}

/// The page of a command, and those of its subcommands.
fn page(command: &clap::Command, pages: &mut Vec<(String, Vec<u8>)>) -> std::io::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let source = concat!("calsyncd ", env!("CARGO_PKG_VERSION"));
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).title(&name).source(source).manual("calsyncd manual").render(&mut text)?;
    pages.push((format!("{name}.1"), text));
    command.get_subcommands().filter(|sub| !sub.is_hide_set()).try_for_each(|sub| page(sub, pages))
}

/// Writes the manual pages into `folder`.
pub(super) fn write(folder: &Path) -> Outcome {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    for (name, text) in pages()? {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}
