//! A project as a command finds it: settings, recipes, lock, and what its recipes copy.

use super::clock::now;
use super::command::{Invocation, Places};
use super::exit::Exit;
use super::failure::Failure;
use crate::digest::Shuffle;
use crate::image::ImageRef;
use crate::lock::{self, Lock};
use crate::oci::Platform;
use crate::plan::{self, Inputs, Plan, Trees};
use crate::recipe::{self, Copy, ImageName, LayerKind, Project, RecipeFile, Recipes};
use crate::source::path::{self, HashCache, scan_in_order};
use globset::GlobBuilder;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A project whose settings and recipes were read and checked.
pub(crate) struct Session {
    /// Where it and its store are.
    pub(crate) places: Places,
    /// Its settings.
    pub(crate) project: Project,
    /// Its recipes.
    pub(crate) recipes: Recipes,
    /// The order in which entries of copied directories are met; `None`: the file system's.
    pub(crate) order: Option<Shuffle>,
}

impl Session {
    /// Reads a project.
    pub(crate) fn load(invocation: Invocation<'_>) -> Result<Self, Failure> {
        let places = invocation.places()?;
        let project = settings(&places.project)?;
        let files = find_recipes(&places.project, &project)?;
        if files.is_empty() {
            let patterns = project.recipes.join("`, `");
            let message =
                format!("there are no recipes: nothing in `{}` matches `{patterns}`", places.project.display());
            return Err(Failure::new(Exit::Recipe, message).hint("`remint init` starts a project with one"));
        }
        let mut texts = Vec::with_capacity(files.len());
        for (name, path) in files {
            let text = read_text(&places.project, &path)?.unwrap_or_default();
            texts.push((name, path, text));
        }
        let files: Vec<RecipeFile<'_>> =
            texts.iter().map(|(name, path, text)| RecipeFile { name, path, text }).collect();
        let recipes = recipe::parse_recipes(&project, &files).map_err(|found| refused(&found))?;
        Ok(Self { places, project, recipes, order: None })
    }

    /// The settings of the project that a command runs in; `None`: it runs in none.
    pub(crate) fn settings(invocation: Invocation<'_>) -> Result<Option<Project>, Failure> {
        invocation.places().ok().map(|places| settings(&places.project)).transpose()
    }

    /// Where the lock is.
    pub(crate) fn lock_path(&self) -> PathBuf {
        self.places.project.join("remint.lock")
    }

    /// Reads the lock; `None` if there is none yet.
    pub(crate) fn lock(&self) -> Result<Option<Lock>, Failure> {
        lock::read(&self.lock_path()).map_err(|error| {
            Failure::from_error(Exit::Recipe, &error).hint("`remint lock` writes it anew once it is moved away")
        })
    }

    /// The images that a command names, or all.
    pub(crate) fn choose(&self, named: &[String]) -> Result<BTreeSet<ImageName>, Failure> {
        if named.is_empty() {
            return Ok(self.recipes.iter().map(|recipe| recipe.name.clone()).collect());
        }
        let find = |name: &String| match self.recipes.get(name) {
            Some(recipe) => Ok(recipe.name.clone()),
            None => {
                let hint = self.meant(name).unwrap_or_else(|| self.names());
                Err(Failure::new(Exit::Usage, format!("there is no recipe `{name}`")).hint(hint))
            }
        };
        named.iter().map(find).collect()
    }

    /// What was meant by a name that no recipe has: one that is near, or an image as commands on the store name it.
    fn meant(&self, name: &str) -> Option<String> {
        if let Ok(ImageRef { name: image, platform }) = name.strip_prefix("cache:").unwrap_or(name).parse()
            && self.recipes.get(image.as_str()).is_some()
        {
            let platform = platform.map(|platform| format!(" --platform {platform}")).unwrap_or_default();
            return Some(format!("did you mean `{image}{platform}`?"));
        }
        Some(format!("did you mean `{}`?", self.recipes.nearest(name)?))
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.recipes.iter().map(|recipe| recipe.name.as_str()).collect();
        format!("the recipes are `{}`", names.join("`, `"))
    }

