//! gpgv judges what remint says of signed files: genuine ones, and every way to tamper that we know.

use crate::support::judge::{apt_sources, find, missing};
use crate::support::random::random;
use crate::support::signer::{KEY_MADE, KeyFault, KeySpec, SignatureSpec, Signer, message};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::SignatureType;
use remint::event::Events;
use remint::source::debian::{Keyring, Mirrors, Release, SignatureError, Verified, verify};
use remint::source::fetch::{Expected, Fetcher, Request};
use std::path::Path;
use std::process::Command;

const SUITES: [&str; 6] =
    ["trixie", "trixie-updates", "trixie-security", "bookworm", "bookworm-updates", "bookworm-security"];

const TEXT: &str = "Origin: Test\nSuite: stable\n\n- dashed\n-dashed\nFrom: here\nlast\n";

const MADE: u32 = 1_767_225_600;

fn now() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "gpgv compares with the clock")]
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// What gpgv says, read as apt reads it: the signed text if a signature is good and none is bad.
fn gpgv(file: &[u8], keyring: &[u8], dir: &Path) -> Option<Vec<u8>> {
    let (path, keys) = (dir.join("file"), dir.join("keys.gpg"));
    std::fs::write(&path, file).unwrap();
    std::fs::write(&keys, keyring).unwrap();
    let output = dir.join("output");
    let _ = std::fs::remove_file(&output);
    let status = Command::new("gpgv")
        .args(["--status-fd", "1", "--homedir"])
        .arg(dir)
        .args(["--output".as_ref(), output.as_os_str(), "--keyring".as_ref(), keys.as_os_str(), path.as_os_str()])
        .output()
        .unwrap();
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    let says = |word: &str| {
        status
            .lines()
            .filter_map(|line| line.strip_prefix("[GNUPG:] "))
            .filter(|line| line.split(' ').next() == Some(word))
            .count()
    };
    let unknown = says("NO_PUBKEY");
    let good = says("GOODSIG") > 0
        && says("VALIDSIG") > 0
        && says("BADSIG") == 0
        && says("ERRSIG") == unknown
        && says("NODATA") == 0;
    good.then(|| std::fs::read(&output).unwrap_or_default())
}

fn ours(file: &[u8], keyring: &[u8]) -> Result<Verified, SignatureError> {
    verify(file, &Keyring::parse(keyring).unwrap(), now())
}

/// Where the line ends of a text do not matter: gpgv gives them as they are in the file.
fn lines(text: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(text).lines().map(|line| line.trim_end().to_owned()).collect()
}

/// What Debian signed, as far as it can be had, with the keyring that Debian's own machines use.
fn genuine() -> Vec<(&'static str, Vec<u8>)> {
    #[expect(clippy::disallowed_methods, reason = "as the program reads it")]
    let environment = std::env::var("REMINT_DEBIAN_MIRROR").ok();
    let mirrors = Mirrors::new(&[], environment.as_deref(), &apt_sources()).unwrap();
    let fetcher = Fetcher::new(Events::none(), |_| ());
    let fetch = |suite: &'static str| {
        let urls =
            mirrors.bases(suite).ok()?.iter().map(|base| base.join(&format!("dists/{suite}/InRelease"))).collect();
        let request = Request { name: suite.to_owned(), urls, expected: Expected::at_most(1 << 24) };
        match fetcher.to_memory(&request) {
            Ok((bytes, _)) => Some((suite, bytes)),
            Err(error) => {
                missing(&error.to_string());
                None
            }
        }
    };
    SUITES.into_iter().filter_map(fetch).collect()
}

fn shipped() -> Vec<u8> {
    let mut names: Vec<_> = std::fs::read_dir("keys").unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|extension| extension == "asc"));
    let text: String = names.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    text.into_bytes()
}

/// gpgv reads binary keyrings alone.
fn dearmoured(text: &[u8], dir: &Path) -> Vec<u8> {
    let (from, to) = (dir.join("keys.asc"), dir.join("keys.bin"));
    let mut all = Vec::new();
    for block in String::from_utf8_lossy(text).split_inclusive("-----END PGP PUBLIC KEY BLOCK-----\n") {
        std::fs::write(&from, block).unwrap();
        let _ = std::fs::remove_file(&to);
        let done = Command::new("gpg")
            .args(["--batch", "--homedir"])
            .arg(dir)
            .arg("--output")
            .arg(&to)
            .arg("--dearmor")
            .arg(&from)
            .output();
        assert!(done.unwrap().status.success());
        all.extend(std::fs::read(&to).unwrap());
    }
    all
}

