//! The list of locales that could be built (locales 2.36 and 2.41, `config`, `postinst`). None is: `C.UTF-8` is part of libc-bin.

use super::Error;
use super::stage::Stage;
use std::collections::BTreeSet;

const LIST: &str = "etc/locale.gen";

/// Writes every supported locale into the list, each as a comment, and tells debconf which there are.
pub(super) fn update(stage: &mut Stage<'_>) -> Result<(), Error> {
    let supported = stage.tree.text("usr/share/i18n/SUPPORTED")?.unwrap_or_default();
    let supported: BTreeSet<&str> = supported
        .lines()
        .map(str::trim_end)
        .filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()))
        .collect();
    let mut list = stage.tree.text(LIST)?.unwrap_or_default();
    // Choosing none writes "none" over the first line that has but marks and blanks.
    let blank = |line: &&str| !line.is_empty() && line.chars().all(|c| c == '#' || c == ' ');
    if let Some(line) = list.lines().find(blank).map(str::to_owned) {
        list = list.replacen(&format!("\n{line}\n"), "\n\n", 1);
    }
    let known: BTreeSet<String> =
        list.lines().map(|line| line.trim_start_matches(['#', ' ']).trim_end().to_owned()).collect();
    for locale in supported.into_iter().filter(|locale| !known.contains(*locale)) {
        list.push_str("# ");
        list.push_str(locale);
        list.push('\n');
    }
    stage.tree.rewrite(LIST, list);

    let config = stage.tree.text("var/lib/dpkg/info/locales.config")?.unwrap_or_default();
    let provided =
        config.split("PROVIDED_LOCALES=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    let provided: BTreeSet<&str> = provided.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let provided = provided.into_iter().collect::<Vec<_>>().join(", ");
    stage.debconf.substitute("locales/locales_to_be_generated", "locales", &provided);
    stage.debconf.answer("locales/locales_to_be_generated", Some(""), false);
    Ok(())
}
