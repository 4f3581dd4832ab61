//! Inputs that the targets take, made by code, and the words of their languages.

use super::attest;
use super::image;
use super::targets::{KEYRING, NOW};
use crate::diff::making;
use crate::support::archive::{File, Package, SIGNED, Suite, pack, tar};
use crate::support::signer::{KeySpec, SignatureSpec, Signer, message};
use remint::attest::{Attachment, PrivateKey, Secret, Statement, Subject, sign_bundle, simple_signing};
use remint::digest::Digest;
use remint::layer::{END, Entry, FragmentWriter};
use remint::oci::{Blob, TreePath};

/// Inputs for a target; the first is always one that it takes.
pub(super) fn of(name: &str) -> Vec<Vec<u8>> {
    let texts = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    match name {
        "apt-sources" => texts(&[
            "deb [arch=amd64 signed-by=/k.gpg] http://a.test/debian trixie main contrib\ndeb-src http://a.test/debian trixie main\n",
            "Types: deb deb-src\nURIs: http://a.test/debian mirror+file:/x\nSuites: trixie trixie-updates\nComponents: main\nSigned-By:\n a\n .\n b\n\nEnabled: no\nTypes: deb\nURIs: file:///srv\nSuites: ./\n",
            "deb cdrom:[Debian 13]/ trixie main # comment\n",
        ]),
        "certificate" => vec![certificate().into_bytes(), KEYRING.as_bytes().to_vec()],
        "java-store" => vec![format!("mozilla/fuzz.crt\n!x\n%%\n{}", certificate()).into_bytes()],
        "copyright" => texts(&[COPYRIGHT]),
        "deb" => ["", "gz", "xz", "zst"].map(|packing| sample().packed(packing).deb()).to_vec(),
        "dependency" => texts(&[
            "a, b:any (>= 1:2.0-1~x) | c [amd64], d (<< 3), e (= 1.0), , f:arm64",
            "libc6 (>= 2.38), libgcc-s1 (>= 3.0), adduser | base-files (>> 12~)",
        ]),
        "diff-ar" => vec![making::ar(&[("a.o/", b"text\n", 5), ("b.o/", b"one", 6)]), sample().deb()],
        "diff-compressed" => {
            let plain = b"built 2026-11-23 by alice\n".repeat(20);
            let forms = ["gzip", "zstd", "xz"].map(|form| making::pack(form, &plain));
            [&forms[..], &[making::gzip_with(5, "x", &plain)]].concat()
        }
        "diff-elf" => vec![making::elf(&[
            (".text", b"code"),
            (".rodata", b"\0/build/a/main.c\0"),
            (".note.gnu.build-id", &making::build_id(1)),
            (".gnu_debuglink", b"ab.debug\0\0\0\0\x01\x02\x03\x04"),
        ])],
        "diff-image" => {
            let plain = making::tar(&[making::file("etc/a", b"1\n"), making::file("etc/.wh.b", b"")]);
            vec![docker_archive(&plain), plain]
        }
        "diff-json" => texts(&["{\"a\": [1, {\"b\": null}], \"date\": \"2026-11-23\"}", "[[1, 2], [2, 1]]"]),
        "diff-python" => vec![making::pyc(1_795_418_213, b"\xe3\0\0\0code")],
        "diff-sqlite" => vec![making::sqlite(1, &[b"at 2026-11-23", b"two"])],
        "diff-tar" => vec![making::tar(&[making::file("a/b", b"1"), making::file("c", b"2026-11-23")]), gnu()],
        "diff-text" => texts(&["built 2026-11-23T07:16:53Z by root@host\nat /build/x\nLANG=C\n", "a\nb\nc\n"]),
        "diff-zip" => {
            let zip = making::zip(&[("a/b.txt", b"1", 0x5000), ("META-INF/M", b"Built-By: alice\n", 0x5000)], Some(6));
            vec![making::zip64(&zip), zip]
        }
        "dpkg" => texts(&[DPKG]),
        "elf" => vec![elf(true), elf(false)],
        "index" => vec![fragment().1],
        "inrelease" => vec![inrelease().into_bytes(), include_bytes!("inrelease.txt").to_vec()],
        "keyring" => vec![
            KEYRING.as_bytes().to_vec(),
            Signer::new(KeySpec::with_subkey(7)).certificate().to_vec(),
            [Signer::new(KeySpec::good(1)).certificate(), Signer::new(KeySpec::with_subkey(2)).certificate()].concat(),
        ],
        "layer" => {
            let tar = fragment().0;
            [("zst", 0), ("gz", 1), ("", 2)].map(|(form, first)| [&[first][..], &pack(form, &tar)].concat()).to_vec()
        }
        "lock" => texts(&[LOCK]),
        "oci" => oci(),
        "packages" => vec![{
            let suite = Suite::new("trixie", vec![sample(), Package::new("b", "1:2-3~x").field("Provides", "c (= 1)")]);
            suite.index(&suite.components[0].1, "amd64").into_bytes()
        }],
        "packed" => {
            let plain = b"some bytes that repeat, some bytes that repeat".repeat(20);
            let forms = [("xz", 0), ("gz", 1), ("zst", 2), ("", 3)];
            forms.map(|(form, first)| [&[first][..], &pack(form, &plain)].concat()).to_vec()
        }
        "pax" => texts(&[
            "12 path=a/b\n11 uid=1234\n20 mtime=1234567.89\n32 SCHILY.xattr.security.ima=xy\n16 linkpath=c/d\n",
            "19 GNU.sparse.map=\n10 size=0\n14 comment=ab\n",
        ]),
        "pem-key" => {
            vec![attest::PRIVATE.as_bytes().to_vec(), key().public().to_pem().into_bytes(), P256.as_bytes().to_vec()]
        }
        "project" => texts(&[
            include_str!("../recipe/remint.toml"),
            "recipes = [\"a/*.toml\"]\nplatforms = [\"linux/amd64\"]\ncompression = \"gzip\"\n[archive.debian]\nsuites = [\"trixie\"]\nmirror = [\"http://a.test/debian\"]\nsnapshot = \"http://a.test/{date}\"\nkeyring = \"k.pgp\"\n",
        ]),
        "recipe" => texts(&[include_str!("../recipe/whole.toml"), SMALL]),
        "release" => vec![Suite::new("trixie", vec![sample()]).release().0.into_bytes()],
        "scripts" => texts(&[
            SCRIPT,
            "[Unit]\nDescription=x\n[Install]\nWantedBy=multi-user.target\nAlias=y.service\nAlso=z.socket\n",
        ]),
        "signature" => {
            let signer = Signer::new(KeySpec::with_subkey(7));
            vec![signer.signature("Suite: trixie\n", SignatureSpec::at(SIGNED))]
        }
        "signed" => signed(),
        "stanza" => texts(&["A: b\nC:\n d\n .\n e\n# x\nF-G: h\n\nA: c\n", "Package: a\nVersion: 1\n\n\n"]),
        "store" => store(),
        "sysusers" => texts(&[
            "root:x:0:0:root:/root:/bin/bash\nmail:x:8:8::/:\n%%\ng a 70 -\nu b - \"B b\" /var/b /bin/sh\nu! c 71:a \"C\"\nm b a\nr - 500-900\n",
        ]),
        "tar" => vec![[&fragment().0[..], &END].concat(), gnu(), tar(&[("./a".to_owned(), plain(b"x"))])],
        "tmpfiles" => texts(&[
            "d /run/a 0755 root root -\nf+ /var/a 0644 - - - text\nL+ /var/l - - - - ../x\nD! /tmp/x 1777 root mail 10d\nz /var/run/q 0700 root root\n",
        ]),
        "request" => texts(&[
            "GET /v2/team/web/manifests/latest HTTP/1.1\r\nHost: a:1\r\nIf-None-Match: \"x\"\r\n\r\nHEAD /v2/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            "GET http://a/v2/a%2db/blobs/sha256:0?n=1&last=%20 HTTP/1.1\r\nhost: a\r\nrange: bytes=10-99\r\nif-range: \"x\"\r\nContent-Length: 0\r\n\r\n",
        ]),
        "version" => texts(&["1:2.0~rc1-3+b1\n1:2.0-3", "0.0.0a\n0.0.0"]),
        other => panic!("no seeds for `{other}`"),
    }
}