#[test]
fn genuine_releases_are_verified_as_gpgv_does() {
    if find("gpgv").is_none() || find("gpg").is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let keyring = dearmoured(&shipped(), dir.path());
    let shipped = Keyring::debian();
    for (suite, file) in genuine() {
        let verified = verify(&file, &shipped, now()).unwrap_or_else(|error| panic!("{suite}: {error}"));
        let theirs = gpgv(&file, &keyring, dir.path()).unwrap_or_else(|| panic!("gpgv refuses {suite}"));
        assert_eq!(lines(verified.text.as_bytes()), lines(&theirs), "{suite}");
        let release = Release::parse(&verified.text).unwrap();
        release.check_suite(suite).unwrap();
        release.check_time(now()).unwrap();
        assert!(
            SUITES.iter().filter(|other| **other != suite).all(|other| release.check_suite(other).is_err()),
            "{suite}"
        );
        assert!(release.files.contains_key("main/binary-arm64/Packages.xz"), "{suite}");
    }
}

/// Compares both verdicts; where remint accepts, gpgv has to accept, and the texts have to be the same.
fn compare(what: &str, file: &[u8], keyring: &[u8], dir: &Path) -> (bool, bool) {
    let (mine, theirs) = (ours(file, keyring), gpgv(file, keyring, dir));
    if let Ok(verified) = &mine {
        let theirs = theirs.as_ref().unwrap_or_else(|| panic!("{what}: remint accepts what gpgv refuses"));
        assert_eq!(lines(verified.text.as_bytes()), lines(theirs), "{what}");
    }
    (mine.is_ok(), theirs.is_some())
}

/// Flips single bits everywhere: nothing that gpgv refuses may pass, and what remint refuses beyond it has to be framing alone.
fn flip_bits(name: &str, file: &[u8], keyring: &[u8], flips: usize) {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(compare(name, file, keyring, dir.path()), (true, true));
    let text = String::from_utf8_lossy(file).into_owned();
    let armour = text.find("-----BEGIN PGP SIGNATURE-----").unwrap();
    let mut state = 7;
    let (mut both, mut stricter) = (0, 0);
    for flip in 0..flips {
        // A third each in the header and the first lines, in the armour, and anywhere.
        let at = match flip % 3 {
            0 => random(&mut state, file.len().min(120)),
            1 => armour + random(&mut state, file.len() - armour),
            _ => random(&mut state, file.len()),
        };
        let bit = random(&mut state, 8);
        let mut bad = file.to_vec();
        bad[at] ^= 1 << bit;
        match compare(&format!("{name}: bit {bit} of byte {at}"), &bad, keyring, dir.path()) {
            (true, true) | (false, false) => both += 1,
            (false, true) => {
                // GnuPG does not mind how the lines around the armour are spelled, nor what its padding is.
                assert!(at >= armour, "{name}: bit {bit} of byte {at}: remint alone refuses a change of the text");
                stricter += 1;
            }
            (true, false) => unreachable!(),
        }
    }
    #[expect(clippy::disallowed_macros, reason = "a test's report")]
    {
        println!("{name}: {both} verdicts agree, remint alone refuses {stricter}");
    }
    assert!(stricter * 3 < flips, "{name}: remint alone refuses {stricter} of {flips}");
}

#[test]
fn flipped_bits_are_judged_as_gpgv_does() {
    if find("gpgv").is_none() {
        return;
    }
    let (one, two) = (Signer::new(KeySpec::good(1)), Signer::new(KeySpec::with_subkey(2)));
    let packets = [one.signature(TEXT, SignatureSpec::at(MADE)), two.signature(TEXT, SignatureSpec::at(MADE))].concat();
    flip_bits("one key", one.clearsign(TEXT, MADE).as_bytes(), one.certificate(), 150);
    let keyring = [one.certificate(), two.certificate()].concat();
    flip_bits("two keys", message(TEXT, "SHA256", &packets).as_bytes(), &keyring, 150);
}

