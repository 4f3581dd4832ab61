//! How many requests it takes: what is there is hardly asked for, and what several things share is asked for once.

use super::{assert_whole, built, to};
use crate::support::oci_registry::{Options, Registry, Seen};
use crate::support::project::Project;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// An Ed25519 key in PKCS#8 (RFC 8410, section 7).
pub(super) fn pem(seed: u8) -> String {
    let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    der.extend([seed; 32]);
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der))
}

/// Writes one into a project; its name.
pub(super) fn key(project: &Project, seed: u8) -> String {
    let name = format!("{seed}.pem");
    project.write(&name, pem(seed));
    name
}

fn shown(seen: &[Seen]) -> String {
    seen.iter().map(|seen| format!("{} {}\n", seen.method, seen.path)).collect()
}

/// The empty configuration, which all attachments have.
const EMPTY: &str = "/blobs/sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

/// Publishes into a new registry, and once more: the requests of both.
fn counted(project: &Project, old: bool, image: &str, more: &[&str]) -> (usize, usize) {
    let registry = Registry::start(Options { old, ..Options::default() });
    let to = to(&registry);
    let arguments = [&["publish", image, "--to", &to], more].concat();
    project.run(&arguments).expect(0);
    let first = registry.seen();
    assert_whole(&registry.holds(&format!("team/{image}")));
    project.run(&arguments).expect(0);
    let second = registry.seen();
    assert!(second.iter().all(|seen| ["GET", "HEAD"].contains(&&*seen.method)), "{}", shown(&second));
    let asked = first.iter().filter(|seen| seen.method == "HEAD" && seen.path.ends_with(EMPTY));
    assert!(asked.count() <= 1, "what all share is asked for once: {}", shown(&first));
    let lists = first.iter().chain(&second).filter(|seen| seen.path.contains("/referrers/"));
    assert!(!old || lists.count() <= 2, "a list that is not there is asked for once a run: {}", shown(&first));
    (first.len(), second.len())
}

#[test]
fn what_is_there_takes_few_requests() {
    let project = built();
    let key = key(&project, 1);
    let (plain, attached, signed) = (&["--no-attachments"][..], &[][..], &["--sign-key", &key][..]);
    // Of one platform: the tag, the list (which docker's registry has not), its index, and cosign's two tags. Of two: the tag and the
    // list once; of each manifest its index and `.att`; of the whole its index and `.sig`.
    let cases = [
        (true, "data", [(plain, 10, 1), (attached, 28, 3), (signed, 61, 5)]),
        (true, "hello", [(plain, 18, 1), (attached, 51, 4), (signed, 110, 8)]),
        (false, "data", [(plain, 10, 1), (attached, 25, 2), (signed, 58, 4)]),
        (false, "hello", [(plain, 18, 1), (attached, 45, 3), (signed, 101, 7)]),
    ];
    for (old, image, cases) in cases {
        for (more, first, again) in cases {
            assert_eq!(counted(&project, old, image, more), (first, again), "{image} {more:?}, old: {old}");
        }
    }
}

#[test]
fn a_tag_that_is_named_twice_is_put_once() {
    let (project, registry) = (built(), Registry::start(Options::default()));
    let to = to(&registry);
    let arguments = ["publish", "data", "--to", &to, "--tag", "z", "--tag", "{recipe}", "--tag", "z", "--tag", "data"];
    project.run(&[&arguments[..], &["--no-attachments"]].concat()).expect(0);
    let seen = registry.seen();
    for tag in ["z", "data"] {
        let path = format!("/v2/team/data/manifests/{tag}");
        assert_eq!(seen.iter().filter(|seen| seen.method == "PUT" && seen.path == path).count(), 1, "{}", shown(&seen));
    }
}