/// Where the program in `tests/fuzz/` wants the seeds.
#[expect(clippy::disallowed_methods, reason = "the run says where the seeds go")]
pub(super) fn wanted() -> Option<std::ffi::OsString> {
    std::env::var_os("REMINT_FUZZ_SEEDS")
}

const DPKG: &str = "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\nConffiles:\n /etc/a 0123\n%%\n/bin/a\n/bin/a.real\na\n%%\n/usr/share/a a/noawait\n%%\nName: x/y\nTemplate: x/y\nValue: 1\nOwners: a\n%%\ninterest-noawait /usr/share/fuzz\nactivate x\n%%\n/etc/fuzz\nremove-on-upgrade /etc/b\n%%\nTemplate: fuzz/q\nType: select\nChoices: a, b\nDefault: a\nDescription: q\n text\n .\n more\n%%\n0123  usr/fuzz\n%%\nPackage: fuzz\nVersion: 1\nArchitecture: all\nDescription: x\n";

const SCRIPT: &str = "#!/bin/sh\nset -e\nif [ \"$1\" = configure ]; then\n  update-alternatives --install /usr/bin/x x /usr/bin/fuzz 50 \\\n    --slave /usr/share/man/x.1 x.1 /usr/share/man/fuzz.1\n  deb-systemd-helper enable 'fuzz.service' >/dev/null || true\n  update-rc.d fuzz defaults >/dev/null\nfi\ncase \"$1\" in\n  a|b) adduser --system --group fuzz ;;\nesac\ncat <<EOF\ntext\nEOF\nexit 0\n";