#[test]
fn flipped_bits_of_genuine_releases_are_judged_as_gpgv_does() {
    if find("gpgv").is_none() || find("gpg").is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let keyring = dearmoured(&shipped(), dir.path());
    for (suite, file) in
        genuine().into_iter().filter(|(suite, _)| matches!(*suite, "trixie-updates" | "bookworm-security"))
    {
        flip_bits(suite, &file, &keyring, 60);
    }
}

#[test]
fn tampered_files_are_refused_as_gpgv_does() {
    if find("gpgv").is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (Signer::new(KeySpec::good(1)), Signer::new(KeySpec::with_subkey(2)));
    let sign = |spec| one.signature(TEXT, spec);
    let good = sign(SignatureSpec::at(MADE));
    let file = message(TEXT, "SHA256", &good);
    let other = two.signature(TEXT, SignatureSpec::at(MADE));
    let elsewhere = one.signature("Origin: Other\n", SignatureSpec::at(MADE));
    let with = |packets: &[&[u8]]| message(TEXT, "SHA256", &packets.concat());
    let armour = &file[file.find("-----BEGIN PGP SIGNATURE").unwrap()..];
    let specs = |change: &dyn Fn(&mut SignatureSpec)| {
        let mut spec = SignatureSpec::at(MADE);
        change(&mut spec);
        spec
    };
    // What it is, the file, and the verdicts that are expected of remint and of gpgv.
    let cases: Vec<(&str, String, bool, bool)> = vec![
        ("genuine", file.clone(), true, true),
        ("with line ends of DOS", file.replace('\n', "\r\n"), true, true),
        ("with white space at the ends of lines", file.replace("stable\n", "stable \t\n"), true, true),
        ("an escape that is not needed", file.replace("Origin", "- Origin"), true, true),
        ("by another key", message(TEXT, "SHA256", &other), false, false),
        ("by an unknown key too", with(&[&other, &good]), true, true),
        ("by an unknown key last", with(&[&good, &other]), true, true),
        ("a good and a bad signature", with(&[&good, &elsewhere]), false, false),
        ("a bad and a good signature", with(&[&elsewhere, &good]), false, false),
        ("a signature of another text", with(&[&elsewhere]), false, false),
        ("SHA-512", message(TEXT, "SHA512", &sign(specs(&|s| s.hash = HashAlgorithm::Sha512))), true, true),
        ("a hash that is not announced", message(TEXT, "SHA512", &good), false, false),
        ("an unknown hash", message(TEXT, "SHA257", &good), false, false),
        ("an expired signature", message(TEXT, "SHA256", &sign(specs(&|s| s.life = Some(60)))), false, false),
        (
            "a signature older than its key",
            message(TEXT, "SHA256", &sign(SignatureSpec::at(KEY_MADE - 9))),
            false,
            false,
        ),
        (
            "a critical subpacket that is not known",
            message(TEXT, "SHA256", &sign(specs(&|s| s.critical = true))),
            false,
            false,
        ),
        (
            "a signature for binary data",
            message(TEXT, "SHA256", &sign(specs(&|s| s.kind = SignatureType::Binary))),
            true,
            true,
        ),
        ("a changed word", file.replace("stable", "stab1e"), false, false),
        ("a line more", file.replace("Suite:", "Evil: yes\nSuite:"), false, false),
        ("a line less", file.replace("Suite: stable\n", ""), false, false),
        ("an escape taken away", file.replace("- - dashed", "- dashed"), false, false),
        ("without a signature", file.replace(armour, ""), false, false),
        ("the bare text", TEXT.to_owned(), false, false),
        ("nothing", String::new(), false, false),
        ("the signature alone", armour.to_owned(), false, false),
        ("an empty signature", with(&[]), false, false),
        // From here on remint is stricter: gpgv verifies the message and leaves it to its user to find out what is around it, and
        // prints warnings where it could read a line in two ways. apt refuses the framing for the same reasons.
        ("text in front", format!("Evil: yes\n{file}"), false, true),
        ("an empty line in front", format!("\n{file}"), false, true),
        ("text behind", format!("{file}Evil: yes\n"), false, true),
        ("an empty line behind", format!("{file}\n"), false, true),
        ("doubled", format!("{file}{file}"), false, true),
        ("another message in front", format!("{}{file}", two.clearsign("Evil: yes\n", MADE)), false, false),
        ("a header that is not known", file.replace("Hash:", "Comment: x\nHash:"), false, false),
        ("no escapes by header", file.replace("Hash:", "NotDashEscaped: x\nHash:"), false, false),
        ("no line break at the end", file.trim_end().to_owned(), false, true),
    ];
    let mut wrong = Vec::new();
    for (what, file, mine, theirs) in cases {
        let found = compare(what, file.as_bytes(), one.certificate(), dir.path());
        if found != (mine, theirs) {
            wrong.push(format!("{what}: remint {}, gpgv {}", found.0, found.1));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn keys_that_may_not_sign_are_refused_as_gpgv_does() {
    if find("gpgv").is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for (what, spec, accepted) in [
        ("a good key", KeySpec::good(3), true),
        ("a good key with a subkey", KeySpec::with_subkey(3), true),
        ("a key that is valid for long", KeySpec { life: Some(1_500_000_000), ..KeySpec::good(3) }, true),
        ("an expired key", KeySpec { life: Some(MADE - KEY_MADE + 60), ..KeySpec::good(3) }, false),
        ("a key that was expired", KeySpec { life: Some(60), ..KeySpec::good(3) }, false),
        ("an expired key with a subkey", KeySpec { life: Some(60), ..KeySpec::with_subkey(3) }, false),
        ("a revoked key", KeySpec::faulty(3, KeyFault::Revoked), false),
        ("a revoked subkey", KeySpec::faulty(3, KeyFault::SubkeyRevoked), false),
        ("a subkey without its own consent", KeySpec::faulty(3, KeyFault::NoBackSignature), false),
        ("a key that is not for signing", KeySpec::faulty(3, KeyFault::NotForSigning), false),
        ("a key without a self-signature", KeySpec::faulty(3, KeyFault::NoSelfSignature), false),
    ] {
        let signer = Signer::new(spec);
        let file = signer.clearsign(TEXT, MADE);
        let theirs = gpgv(file.as_bytes(), signer.certificate(), dir.path());
        // A key that can never sign is refused when the keyring is read.
        let mine =
            Keyring::parse(signer.certificate()).ok().and_then(|keyring| verify(file.as_bytes(), &keyring, now()).ok());
        assert_eq!((mine.is_some(), theirs.is_some()), (accepted, accepted), "{what}");
        if let Some(verified) = mine {
            assert_eq!(verified.signed_by[0].to_string(), signer.fingerprint());
            assert_eq!((&verified.text[..], verified.signed_at), (TEXT, u64::from(MADE)));
        }
    }
}

/// Keys and hashes that GnuPG 2.2 still takes, and that neither apt nor remint does.
#[test]
fn weak_keys_and_hashes_are_refused() {
    if find("gpg").is_none() || find("gpgv").is_none() || find("gpgconf").is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let gpg = |arguments: &[&str]| {
        let done = Command::new("gpg")
            .args(["--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", "", "--homedir"])
            .arg(dir.path())
            .args(arguments)
            .output()
            .unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    };
    let text = dir.path().join("text");
    std::fs::write(&text, TEXT).unwrap();
    let text = text.to_str().unwrap();
    // The key, how it is certified, how it signs, whether remint takes it, and a word of the reason.
    for (kind, certify, digest, accepted, why) in [
        ("rsa2048", "SHA256", "SHA256", true, ""),
        ("rsa2048", "SHA512", "SHA384", true, ""),
        ("nistp256", "SHA256", "SHA256", true, ""),
        ("rsa2048", "SHA256", "SHA1", false, "weak hash"),
        ("rsa2048", "SHA256", "SHA224", false, "weak hash"),
        ("rsa2048", "SHA1", "SHA256", false, "self-signature"),
        ("rsa1024", "SHA256", "SHA256", false, "weak or unknown kind"),
        ("dsa2048", "SHA256", "SHA256", false, "weak or unknown kind"),
        ("secp256k1", "SHA256", "SHA256", false, "weak or unknown kind"),
    ] {
        let name = format!("{kind} {certify} {digest}");
        gpg(&["--cert-digest-algo", certify, "--quick-generate-key", &name, kind, "sign", "never"]);
        let keyring = gpg(&["--export", &format!("={name}")]);
        let user = format!("={name}");
        let file = gpg(&["--digest-algo", digest, "--local-user", &user, "--output", "-", "--clearsign", text]);
        assert!(gpgv(&file, &keyring, dir.path()).is_some(), "gpgv refuses {name}");
        let mine = Keyring::parse(&keyring).map_err(|error| error.to_string());
        let mine = mine.and_then(|keyring| verify(&file, &keyring, now()).map_err(|error| error.to_string()));
        match mine {
            Ok(_) => assert!(accepted, "{name}"),
            Err(error) => assert!(!accepted && error.contains(why), "{name}: {error}"),
        }
    }
    let _ = Command::new("gpgconf").arg("--homedir").arg(dir.path()).args(["--kill", "all"]).status();
}

#[test]
fn keyrings_are_read_in_armour_and_errors_name_keys() {
    let (one, two) = (Signer::new(KeySpec::good(1)), Signer::new(KeySpec::with_subkey(2)));
    let both = format!("a comment\n{}\nmore\n{}", one.armoured_certificate(), two.armoured_certificate());
    let keyring = Keyring::parse(both.as_bytes()).unwrap();
    let keys: Vec<_> = keyring.keys().map(|(fingerprint, _)| fingerprint.to_string()).collect();
    assert_eq!(keys, [one.fingerprint(), two.fingerprint()]);
    let packets =
        [two.signature(TEXT, SignatureSpec::at(MADE)), one.signature(TEXT, SignatureSpec::at(MADE + 5))].concat();
    let verified = verify(message(TEXT, "SHA256", &packets).as_bytes(), &keyring, u64::from(MADE) + 10).unwrap();
    let mut expected = vec![one.fingerprint(), two.fingerprint()];
    expected.sort();
    assert_eq!(verified.signed_by.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    assert_eq!(verified.signed_at, u64::from(MADE) + 5);
    // From the future, unknown, and changed: each is said with its key.
    let early = verify(one.clearsign(TEXT, MADE).as_bytes(), &keyring, u64::from(MADE) - 3600).unwrap_err();
    assert!(early.to_string().contains("future") && early.to_string().contains(&one.fingerprint()), "{early}");
    let stranger = Signer::new(KeySpec::good(9));
    let unknown = verify(stranger.clearsign(TEXT, MADE).as_bytes(), &keyring, u64::from(MADE)).unwrap_err();
    assert!(unknown.to_string().contains(&stranger.fingerprint()), "{unknown}");
    let changed =
        verify(one.clearsign(TEXT, MADE).replace("last", "lost").as_bytes(), &keyring, u64::from(MADE)).unwrap_err();
    assert!(changed.to_string().contains(&one.fingerprint()), "{changed}");
}

/// The packets of a signature come from whoever is on the way: whatever they hold, nothing panics, and only the signed text passes.
#[test]
fn hostile_packets_do_not_panic() {
    let (one, two) = (Signer::new(KeySpec::good(1)), Signer::new(KeySpec::with_subkey(2)));
    let keyring = Keyring::parse(&[one.certificate(), two.certificate()].concat()).unwrap();
    let packets = [one.signature(TEXT, SignatureSpec::at(MADE)), two.signature(TEXT, SignatureSpec::at(MADE))].concat();
    let mut state = 11;
    for round in 0..4000 {
        let mut bad = packets.clone();
        for _ in 0..=random(&mut state, 4) {
            let at = random(&mut state, bad.len());
            bad[at] = u8::try_from(random(&mut state, 256)).unwrap();
        }
        bad.truncate(bad.len() - if round % 3 == 0 { random(&mut state, bad.len()) } else { 0 });
        if let Ok(verified) = verify(message(TEXT, "SHA256", &bad).as_bytes(), &keyring, now()) {
            assert_eq!(verified.text, TEXT);
        }
        let mut certificate = two.certificate().to_vec();
        for _ in 0..=random(&mut state, 4) {
            let at = random(&mut state, certificate.len());
            certificate[at] = u8::try_from(random(&mut state, 256)).unwrap();
        }
        let _ = Keyring::parse(&certificate);
    }
}
