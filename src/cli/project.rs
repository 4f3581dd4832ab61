//! Where the project and its store are.

use super::arguments::Global;
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use std::path::{Path, PathBuf};

/// Finds the project's folder: the one that `-C` names, else the nearest at or above the current directory that holds
/// remint.toml, remint.lock or recipes/.
pub fn find(global: &Global, environment: &Environment) -> Result<PathBuf, Failure> {
    let hint = "`remint init` starts a project, `remint -C DIR` works in another folder";
    if let Some(named) = &global.project {
        let folder: PathBuf = environment.cwd.join(named).components().collect();
        return match (folder.is_dir(), is_project(&folder)) {
            (true, true) => Ok(folder),
            (true, false) => Err(none_in(&folder, "").hint(hint)),
            (false, _) => Err(Failure::new(Exit::Usage, format!("`{}` is no folder", folder.display()))),
        };
    }
    let mut above = environment.cwd.ancestors();
    above
        .find(|folder| is_project(folder))
        .map(Path::to_owned)
        .ok_or_else(|| none_in(&environment.cwd, " and every folder above it").hint(hint))
}

/// The store's place: `--cache-dir`, else `REMINT_CACHE_DIR`, else `cache` in the project.
#[must_use]
pub fn cache_dir(global: &Global, environment: &Environment, project: &Path) -> PathBuf {
    match global.cache_dir.as_ref().or(environment.cache_dir.as_ref()) {
        Some(named) => environment.cwd.join(named),
        None => project.join("cache"),
    }
}

fn is_project(folder: &Path) -> bool {
    folder.join("remint.toml").is_file() || folder.join("remint.lock").is_file() || folder.join("recipes").is_dir()
}

fn none_in(folder: &Path, more: &str) -> Failure {
    let message = format!("there is no project: `{}`{more} has neither remint.toml nor recipes/", folder.display());
    Failure::new(Exit::Usage, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_folder_above_is_taken() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("recipes/web/app");
        std::fs::create_dir_all(&deep).unwrap();
        let mut environment = Environment { cwd: deep.clone(), ..Environment::collect().unwrap() };
        environment.cache_dir = None;
        let global = Global::default();
        assert_eq!(find(&global, &environment).unwrap(), root.path());
        assert_eq!(cache_dir(&global, &environment, root.path()), root.path().join("cache"));
        std::fs::write(deep.join("remint.toml"), "").unwrap();
        assert_eq!(find(&global, &environment).unwrap(), deep);

        let elsewhere = Global { project: Some("../../..".into()), cache_dir: Some("c".into()), ..Global::default() };
        assert_eq!(find(&elsewhere, &environment).unwrap(), deep.join("../../.."));
        environment.cache_dir = Some("/x".into());
        assert_eq!(cache_dir(&elsewhere, &environment, root.path()), deep.join("c"), "the option is stronger");
        assert_eq!(cache_dir(&global, &environment, root.path()), Path::new("/x"));
    }

    #[test]
    fn a_folder_that_is_none_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let environment = Environment { cwd: root.path().to_owned(), ..Environment::collect().unwrap() };
        for named in ["", "missing"] {
            let global = Global { project: Some(named.into()), ..Global::default() };
            assert_eq!(find(&global, &environment).unwrap_err().exit, Exit::Usage);
        }
    }
}