const SMALL: &str = "from = \"base\"\n[[layer]]\nwrite = { \"/etc/a\" = { text = \"b\", mode = \"0644\" }, \"/etc/l\" = { link = \"a\" } }\n[users.a]\nuid = 10\n[config]\nuser = \"a\"\nports = [80]\nenv = { A = \"b\" }\n";

const LOCK: &str = "version = 1\nformat = 1\n\n[release.debian]\ntrixie = { date = \"2026-01-01T00:00:00Z\", inrelease = \"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", signed-by = \"0123456789ABCDEF0123456789ABCDEF01234567\" }\n\n[packages]\ndebian = [\n    \"a 1.0-1 all trixie 10 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa pool/a.deb\",\n]\n\n[[layer]]\nimage = \"i\"\nlayer = 1\nplatform = \"linux/amd64\"\narchive = \"debian\"\nwanted = [\"a\"]\ndate = \"2026-01-01T00:00:00Z\"\nepoch = 1767225600\npackages = [\n    \"a\",\n]\n";

/// An archive as `docker save` writes it, of one layer.
fn docker_archive(layer: &[u8]) -> Vec<u8> {
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
        Digest::of(layer)
    );
    making::tar(&[
        making::file("l/layer.tar", layer),
        making::file("c.json", config.as_bytes()),
        making::file("manifest.json", br#"[{"Config":"c.json","RepoTags":["x:1"],"Layers":["l/layer.tar"]}]"#),
    ])
}

fn plain(content: &[u8]) -> File {
    File::Plain { content: content.to_vec(), mode: 0o644 }
}

fn sample() -> Package {
    Package::new("sample", "1:1.0-1")
        .field("Depends", "a (>= 1), b | c")
        .file("usr/bin/sample", vec![7; 600])
        .entry("usr/lib/link", File::Link { target: "../bin/sample".to_owned() })
        .script("postinst", "#!/bin/sh\n")
        .control_file("conffiles", "/etc/sample\n")
}

/// The message that the keyring's key signed.
fn inrelease() -> String {
    let text = format!("Suite: trixie\n{}", Suite::new("trixie", vec![]).release().0);
    debug_assert!(NOW > u64::from(SIGNED));
    Signer::new(KeySpec::with_subkey(7)).clearsign(&text, SIGNED)
}

