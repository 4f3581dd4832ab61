//! `remint init`: starts a project that builds at once.

use super::arguments::{Global, Init};
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::{screen, shell};
use crate::oci::{Arch, Platform};
use std::io::{ErrorKind, Write};
use std::path::{Component, Path, PathBuf};

/// What a project starts with, by path; the folder `project` beside this file holds the texts.
const FILES: [(&str, &str); 3] = [
    ("remint.toml", include_str!("project/remint.toml")),
    ("recipes/hello/recipe.toml", include_str!("project/recipes/hello/recipe.toml")),
    ("recipes/hello/site/index.html", include_str!("project/recipes/hello/site/index.html")),
];

/// The file that keeps the store out of git, and its text.
const IGNORE: (&str, &str) = (".gitignore", "# What remint fetched and made; all of it can be made again.\n/cache/\n");

/// Writes the project; nothing at all where any of its files is there already.
pub(super) fn run(arguments: &Init, global: &Global, environment: &Environment) -> Result<Exit, Failure> {
    let within = global.project.as_deref().unwrap_or(Path::new(""));
    // The components leave out what says nothing: `sub/.` is `sub`.
    let named: PathBuf = within.join(&arguments.directory).components().collect();
    let folder = environment.cwd.join(&named);
    refuse_to_overwrite(&folder, &named)?;

    let platform = Platform { arch: host_arch() }.to_string();
    let mut written = Vec::new();
    for (name, text) in FILES {
        write(&folder.join(name), &text.replace("@PLATFORM@", &platform))?;
        written.push(name);
    }
    let ignored = write_if_absent(&folder.join(IGNORE.0), IGNORE.1)?;
    written.extend(ignored.then_some(IGNORE.0));
    if !global.quiet {
        screen::data(&next_steps(&named, &written))?;
    }
    if !global.quiet && !ignored && !ignores_cache(&folder.join(IGNORE.0)) {
        screen::talk("hint: add the line `/cache/` to .gitignore, which was there already\n");
    }
    Ok(Exit::Done)
}

/// What was written, and what to do now.
fn next_steps(named: &Path, written: &[&str]) -> String {
    let here = named.components().all(|part| part == Component::CurDir);
    let place = if here { "this folder".to_owned() } else { format!("`{}`", named.display()) };
    let enter = if here { String::new() } else { format!("  cd {}\n", shell::quoted(&named.to_string_lossy())) };
    let mut text = format!("started a project in {place}:\n");
    for name in written {
        text.extend(["  ", name, "\n"]);
    }
    text += "\nnow build it, and run the image:\n";
    text += &enter;
    text += "  remint\n  podman run --rm -p 8080:8080 oci:cache:hello\n";
    text += "\nor with Docker:\n";
    text += "  remint build hello --compression gzip -o docker-archive:hello.tar\n";
    text += "  docker load -i hello.tar && docker run --rm -p 8080:8080 hello\n";
    text += "\nthen open port 8080 of this machine in a browser, change recipes/hello/, and build again\n";
    text
}

fn refuse_to_overwrite(folder: &Path, named: &Path) -> Result<(), Failure> {
    let there: Vec<&str> =
        FILES.iter().map(|(name, _)| *name).filter(|name| folder.join(name).symlink_metadata().is_ok()).collect();
    if there.is_empty() {
        return Ok(());
    }
    let message = format!("nothing was written: `{}` has some of the files already", named.display());
    let list: String = there.iter().flat_map(|name| ["  ", name, "\n"]).collect();
    Err(Failure::new(Exit::Usage, message).details(list).hint("`remint init DIR` starts a project in another folder"))
}

/// The architecture of this machine, so that what is built also runs here.
fn host_arch() -> Arch {
    match std::env::consts::ARCH {
        "aarch64" => Arch::Arm64,
        "arm" => Arch::Arm,
        "x86" => Arch::I386,
        "powerpc64" if cfg!(target_endian = "little") => Arch::Ppc64le,
        "riscv64" => Arch::Riscv64,
        "s390x" => Arch::S390x,
        _ => Arch::Amd64,
    }
}

fn ignores_cache(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().any(|line| matches!(line.trim(), "cache" | "cache/" | "/cache" | "/cache/"))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if write_if_absent(path, text)? {
        return Ok(());
    }
    Err(Failure::new(Exit::Usage, format!("`{}` appeared while the project was written", path.display())))
}

/// Writes a file that is not there; says whether it did. A link is a file that is there, wherever it points.
fn write_if_absent(path: &Path, text: &str) -> Result<bool, Failure> {
    let failed = |doing: &str, error| Failure::wrap(Exit::No, format!("cannot {doing} `{}`", path.display()), &error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| failed("make the folder of", error))?;
    }
    let mut file = match std::fs::File::create_new(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(failed("make", error)),
    };
    file.write_all(text.as_bytes()).map_err(|error| failed("write", error))?;
    Ok(true)
}
