//! PHP's settings and modules (php-defaults 96, `phpenmod`, `phpquery`; php8.4, `postinst`).
//!
//! ```text
//! etc/php/<version>/<interface>/conf.d/<priority>-<module>.ini             link to mods-available
//! var/lib/php/modules/<version>/<interface>/enabled_by_maint/<module>      empty: a package enabled it
//! var/lib/php/modules/<version>/registry/<module>                          empty: known
//! ```

use super::Error;
use super::stage::Stage;

/// Registers every module that packages bring and enables it for each interface of its version.
pub(super) fn modules(stage: &mut Stage<'_>) -> Result<(), Error> {
    for version in stage.tree.names("etc/php") {
        let available = format!("etc/php/{version}/mods-available");
        let known = format!("var/lib/php/modules/{version}");
        let interfaces: Vec<String> = stage.tree.names(&format!("usr/lib/php/{version}/sapi"));
        for file in stage.tree.names(&available) {
            let Some(module) = file.strip_suffix(".ini") else { continue };
            let text = stage.tree.text(&format!("{available}/{file}"))?.unwrap_or_default();
            let priority = text.lines().find_map(|line| line.strip_prefix("; priority=")).map_or("20", str::trim);
            stage.tree.file(&format!("{known}/registry/{module}"), 0o644, "");
            for interface in &interfaces {
                let link = format!("etc/php/{version}/{interface}/conf.d/{priority}-{module}.ini");
                stage.tree.symlink(&link, &format!("/{available}/{file}"));
                stage.tree.file(&format!("{known}/{interface}/enabled_by_maint/{module}"), 0o644, "");
            }
        }
    }
    Ok(())
}
