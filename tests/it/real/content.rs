//! What is in every shipped image for this machine, looked at from outside: dpkg finds nothing wrong with its database and its files, what is
//! left out is what the recipes leave out, and every library that something needs is found by the image's own linker.

use super::shipped::{IMAGES, Shipped, native};
use crate::support::judge;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use remint::recipe::{LayerKind, RecipeFile, Recipes, parse_project, parse_recipes};
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, openat2};
use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Below the first, programs and libraries find libraries in the second too, since what starts them loads those first: the Java machine.
const LOADED_FIRST: (&str, &str) = ("/usr/lib/jvm/", "/usr/lib/jvm/default-java/lib/server");

/// What Debian recommends and does not demand, so that whoever wants it adds it: the end of a path, and the library that it is without.
const RECOMMENDED: [(&str, &str); 2] =
    [("/libfontmanager.so", "libharfbuzz.so.0"), ("/libjsound.so", "libasound.so.2")];

#[test]
fn every_image_is_whole() {
    let Some([dpkg, ldconfig, chroot, tar]) = judge::find_all(["dpkg", "ldconfig", "chroot", "tar"]) else { return };
    if !judge::is_root() {
        return;
    }
    let Some(shipped) = Shipped::get() else { return };
    let recipes = recipes();
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let store = tempfile::Builder::new().prefix("remint-content-").tempdir_in(place).unwrap();
    let shipped = shipped.linked(store.path());
    let mut wrong = Vec::new();
    for image in IMAGES {
        let dir = tempfile::Builder::new().prefix("remint-content-").tempdir_in(place).unwrap();
        let (archive, root) = (dir.path().join("flat.tar"), dir.path().join("root"));
        std::fs::create_dir(&root).unwrap();
        shipped.flat(image, native(), &archive);
        judge::run(&tar, [Path::new("-C"), &root, Path::new("-xpf"), &archive]);
        let tree = Tree { image, root: root.clone() };
        wrong.extend(tree.against_dpkg(&dpkg, &recipes));
        wrong.extend(tree.against_the_linker(&ldconfig, &chroot));
        assert_eq!(
            tree.has("/usr/bin/apt-get"),
            image == "debian",
            "`{image}` has apt: let apt install something in it"
        );
    }
    assert!(wrong.is_empty(), "{} findings:\n{}", wrong.len(), wrong.join("\n"));
}

/// An image's root file system in a directory.
struct Tree {
    image: &'static str,
    root: PathBuf,
}

impl Tree {
    /// What dpkg finds wrong, without what the recipes leave out or replace.
    fn against_dpkg(&self, dpkg: &Path, recipes: &Recipes) -> Vec<String> {
        let chain = recipes.chain(self.image);
        let layers = || chain.iter().flat_map(|recipe| &recipe.layers).map(|layer| &layer.kind);
        let mut words: BTreeSet<&str> = BTreeSet::new();
        let mut replaced: Vec<String> = Vec::new();
        for layer in layers() {
            match layer {
                LayerKind::Packages(packages) => words.extend(packages.exclude.iter().map(String::as_str)),
                LayerKind::Copy(copy) => replaced.extend(copy.to.iter().map(|to| format!("/{to}"))),
                LayerKind::Write(written) => replaced.extend(written.keys().map(|path| format!("/{path}"))),
            }
        }
        let left_out = LeftOut::new(&words);
        let mut wrong = Vec::new();
        let root = format!("--root={}", self.root.display());
        let audit = judge::run(dpkg, [&root, "--audit"]);
        wrong.extend((!audit.is_empty()).then(|| format!("{}: dpkg --audit: {audit}", self.image)));
        // It fails where something is missing, which is what is looked at.
        let told = Command::new(dpkg).args([&root, "--verify"]).output().unwrap();
        assert!(told.stderr.is_empty(), "{}: {}", self.image, String::from_utf8_lossy(&told.stderr));
        for line in String::from_utf8(told.stdout).unwrap().lines() {
            let path = &line[line.find('/').unwrap()..];
            let expected = if line.starts_with("missing") {
                left_out.has(path)
            } else {
                replaced.iter().any(|to| Path::new(path).starts_with(to))
            };
            wrong.extend((!expected).then(|| format!("{}: dpkg --verify: {line}", self.image)));
        }
        // dpkg looks at files with a checksum alone: all that packages list is there or left out, and nothing that is left out is there.
        let info = self.root.join("var/lib/dpkg/info");
        for list in std::fs::read_dir(info).unwrap().map(|entry| entry.unwrap().path()) {
            if list.extension().is_none_or(|end| end != "list") {
                continue;
            }
            for path in std::fs::read_to_string(&list).unwrap().lines() {
                // A directory may stay for what else is in it.
                let there = self.lstat(path);
                let expected = if left_out.has(path) { there.is_none_or(|is_dir| is_dir) } else { there.is_some() };
                if !expected {
                    wrong.push(format!("{}: {path} of {}: {there:?}", self.image, list.display()));
                }
            }
        }
        wrong
    }