/// A fragment with one entry of each kind, and its index.
fn fragment() -> (Vec<u8>, Vec<u8>) {
    let path = |text: &str| TreePath::parse(text).unwrap();
    let mut long = Entry::file(path(&"long/".repeat(30)), 0o755, 3);
    long.xattrs = vec![("security.capability".to_owned(), vec![1, 0, 0, 2])];
    let entries = [Entry::file(path("a"), 0o644, 0), Entry::symlink(path("b"), "../a"), long];
    let mut writer = FragmentWriter::new(Vec::new());
    for entry in &entries {
        writer.add(entry, &mut &b"abc"[..usize::try_from(entry.size()).unwrap()]).unwrap();
    }
    let (tar, index) = writer.finish().unwrap();
    (tar, index.encode())
}

/// An archive as GNU tar writes it, with a long name, a hard link and a device.
fn gnu() -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    let mut header = ::tar::Header::new_gnu();
    header.set_size(3);
    header.set_mode(0o644);
    builder.append_data(&mut header, "long/".repeat(40) + "file", &b"abc"[..]).unwrap();
    header.set_size(0);
    header.set_entry_type(::tar::EntryType::Link);
    builder.append_link(&mut header, "link", "long/".repeat(40) + "file").unwrap();
    header.set_entry_type(::tar::EntryType::Char);
    header.set_device_major(1).unwrap();
    header.set_device_minor(3).unwrap();
    builder.append_data(&mut header, "null", &b""[..]).unwrap();
    builder.into_inner().unwrap()
}

/// A shared library with one soname and a needed one, of 64 bits in little endian (ELF-64 Object File Format 1.5).
fn elf(whole: bool) -> Vec<u8> {
    let strings = b"\0libfuzz.so.1\0libc.so.6\0";
    let (phoff, dynamic, names) = (64_u64, 64 + 2 * 56_u64, 64 + 2 * 56 + 5 * 16_u64);
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    let half = |file: &mut Vec<u8>, value: u16| file.extend(value.to_le_bytes());
    let word = |file: &mut Vec<u8>, value: u32| file.extend(value.to_le_bytes());
    let long = |file: &mut Vec<u8>, value: u64| file.extend(value.to_le_bytes());
    half(&mut file, 3);
    half(&mut file, 62);
    word(&mut file, 1);
    for value in [0, phoff, 0] {
        long(&mut file, value);
    }
    word(&mut file, 0);
    for value in [64, 56, 2, 64, 0, 0] {
        half(&mut file, value);
    }
    let size = names + strings.len() as u64;
    for (kind, offset, size) in [(1, 0, size), (2, dynamic, 5 * 16)] {
        word(&mut file, kind);
        word(&mut file, 5);
        for value in [offset, offset, offset, size, size, 8] {
            long(&mut file, value);
        }
    }
    for (tag, value) in [(5, names), (10, strings.len() as u64), (14, 1), (1, 14), (0, 0)] {
        long(&mut file, tag);
        long(&mut file, value);
    }
    file.extend_from_slice(strings);
    if !whole {
        file[4] = 1;
    }
    file
}

/// The shape of a certificate (RFC 5280, section 4.1): what a reader of its subject looks at.
fn certificate() -> String {
    let der = |tag: u8, content: &[&[u8]]| {
        let content = content.concat();
        [&[tag, u8::try_from(content.len()).unwrap()][..], &content].concat()
    };
    let name = der(0x30, &[&der(0x31, &[&der(0x30, &[&der(6, &[&[0x55, 4, 3]]), &der(12, &[b"Fuzz  CA"])])])]);
    let algorithm = der(0x30, &[&der(6, &[&[0x2a, 0x86, 0x48]]), &der(5, &[])]);
    let times = der(0x30, &[&der(23, &[b"260101000000Z"]), &der(23, &[b"360101000000Z"])]);
    let key = der(0x30, &[&algorithm, &der(3, &[&[0, 1]])]);
    let version = der(0xa0, &[&der(2, &[&[2]])]);
    let body = der(0x30, &[&version, &der(2, &[&[1]]), &algorithm, &name, &times, &name, &key]);
    let whole = der(0x30, &[&body, &algorithm, &der(3, &[&[0, 1]])]);
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", base64(&whole))
}

/// Base64 in one line (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().chain([&0, &0]).take(3).fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        for place in 0..4 {
            let digit = char::from(DIGITS[bits >> (18 - 6 * place) & 63]);
            text.push(if place <= group.len() { digit } else { '=' });
        }
    }
    text
}

