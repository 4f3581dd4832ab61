//! The interpreters run what they are given, and git clones what another git serves.

use super::engine::Engine;

/// Each uses what depends on a C library of its own, the trusted certificates and the locale.
const NODE: &str = "const { gunzipSync, gzipSync } = require('zlib');
if (gunzipSync(gzipSync('x')).toString() !== 'x') throw 1;
if (require('crypto').createHash('sha256').update('').digest('hex').slice(0, 8) !== 'e3b0c442') throw 2;
if (new Intl.DateTimeFormat('de', { month: 'long' }).format(new Date(0)) !== 'Januar') throw 3;
if (require('fs').readFileSync(process.env.SSL_CERT_FILE, 'utf8').split('BEGIN CERT').length < 100) throw 4;
console.log('it works', process.getuid());";

const PERL: &str =
    "use strict; use warnings FATAL => 'all'; use POSIX qw(setlocale LC_ALL); use Encode; use Storable; use IO::Socket;
use Compress::Zlib; use DB_File; use JSON::PP; use Digest::SHA qw(sha256_hex); use Time::HiRes; use Data::Dumper;
die unless setlocale(LC_ALL, '') eq 'C.UTF-8' and sha256_hex('') =~ /^e3b0c442/ and uncompress(compress('x')) eq 'x';
die unless decode_json('[1]')->[0] == 1 and length(decode('UTF-8', \"\\xc3\\xa9\")) == 1;
print \"it works $<\\n\";";

const RUBY: &str = "require 'openssl'; require 'json'; require 'psych'; require 'zlib'; require 'socket'; require 'ripper'; require 'fiddle'
raise unless Encoding.default_external == Encoding::UTF_8 && Zlib.inflate(Zlib.deflate('x')) == 'x'
raise unless OpenSSL::Digest::SHA256.hexdigest('').start_with?('e3b0c442') && Psych.load('[1]') == JSON.parse('[1]')
raise unless File.read(ENV['SSL_CERT_FILE']).scan('BEGIN CERT').size > 100
puts \"it works #{Process.uid}\"";

#[test]
fn interpreters_run_what_they_are_given() {
    let Some(engine) = Engine::find("languages") else { return };
    for (image, option, script) in [("node", "-e", NODE), ("perl", "-e", PERL), ("ruby", "-e", RUBY)] {
        let id = engine.pull(image);
        assert_eq!(engine.run("none", &[&id, option, script]), "it works 65532\n", "{image}");
    }
    let java = engine.pull("java");
    let classes = engine.directory("classes", 0);
    std::fs::write(classes.join("Hello.class"), hello_class("it works")).unwrap();
    let mount = format!("{}:/srv:ro", classes.display());
    assert_eq!(engine.run("none", &["--volume", &mount, &java, "-cp", "/srv", "Hello"]), "it works\n");
    // A program in Java that reads the store of trusted certificates.
    let list = ["--entrypoint", "/usr/bin/keytool", &java, "-list", "-cacerts", "-storepass", "changeit"];
    let told = engine.run("none", &list);
    assert!(told.matches("trustedCertEntry").count() > 100, "{told}");
}

/// The class `Hello`, whose `main` prints a line: what a compiler would make of it (Java Virtual Machine specification, chapter 4).
fn hello_class(line: &str) -> Vec<u8> {
    const UTF8: u8 = 1;
    const STRING: u8 = 8;
    const CLASS: u8 = 7;
    const FIELD: u8 = 9;
    const METHOD: u8 = 10;
    const NAME_AND_TYPE: u8 = 12;
    let text = |text: &str| [&[UTF8][..], &u16::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat();
    let one = |tag: u8, at: u8| vec![tag, 0, at];
    let two = |tag: u8, a: u8, b: u8| vec![tag, 0, a, 0, b];
    let pool = [
        text("Hello"),
        one(CLASS, 1),
        text("java/lang/Object"),
        one(CLASS, 3),
        text("main"),
        text("([Ljava/lang/String;)V"),
        text("Code"),
        text("java/lang/System"),
        one(CLASS, 8),
        text("out"),
        text("Ljava/io/PrintStream;"),
        two(NAME_AND_TYPE, 10, 11),
        two(FIELD, 9, 12),
        text(line),
        one(STRING, 14),
        text("java/io/PrintStream"),
        one(CLASS, 16),
        text("println"),
        text("(Ljava/lang/String;)V"),
        two(NAME_AND_TYPE, 18, 19),
        two(METHOD, 17, 20),
    ];
    let mut class = vec![0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 52, 0, u8::try_from(pool.len() + 1).unwrap()];
    class.extend(pool.concat());
    // A public class 2 over 4, without interfaces and fields, and with one method: `public static void main(String[])`.
    class.extend([0, 0x21, 0, 2, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0x09, 0, 5, 0, 6, 0, 1]);
    // Its code, of at most two values on the stack and one variable: getstatic 13, ldc 15, invokevirtual 21, return.
    let code = [0xb2, 0, 13, 0x12, 15, 0xb6, 0, 21, 0xb1];
    class.extend([0, 7, 0, 0, 0, 21, 0, 2, 0, 1, 0, 0, 0, 9]);
    class.extend(code);
    class.extend([0; 6]);
    class
}

/// A repository that one container serves is cloned by another, with a submodule, which is the work of git's shell scripts.
#[test]
fn git_clones_a_repository() {
    let Some(engine) = Engine::find("git") else { return };
    let git = engine.pull("git");
    let served = engine.directory("served", 65532);
    let mount = format!("{}:/srv", served.display());
    let make = "set -e; cd /srv
git config --global user.name somebody; git config --global user.email somebody@localhost; git config --global init.defaultBranch main
for name in part whole; do git init -q $name; git -C $name commit -q --allow-empty -m 'the first'; done
cd whole; git -c protocol.file.allow=always submodule --quiet add ../part part; echo it works >file; git add .; git commit -q -m 'the second'";
    engine.run("none", &["--volume", &mount, "--entrypoint", "/bin/sh", &git, "-c", make]);
    let daemon = ["--volume", &mount, &git, "daemon", "--reuseaddr", "--export-all", "--base-path=/srv", "/srv"];
    let server = engine.start("none", &daemon);
    let clone = "set -e; i=0; until git ls-remote -q git://127.0.0.1/whole >/dev/null 2>&1; do i=$((i + 1)); [ $i -lt 100 ]; sleep 0.1; done
git clone -q --recurse-submodules git://127.0.0.1/whole; cd whole; cat file; git log --format=%s; git submodule status | cut -c 43-";
    let told = engine.run(&server.network(), &["--entrypoint", "/bin/sh", &git, "-c", clone]);
    assert_eq!(told, "it works\nthe second\nthe first\npart (heads/main)\n", "{}", server.said());
    assert_eq!(
        engine.run("none", &["--entrypoint", "/usr/bin/ssh", &git, "-G", "localhost"]).lines().next(),
        Some("host localhost")
    );
}