    /// Plans images for the platforms that are named, or for all that their recipes have; the lock has to match.
    pub(crate) fn plan(
        &self,
        lock: &Lock,
        images: &BTreeSet<ImageName>,
        platforms: &[Platform],
        source_date_epoch: Option<u64>,
    ) -> Result<Plan, Failure> {
        self.plan_of(lock, &self.scan(images)?, images, platforms, source_date_epoch)
    }

    /// As [`Self::plan`], with what the images copy as it was found.
    pub(crate) fn plan_of(
        &self,
        lock: &Lock,
        trees: &Trees,
        images: &BTreeSet<ImageName>,
        platforms: &[Platform],
        source_date_epoch: Option<u64>,
    ) -> Result<Plan, Failure> {
        let compression = self.project.compression;
        let inputs = Inputs { recipes: &self.recipes, lock, trees, compression, source_date_epoch };
        let plan = plan::plan(&inputs, images, (!platforms.is_empty()).then_some(platforms));
        if plan.images.is_empty() {
            let message = "none of the images is for the platforms asked for";
            return Err(Failure::new(Exit::Usage, message).hint("`platforms` in a recipe says for what it is made"));
        }
        Ok(plan)
    }

    /// Lists and digests what the images and their bases copy.
    pub(crate) fn scan(&self, images: &BTreeSet<ImageName>) -> Result<Trees, Failure> {
        let mut trees = Trees::new();
        let hashes = self.hashes();
        for recipe in images.iter().flat_map(|name| self.recipes.chain(name.as_str())) {
            for (at, layer) in recipe.layers.iter().enumerate() {
                let LayerKind::Copy(copy) = &layer.kind else { continue };
                let place = (recipe.name.clone(), at + 1);
                if trees.contains_key(&place) {
                    continue;
                }
                let root = self.copied(&recipe.name, copy);
                let cannot = |error: &(dyn std::error::Error + 'static)| {
                    let file = self.recipes.file(recipe.name.as_str()).unwrap_or_default();
                    let message = format!("{file}:{}: cannot copy `{}`", layer.line, copy.from);
                    Failure::wrap(Exit::Recipe, message, error)
                };
                self.refuse_links(&recipe.name, copy).map_err(|error| cannot(&error))?;
                let tree = scan_in_order(&root, &copy.exclude, &hashes, self.order).map_err(|error| cannot(&error))?;
                trees.insert(place, (root, Arc::new(tree)));
            }
        }
        // What is not remembered is read again next time.
        let _ = hashes.save();
        Ok(trees)
    }

    fn copied(&self, name: &ImageName, copy: &Copy) -> PathBuf {
        let folder = self.places.project.join(self.recipes.folder(name.as_str()).unwrap_or_default());
        // Without the `.` components, which would stand in messages.
        folder.join(&copy.from).components().collect()
    }

    /// Refuses a source that lies behind a link, which could lead out of the project.
    fn refuse_links(&self, name: &ImageName, copy: &Copy) -> Result<(), path::Error> {
        let mut here = self.places.project.join(self.recipes.folder(name.as_str()).unwrap_or_default());
        for part in Path::new(&copy.from).components() {
            here.push(part);
            if here.is_symlink() {
                return Err(path::Error::Link { path: here });
            }
        }
        Ok(())
    }

    fn hashes(&self) -> HashCache {
        if !self.places.cache.is_dir() {
            return HashCache::none();
        }
        HashCache::open(&self.places.cache.join("trees"), i64::try_from(now().as_nanos()).unwrap_or(i64::MAX))
    }
}

/// Reads remint.toml.
fn settings(project: &Path) -> Result<Project, Failure> {
    match read_text(project, "remint.toml")? {
        Some(text) => recipe::parse_project("remint.toml", &text).map_err(|found| refused(&found)),
        None => Ok(Project::default()),
    }
}

fn refused(findings: &recipe::Findings) -> Failure {
    let count = findings.all().len() + findings.dropped();
    let message =
        if count == 1 { "the recipes have an error".to_owned() } else { format!("the recipes have {count} errors") };
    Failure::new(Exit::Recipe, message).findings(recipe::render(findings, true))
}