    /// What the linker does not find: a path of its cache, or a library that a program or a library names.
    fn against_the_linker(&self, ldconfig: &Path, chroot: &Path) -> Vec<String> {
        let mut wrong = Vec::new();
        let loader =
            ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"].into_iter().find(|path| self.has(path));
        let dynamic = self.dynamic();
        let Some(loader) = loader else {
            wrong.extend((!dynamic.is_empty()).then(|| format!("{}: no loader for {dynamic:?}", self.image)));
            return wrong;
        };
        let told = judge::run(ldconfig, ["-p", "-C", self.root.join("etc/ld.so.cache").to_str().unwrap()]);
        let entries: Vec<&str> =
            told.lines().filter_map(|line| line.split_once(" => ")).map(|(_, path)| path).collect();
        assert!(!entries.is_empty(), "{told}");
        let dangling = entries.into_iter().filter(|path| !self.has(path));
        wrong.extend(dangling.map(|path| format!("{}: ldconfig -p: {path} is not there", self.image)));
        for path in dynamic {
            let mut list = Command::new(chroot);
            list.arg(&self.root).args([loader, "--list"]);
            if path.starts_with(LOADED_FIRST.0) {
                list.args(["--library-path", LOADED_FIRST.1]);
            }
            let output = list.arg(&path).output().unwrap();
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            let recommended = RECOMMENDED.iter().any(|(end, library)| path.ends_with(end) && said.contains(library));
            if (!output.status.success() || said.contains(" => not found")) && !recommended {
                wrong.push(format!("{}: {path}: {said}", self.image));
            }
        }
        wrong
    }

    /// The absolute paths of all that the dynamic linker loads, by their first bytes.
    fn dynamic(&self) -> Vec<String> {
        let mut found = Vec::new();
        for entry in walkdir::WalkDir::new(&self.root).sort_by_file_name() {
            let entry = entry.unwrap();
            if entry.file_type().is_file() && is_dynamic(&std::fs::read(entry.path()).unwrap()) {
                found.push(format!("/{}", entry.path().strip_prefix(&self.root).unwrap().display()));
            }
        }
        found
    }

    /// Whether something is there, seen from inside the image: links lead where they lead there.
    fn has(&self, path: &str) -> bool {
        self.open(path, OFlags::empty()).is_some()
    }

    /// Whether what is there, without following it, is a directory; `None` where nothing is.
    fn lstat(&self, path: &str) -> Option<bool> {
        let found = rustix::fs::fstat(self.open(path, OFlags::NOFOLLOW)?).unwrap();
        Some(FileType::from_raw_mode(found.st_mode).is_dir())
    }

    fn open(&self, path: &str, flags: OFlags) -> Option<OwnedFd> {
        let flags = flags | OFlags::PATH | OFlags::CLOEXEC;
        let root = openat2(CWD, &self.root, flags, Mode::empty(), ResolveFlags::empty()).unwrap();
        openat2(root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT).ok()
    }
}

/// Whether bytes are a 64-bit ELF file with a dynamic section (System V ABI, "Program Header").
fn is_dynamic(bytes: &[u8]) -> bool {
    const DYNAMIC: u32 = 2;
    if bytes.get(..5) != Some(b"\x7fELF\x02") || bytes.len() < 64 {
        return false;
    }
    let table = usize::try_from(u64::from_le_bytes(bytes[32..40].try_into().unwrap())).unwrap();
    let count = u16::from_le_bytes([bytes[56], bytes[57]]);
    let kind = |at: usize| bytes.get(at..at + 4).map(|kind| u32::from_le_bytes(kind.try_into().unwrap()));
    (0..usize::from(count)).any(|number| kind(table + number * 56) == Some(DYNAMIC))
}

/// What recipes leave out, by what docs/recipe.md says of `exclude`.
struct LeftOut(GlobSet);

impl LeftOut {
    fn new(words: &BTreeSet<&str>) -> Self {
        let mut set = GlobSetBuilder::new();
        for word in words {
            let globs: &[&str] = match *word {
                "doc" => {
                    &["/usr/share/doc/**", "/usr/share/doc-base/**", "/usr/share/info/**", "/usr/share/lintian/**"]
                }
                "man" => &["/usr/share/man/**"],
                "locale" => &["/usr/share/locale/*/**", "/usr/share/i18n/locales/**"],
                glob => &[glob],
            };
            for glob in globs {
                for glob in [(*glob).to_owned(), format!("{glob}/**")] {
                    set.add(GlobBuilder::new(&glob).literal_separator(true).build().unwrap());
                }
            }
        }
        Self(set.build().unwrap())
    }

    fn has(&self, path: &str) -> bool {
        let copyright = path.starts_with("/usr/share/doc/") && path.ends_with("/copyright");
        self.0.is_match(path) && !copyright
    }
}

/// The recipes of this repository.
fn recipes() -> Recipes {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes");
    let texts = IMAGES.map(|image| std::fs::read_to_string(root.join(image).join("recipe.toml")).unwrap());
    let paths = IMAGES.map(|image| format!("recipes/{image}/recipe.toml"));
    let files = IMAGES.iter().zip(&paths).zip(&texts);
    let files: Vec<RecipeFile<'_>> = files.map(|((&name, path), text)| RecipeFile { name, path, text }).collect();
    parse_recipes(&parse_project("remint.toml", "").unwrap(), &files).unwrap()
}
