//! The HTML pages of `verify` and `diff`: what they say, that nothing breaks out of them, and how a browser shows them.
//!
//! `REMINT_TEST_SCREENSHOTS=<folder> cargo test --test it page` keeps the pictures.

use crate::diff::making::{Thing, file, gzip_with, pyc, tar, thing, zip};
use crate::support::browser::{Browser, View, gallery};
use crate::support::judge;
use crate::support::project::{Project, Run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tar::EntryType;

/// Two root file systems that differ in several classes, with names and contents that want to be markup.
fn pair(side: u8) -> Vec<Thing> {
    let (who, day) = if side == 0 { ("alice", "23") } else { ("bob", "24") };
    let at = 1_795_418_213 + u32::from(side) * 100_786;
    let manifest = format!("Manifest-Version: 1.0\nBuilt-By: {who}\n");
    let mut things = vec![
        file("etc/same", b"the same\n"),
        file("srv/BUILD", format!("version: 1.4\nbuilt: 2026-11-{day}T07:16:53Z\nby: {who}\nend\n").as_bytes()),
        file("srv/main.bin", &[&[0xfe; 40][..], &at.to_le_bytes(), &[0; 4], b"/usr/lib/shop", &[0xfd; 60]].concat()),
        file("srv/app.js.gz", &gzip_with(at, "app.js", &b"code();\n".repeat(90))),
        file("srv/lib.jar", &zip(&[("META-INF/MANIFEST.MF", manifest.as_bytes(), 0x5000 + u16::from(side))], Some(6))),
        file("srv/__pycache__/main.pyc", &pyc(at, b"\xe3\0")),
        file("srv/\u{202e}gnp.<script>alert(1)<", format!("<b>{side}</b> & \"'\u{202e}\n").as_bytes()),
        file(&format!("srv/{}/x", "long".repeat(24)), &[side]),
        file("srv/run", b"#!/bin/sh\n").mode(0o755 - u32::from(side)).mtime(1_700_000_000 + u64::from(side)),
    ];
    if side == 1 {
        things.push(thing("srv/new", EntryType::Directory).mode(0o755));
        things.extend((0..9).map(|number| file(&format!("srv/new/{number}"), b"new")));
    }
    things
}

fn remint(dir: &Path, words: &[&str], code: i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_remint"));
    Run::of(command.env_clear().current_dir(dir).args(words)).expect(code);
}

/// Compares two flat root file systems, and gives the page.
fn compared(dir: &Path, a: &[Thing], b: &[Thing]) -> String {
    fs::write(dir.join("a.tar"), tar(a)).unwrap();
    fs::write(dir.join("b.tar"), tar(b)).unwrap();
    let code = i32::from(tar(a) != tar(b));
    remint(dir, &["diff", "tar:a.tar", "tar:b.tar", "--report", "page.html"], code);
    fs::read_to_string(dir.join("page.html")).unwrap()
}

/// What stands in a page without what is about the run.
fn result(page: &str) -> &str {
    page.split("<footer>").next().unwrap()
}

#[test]
fn a_page_says_all_and_nothing_breaks_out_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let page = compared(dir.path(), &pair(0), &pair(1));
    for said in [
        "<h1>",
        "The images differ in 18 paths",
        "<code class=\"path\">/srv/<b class=\"name\">BUILD</b></code>",
        "embedded timestamp",
        "Python byte-code",
        "gzip header",
        "zip member META-INF/MANIFEST.MF",
        "<mark class=\"x\">alice</mark>",
        "<mark class=\"x\">65</mark>",
        "and 9 paths below it",
        "compress with <code class=\"said\">gzip -n</code>",
        "<span class=\"unseen\">\\u{202e}</span>gnp.&lt;script&gt;alert(1)&lt;",
        "default-src 'none'",
        "prefers-color-scheme: dark",
    ] {
        assert!(page.contains(said), "no `{said}` in {page}");
    }
    // What is foreign is text: the only tags are the page's own, and what is unseen is shown.
    for never in ["<script", "<b>0", "\u{202e}", "http:", "https:", " src=", " srcset=", "url(http", "@import"] {
        assert!(!page.contains(never), "`{never}` in {page}");
    }
    assert_eq!(result(&page), result(&compared(dir.path(), &pair(0), &pair(1))), "the same result, the same bytes");
    let same = compared(dir.path(), &pair(0), &pair(0));
    assert!(same.contains("The images are identical") || same.contains("The images have the same files"), "{same}");
}

#[test]
fn a_page_has_a_bounded_size_and_says_what_it_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let many = |side: u8| -> Vec<Thing> {
        let line = |number: u32| format!("made 2026-11-{} of {number}\n{}\n", 23 + side, "<&\"'>".repeat(60));
        (0..1500).map(|number| file(&format!("srv/{number:04}"), line(number).repeat(30).as_bytes())).collect()
    };
    let page = compared(dir.path(), &many(0), &many(1));
    assert!(page.contains("The images differ in 1500 paths"));
    assert!(page.contains(" more differing paths, left out here: `--format json` has them all."), "{}", page.len());
    assert!(page.len() < 4 << 20, "{}", page.len());
}

/// The pages of a verification: one of an image that came out as it should, one of an image that did not.
fn verified(project: &Project) -> [PathBuf; 2] {
    project.run(&["build"]).expect(0);
    project.run(&["verify", "--seed", "7", "--report", "good.html"]).expect(0);
    project.write("recipes/site/tree/index.html", "<p>hello of 2026-11-23</p>\n");
    project.write("recipes/site/tree/logo", [0xfe, 1, 2, 3]);
    project.run(&["build"]).expect(0);
    project.write("recipes/site/tree/index.html", "<p>hello of 2026-11-24</p>\n");
    project.write("recipes/site/tree/logo", [0xfe, 1, 9, 3]);
    project.run(&["verify", "--seed", "7", "--report", "bad.html"]).expect(1);
    ["good.html", "bad.html"].map(|name| project.root.join(name))
}

