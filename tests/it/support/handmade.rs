//! Small images made by hand: layers by the tar crate, one program without libraries, for every client that is asked to read them.

use super::judge;
use remint::digest::{DiffId, Digest};
use remint::image::{Assembly, BuiltLayer, Encoding, Image, assemble, name_images};
use remint::layer::{CHUNK, Codec, END, Part, Threads, pack};
use remint::oci::{Arch, Platform};
use remint::recipe::{Config, ImageName};
use remint::store::Store;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// What the program in the images prints when everything is as it should be.
pub(crate) const GREETING: &str = "hello from the second layer\n";

/// What the images run: prints the greeting of the upper layer, and fails if it sees what that layer hides.
const PROGRAM: &str = r#"
fn main() {
    assert!(!std::path::Path::new("/etc/hidden").exists(), "a whiteout was not heeded");
    assert_eq!(std::fs::read("/etc/same").unwrap(), std::fs::read("/etc/first").unwrap());
    print!("{}", std::fs::read_to_string("/etc/greeting").unwrap());
}
"#;

/// The platform of the machine that the tests run on, where it is one that the images are made for.
pub(crate) fn native() -> Platform {
    if cfg!(target_arch = "aarch64") { platform(Arch::Arm64) } else { platform(Arch::Amd64) }
}

/// A platform.
pub(crate) fn platform(arch: Arch) -> Platform {
    Platform { arch }
}

/// A name.
pub(crate) fn name(text: &str) -> ImageName {
    ImageName::parse(text).unwrap()
}

/// Compiles the program once, without shared libraries.
fn program() -> &'static [u8] {
    static PROGRAM_BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    PROGRAM_BYTES.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let (source, binary) = (dir.path().join("greet.rs"), dir.path().join("greet"));
        std::fs::write(&source, PROGRAM).unwrap();
        let rustc = option_env!("RUSTC").unwrap_or("rustc");
        let mut command = Command::new(rustc);
        command.args(["--edition", "2021", "-C", "target-feature=+crt-static", "-C", "strip=symbols", "-o"]);
        judge::succeed(command.arg(&binary).arg(&source));
        std::fs::read(binary).unwrap()
    })
}

/// Something in a layer.
pub(crate) enum Item<'a> {
    Directory(&'a str),
    File(&'a str, u32, &'a [u8]),
    Symlink(&'a str, &'a str),
    Hardlink(&'a str, &'a str),
}

/// Writes a layer's tar.
pub(crate) fn tar(items: &[Item<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for item in items {
        let mut header = tar::Header::new_ustar();
        header.set_mtime(315_532_801);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(0);
        header.set_mode(0o755);
        match item {
            Item::Directory(path) => {
                header.set_entry_type(tar::EntryType::Directory);
                builder.append_data(&mut header, path, &b""[..]).unwrap();
            }
            Item::File(path, mode, content) => {
                header.set_mode(*mode);
                header.set_size(content.len() as u64);
                builder.append_data(&mut header, path, *content).unwrap();
            }
            Item::Symlink(path, target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                builder.append_link(&mut header, path, target).unwrap();
            }
            Item::Hardlink(path, target) => {
                header.set_entry_type(tar::EntryType::Link);
                header.set_mode(0o644); // must be the file's, or clients disagree about whose counts
                builder.append_link(&mut header, path, target).unwrap();
            }
        }
    }
    builder.into_inner().unwrap()
}

/// Puts a layer into a store, packed as remint packs: in chunks, each a zstd frame or some blocks of one gzip member.
pub(crate) fn layer(store: &Store, tar: &[u8], encoding: Encoding, created_by: &str) -> BuiltLayer {
    let codec = match encoding {
        Encoding::Plain => None,
        Encoding::Gzip => Some(Codec::Gzip),
        Encoding::Zstd => Some(Codec::Zstd),
    };
    let mut bytes = tar.to_vec();
    if let Some(codec) = codec {
        let fragment = tar.strip_suffix(&END).unwrap();
        bytes.clear();
        pack(
            codec,
            Threads::Pool,
            None,
            u64::MAX,
            [Part::Fresh(Box::new(fragment), fragment.len() as u64)],
            &mut bytes,
        )
        .unwrap();
    }
    let diff_id = DiffId(Digest::of(tar));
    BuiltLayer { blob: store.put(&bytes).unwrap(), encoding, diff_id, created_by: created_by.to_owned() }
}

/// Bytes that do not compress, the same every time: enough for a layer of several chunks.
fn noise() -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(next).take(5 * CHUNK / 2 / 8).flatten().collect()
}

/// The dpkg database of the images.
const STATUS: &str =
    "Package: greet\nStatus: install ok installed\nVersion: 1.0-1\nArchitecture: amd64\nInstalled-Size: 12\n\n";

/// Makes an image of three layers for some platforms and names it in the store.
pub(crate) fn image(store: &Store, text: &str, encoding: Encoding, platforms: &[Platform]) -> Image {
    let lower = tar(&[
        Item::Directory("bin/"),
        Item::Directory("etc/"),
        Item::Directory("var/"),
        Item::Directory("var/lib/"),
        Item::Directory("var/lib/dpkg/"),
        Item::File("bin/greet", 0o755, program()),
        Item::File("etc/first", 0o644, b"one content, two names\n"),
        Item::File("etc/greeting", 0o644, b"hello from the first layer\n"),
        Item::File("etc/hidden", 0o644, b"hidden\n"),
        Item::File("etc/noise", 0o644, &noise()),
        Item::Hardlink("etc/same", "etc/first"),
        Item::File("var/lib/dpkg/status", 0o644, STATUS.as_bytes()),
    ]);
    let upper = tar(&[
        Item::Directory("etc/"),
        Item::File("etc/.wh.hidden", 0o644, b""),
        Item::File("etc/greeting", 0o644, GREETING.as_bytes()),
        Item::Symlink("greet", "bin/greet"),
    ]);
    let layers = [
        layer(store, &lower, encoding, "remint: packages greet"),
        layer(store, &upper, encoding, "remint: write etc/greeting"),
        // The same once more: clients must cope with one blob in two places.
        layer(store, &upper, encoding, "remint: write etc/greeting"),
    ];
    let name = name(text);
    let config = Config {
        entrypoint: Some(vec!["/greet".to_owned()]),
        labels: [("made.by".to_owned(), "hand".to_owned())].into(),
        ..Config::default()
    };
    let singles = platforms.iter().map(|&platform| {
        let assembly =
            Assembly { name: &name, platform, base: None, config: &config, layers: &layers, epoch: 1_754_734_272 };
        assemble(store, &assembly).unwrap()
    });
    let singles = singles.collect();
    let image = Image::join(store, name.clone(), singles).unwrap();
    name_images(store, std::slice::from_ref(&image)).unwrap();
    image
}

/// A store in a directory of the test.
pub(crate) fn store(dir: &Path) -> Store {
    Store::open(&dir.join("store")).unwrap()
}