/// The largest recipe or remint.toml that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// Reads a file of the project; `None` if there is none. What is no file is refused, since a pipe could hold the run for ever.
fn read_text(project: &Path, name: &str) -> Result<Option<String>, Failure> {
    let path = project.join(name);
    let cannot = |error: &std::io::Error| Failure::wrap(Exit::Recipe, format!("cannot read `{name}`"), error);
    match std::fs::metadata(&path) {
        Ok(meta) if meta.len() > LARGEST && meta.is_file() => {
            let message = format!("`{name}` has {} bytes, more than the {LARGEST} that are read", meta.len());
            return Err(Failure::new(Exit::Recipe, message));
        }
        Ok(meta) if meta.is_file() => {}
        Ok(_) => return Err(Failure::new(Exit::Recipe, format!("`{name}` is not a file"))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !path.is_symlink() => return Ok(None),
        Err(error) => return Err(cannot(&error)),
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(&path).map_err(|error| cannot(&error))?;
    file.take(LARGEST).read_to_end(&mut bytes).map_err(|error| cannot(&error))?;
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.split(|byte| *byte == b'\n').count();
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        Failure::new(Exit::Recipe, format!("{name}:{line}:{column}: this is not UTF-8 text"))
            .hint("save it as UTF-8 in your editor")
    })
}

/// Refuses a recipe that stands behind a link out of the project: it would be another one on another machine.
fn stay_inside(project: &Path, path: &str) -> Result<(), Failure> {
    let real = |path: &Path| {
        path.canonicalize()
            .map_err(|error| Failure::wrap(Exit::Recipe, format!("cannot look at `{}`", path.display()), &error))
    };
    let (at, root) = (real(&project.join(path))?, real(project)?);
    if at.starts_with(&root) {
        return Ok(());
    }
    let message = format!("`{path}` is behind a link that leaves the project, to `{}`", at.display());
    Err(Failure::new(Exit::Recipe, message)
        .hint("move what it names into the project: a recipe depends on nothing outside"))
}

/// The recipes that the project's globs name: the folder's name, and the path from the project.
fn find_recipes(project: &Path, settings: &Project) -> Result<Vec<(String, String)>, Failure> {
    let mut found = BTreeSet::new();
    for pattern in &settings.recipes {
        let bad = |error: globset::Error| {
            Failure::wrap(Exit::Recipe, format!("remint.toml: `{pattern}` is not a pattern"), &error)
        };
        let glob = GlobBuilder::new(pattern).literal_separator(true).build().map_err(bad)?.compile_matcher();
        let literal = |part: &&str| !part.contains(['*', '?', '[', '{']);
        let fixed: Vec<&str> = pattern.split('/').take_while(literal).collect();
        let depth = pattern.split('/').count() - fixed.len();
        let deepest = if pattern.contains("**") { usize::MAX } else { depth };
        let start = fixed.join("/");
        let top = project.join(&start);
        if !top.exists() {
            continue;
        }
        for entry in walkdir::WalkDir::new(&top).max_depth(deepest).follow_links(true) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if leads_nowhere(&error) => continue,
                Err(error) => {
                    let place = error.path().unwrap_or(&top).display().to_string();
                    let message = format!("cannot look for recipes in `{place}`");
                    return Err(Failure::wrap(Exit::Recipe, message, &error));
                }
            };
            let Ok(below) = entry.path().strip_prefix(&top) else { continue };
            let Some(below) = below.to_str().filter(|_| !entry.file_type().is_dir()) else { continue };
            let path =
                [start.as_str(), below].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
            if glob.is_match(&path) {
                if linked(entry.path(), project) {
                    stay_inside(project, &path)?;
                }
                let folder = Path::new(&path).parent().and_then(Path::file_name).and_then(|name| name.to_str());
                found.insert((folder.unwrap_or_default().to_owned(), path.clone()));
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// Whether what could not be listed is a link in a circle, or one to nothing that is not called like a recipe: what recipes copy may
/// have such links.
fn leads_nowhere(error: &walkdir::Error) -> bool {
    let nothing = error.io_error().is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    let toml = error.path().and_then(Path::extension).is_some_and(|end| end == "toml");
    error.loop_ancestor().is_some() || nothing && !toml
}

/// Whether a path passes a link below a folder.
fn linked(path: &Path, folder: &Path) -> bool {
    path.ancestors().take_while(|above| *above != folder).any(Path::is_symlink)
}