fn blob(bytes: &[u8]) -> Blob {
    Blob { digest: Digest::of(bytes), size: bytes.len() as u64 }
}

/// A manifest, a config, an index and a tar, each behind the byte that says which it is.
fn oci() -> Vec<Vec<u8>> {
    let layer = blob(&[0; 1024]);
    let config = image::config(&layer);
    let manifest = image::manifest(&blob(config.as_bytes()), &layer);
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":{},"platform":{{"os":"linux","architecture":"amd64"}}}}]}}"#,
        Digest::of(manifest.as_bytes()),
        manifest.len()
    );
    let tar = [&fragment().0[..], &END].concat();
    let all: [&[u8]; 4] = [manifest.as_bytes(), config.as_bytes(), index.as_bytes(), &tar];
    (0_u8..).zip(all).map(|(which, bytes)| [&[which], bytes].concat()).collect()
}

/// A public key of P-256, by openssl.
const P256: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEet/oPQrMHx53ZZVezzm8l+b6dQyD\nEQGIzcJmI4Uzo1kim87jq6H26QOeAfIQJFv37ipSS962BAHTXflr4Ey1AA==\n-----END PUBLIC KEY-----\n";

/// A copyright file with all that such files have.
const COPYRIGHT: &str = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: x\nLicense: ISC\n\n\
    Files: *\nCopyright: x\nLicense: GPL-2+ with OpenSSL exception or LGPL-2.1+, and Expat\n\nFiles: a b\nLicense: mine and BSD-3-clause\n text\n .\n more\n\n\
    License: mine\n\tIts text\n";

fn key() -> PrivateKey {
    PrivateKey::from_pem(&Secret::new(attest::PRIVATE.as_bytes().to_vec())).unwrap()
}

/// What is signed, in each form, and the manifest of a tag.
fn signed() -> Vec<Vec<u8>> {
    let blob = Blob::of(b"image");
    let subject = Subject { media_type: String::from("application/json"), blob, created: None };
    let statement = Statement::signed(blob.digest);
    let bundle = sign_bundle(&subject, &statement, &key()).blobs.remove(1).bytes;
    let envelope = Attachment::attestation(&subject, &statement, &key(), None).unwrap().blobs.remove(1).bytes;
    let mut tagged = simple_signing(&subject, "r.example/x", &key(), None).unwrap();
    let payload = tagged.blobs.remove(1).bytes;
    (0_u8..)
        .zip([bundle, envelope, payload, tagged.manifest])
        .map(|(form, bytes)| [&[form][..], &bytes].concat())
        .collect()
}

/// A list of images, and results of actions.
fn store() -> Vec<Vec<u8>> {
    let one = format!(r#"{{"digest":"{}","size":3}}"#, Digest::of(b"one"));
    let fragment = format!(r#"{{"index":{one},"tar":{one}}}"#);
    [
        format!(r#"{{"manifests":[{{"annotations":{{"org.opencontainers.image.ref.name":"fuzz"}},"digest":"{}","mediaType":"application/vnd.oci.image.manifest.v1+json","size":3}}],"schemaVersion":2}}"#, Digest::of(b"one")),
        format!(r#"{{"blobs":[{one}],"result":{{"files":{fragment},"newest":1,"package":{one}}}}}"#),
        format!(r#"{{"blobs":[{one}],"result":{{"directories":{one},"fragments":[{fragment}],"uncovered":[["a","b","c"]]}}}}"#),
        format!(r#"{{"blobs":[],"result":{{"blob":{one},"diff_id":"{}","tar_size":1024}}}}"#, Digest::of(b"one")),
    ]
    .map(String::into_bytes)
    .to_vec()
}

/// The message that the target `keyring` verifies with whatever keys come in.
#[test]
fn the_message_for_keyrings_is_the_signers() {
    let signer = Signer::new(KeySpec::with_subkey(7));
    let text = message("Suite: trixie\n", "SHA256", &signer.signature("Suite: trixie\n", SignatureSpec::at(SIGNED)));
    assert_eq!(text.replace("\r\n", "\n"), include_str!("inrelease.txt"));
}