#[test]
fn browsers_show_the_pages_as_they_should() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mut browser) = Browser::start(dir.path()) else { return };
    let project = Project::first();
    let [good, bad] = verified(&project);
    let page = fs::read_to_string(&good).unwrap();
    for said in ["All 6 images are identical", "linux/arm64", "packages hello", "sha256:", "seed", "umask", "variables"]
    {
        assert!(page.contains(said), "no `{said}` in {page}");
    }
    let page = fs::read_to_string(&bad).unwrap();
    for said in
        ["2 of 6 images are not identical", "embedded timestamp", "index.html changed", "<mark class=\"x\">09</mark>"]
    {
        assert!(page.contains(said), "no `{said}` in {page}");
    }
    let dir = dir.path();
    compared(dir, &pair(0), &pair(1));
    for (name, path) in [("diff", dir.join("page.html")), ("good", good), ("bad", bad)] {
        for (width, height) in [(360, 800), (1280, 900)] {
            for dark in [false, true] {
                let view = View { width, height, dark };
                look(&mut browser, name, &path, view);
            }
        }
    }
}

/// Opens a page and judges what is seen of it.
fn look(browser: &mut Browser, name: &str, path: &Path, view: View) {
    browser.open(path, view);
    // With everything open, the widest line decides.
    let open = "for (const one of document.querySelectorAll('details')) one.open = true";
    for opening in ["0", open] {
        browser.evaluate(opening);
        let widths = browser.evaluate("[innerWidth, document.documentElement.scrollWidth]");
        assert_eq!(widths[0], view.width, "{name} {view:?}");
        assert!(widths[1].as_u64() <= widths[0].as_u64(), "{name} {view:?}: {widths}");
    }
    assert_eq!(browser.complaints(), [""; 0], "{name} {view:?}");
    let narrow = browser.evaluate(CONTRASTS);
    assert_eq!(narrow, serde_json::json!([]), "{name} {view:?}: text that is hard to read");
    let ground = browser.evaluate("getComputedStyle(document.body).backgroundColor").to_string();
    assert_eq!(ground.contains("rgb(247"), !view.dark, "{name} {view:?}: {ground}");
    let picture = browser.screenshot();
    assert!(picture.starts_with(b"\x89PNG") && picture.len() > 4000, "{name} {view:?}");
    if let Some(gallery) = gallery() {
        let scheme = if view.dark { "dark" } else { "light" };
        fs::create_dir_all(&gallery).unwrap();
        fs::write(gallery.join(format!("{name}-{}-{scheme}.png", view.width)), picture).unwrap();
    }
}

/// Texts whose contrast with what is behind them is below 4.5 (WCAG 2.1, success criterion 1.4.3).
const CONTRASTS: &str = "(() => {
    const parse = text => text.match(/[\\d.]+/g).map(Number);
    const channel = value => { value /= 255; return value <= .03928 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4 };
    const light = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
    const behind = one => {
        for (; one; one = one.parentElement) {
            const color = parse(getComputedStyle(one).backgroundColor);
            if (color.length < 4 || color[3] === 1) return color;
        }
        return [255, 255, 255];
    };
    const bad = new Set();
    for (const one of document.querySelectorAll('body *')) {
        if (![...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()) || one.closest('svg')) continue;
        const [front, back] = [light(parse(getComputedStyle(one).color)), light(behind(one))];
        const contrast = (Math.max(front, back) + .05) / (Math.min(front, back) + .05);
        if (contrast < 4.5) bad.add(one.tagName + '.' + one.className + ' ' + contrast.toFixed(2));
    }
    return [...bad];
})()";

/// Pages are there for those without a browser's help too: a picture has words, what scrolls can be reached.
#[test]
fn pages_can_be_read_without_seeing_them() {
    let dir = tempfile::tempdir().unwrap();
    let page = compared(dir.path(), &pair(0), &pair(1));
    assert_eq!(
        page.matches("<svg class=\"bar\"").count(),
        page.matches("role=\"img\" aria-label=\"1 layer: 1 ").count()
    );
    assert_eq!(
        page.matches("<div class=\"scroll\"").count(),
        page.matches("tabindex=\"0\" role=\"region\" aria-label").count()
    );
    assert!(page.contains("<html lang=\"en\">") && page.contains("class=\"skip\""));
    let Some(python) = judge::find("python3") else { return };
    let path = dir.path().join("page.html");
    judge::run(python, ["-c", BALANCED, path.to_str().unwrap()]);
}

/// Every element ends where it should, and no two have one id.
const BALANCED: &str = "\
import sys
from html.parser import HTMLParser
class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links = [], set(), set()
    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        assert tag not in ('script', 'img', 'iframe', 'object', 'embed', 'form', 'base'), tag
        assert not any(name.startswith('on') for name in attributes), attributes
        if 'id' in attributes:
            assert attributes['id'] not in self.ids, attributes
            self.ids.add(attributes['id'])
        if attributes.get('href', '').startswith('#'):
            self.links.add(attributes['href'][1:])
        if tag not in ('meta', 'link', 'br'):
            self.open.append(tag)
    def handle_startendtag(self, tag, attributes):
        pass
    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open, self.getpos())
        self.open.pop()
reader = Reader()
reader.feed(open(sys.argv[1], encoding='utf-8').read())
reader.close()
assert not reader.open, reader.open
assert reader.links <= reader.ids, reader.links - reader.ids
";
