//! What CI systems read of a verdict: JUnit XML, by Python's parser, and a summary in Markdown.

use super::{built, verdict};
use crate::support::judge;
use crate::support::project::Project;

/// Prints, of a JUnit file, its counts and each case with the message of its failure.
const READ: &str = "\
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
assert root.tag == 'testsuites', root.tag
for suite in root:
    assert suite.tag == 'testsuite', suite.tag
    assert float(suite.get('time')) >= 0
    print(suite.get('tests'), suite.get('failures'), suite.get('errors'))
    assert int(suite.get('tests')) == len(suite.findall('testcase'))
    for case in suite:
        failure = case.find('failure')
        print(case.get('classname'), case.get('name'), 'ok' if failure is None else failure.get('message'))
        assert failure is None or failure.text.strip()
";

fn read(project: &Project, file: &str) -> Option<String> {
    let python = judge::find("python3")?;
    let path = project.root.join(file);
    Some(judge::run(python, ["-c", READ, path.to_str().unwrap()]))
}

#[test]
fn junit_is_what_parsers_read() {
    let project = built();
    project.run(&["verify", "--junit", "good.xml", "--summary", "page.md"]).expect(0);
    project.write("recipes/site/tree/a.b", "other <&> \"text\"\n");
    let run = project.run(&["verify", "--junit", "bad.xml", "--summary", "page.md", "--format", "json"]).expect(1);
    let found = verdict(&run);
    let wrong = found["images"].as_array().unwrap().iter().find(|image| image["comparison"].is_object()).unwrap();
    let file = &wrong["comparison"]["files"][0];
    assert_eq!((&file["path"], &file["findings"][0]["class"]), (&"/srv/site/a.b".into(), &"content".into()), "{wrong}");
    let said = project.run(&["verify"]).expect(1).stderr;
    for word in [
        "/srv/site/a.b  layer 3 (copy tree to /srv/site)",
        "+other <&> \"text\"",
        "its inputs changed since it was built",
    ] {
        assert!(said.contains(word), "no `{word}` in {said}");
    }
    project.run(&["verify", "--quick", "hello", "--junit", "quick.xml", "--summary", "page.md"]).expect(0);

    let page = project.read("page.md");
    let heads: Vec<&str> = page.lines().filter(|line| line.starts_with("## ")).collect();
    let expected = [
        "## ✅ remint verify: 6 of 6 identical",
        "## ❌ remint verify: 2 of 6 not identical",
        "## ✅ remint verify: 2 of 2 identical",
    ];
    assert_eq!(heads, expected, "each run is appended");
    assert!(page.contains("\n### site@linux/amd64\n\n```"), "{page}");
    assert!(page.contains("\n    -between a/ and a0\n") && page.contains("\n  tree/a.b changed\n"), "{page}");
    assert_eq!(page.matches("| hello | linux/arm64 | identical | `sha256:").count(), 3);

    let Some(good) = read(&project, "good.xml") else { return };
    let lines: Vec<&str> = good.lines().collect();
    assert_eq!(lines[0], "6 0 0");
    assert!(lines.contains(&"remint.verify.site linux/arm64 ok"), "{good}");
    let bad = read(&project, "bad.xml").unwrap();
    assert!(bad.starts_with("6 2 0\n"), "{bad}");
    assert!(
        bad.contains("remint.verify.site linux/amd64 layer 3, `copy tree to /srv/site`: its inputs differs"),
        "{bad}"
    );
    assert!(read(&project, "quick.xml").unwrap().starts_with("2 0 0\n"));
    project.run(&["verify", "--quick", "--junit", "missing/x.xml"]).says(2, &["cannot write", "missing/x.xml"]);
}

#[test]
fn a_report_that_cannot_be_written_costs_no_verdict() {
    let project = built();
    for option in ["--junit", "--summary", "--report"] {
        // Before anything is built.
        let run = project.run(&["verify", option, "missing/x"]).says(2, &["cannot write", "missing/x"]);
        assert!(!run.stderr.contains("building"), "{}", run.stderr);
        project.run(&["verify", option, "recipes"]).says(2, &["cannot write", "recipes"]);
        if std::path::Path::new("/dev/full").exists() {
            let run = project.run(&["verify", "hello", option, "/dev/full", "--junit", "other.xml"]);
            if option != "--junit" {
                let run = run.says(5, &["hello  linux/amd64  identical", "rebuilt with", "cannot write `/dev/full`"]);
                assert!(project.read("other.xml").contains("failures=\"0\""), "{}", run.stderr);
            }
        }
    }
    let twice = ["verify", "--summary", "x.md", "--junit", "x.md"];
    project.run(&twice).says(2, &["/x.md` is to be two reports at once", "a file of its own"]);
    project.run(&["verify", "--summary", "./x.md", "--report", "x.md"]).says(2, &["is to be two reports at once"]);
    project.write("recipes/site/tree/a.b", "other\n");
    if std::path::Path::new("/dev/full").exists() {
        let words = ["site   linux/amd64  differs", "tree/a.b changed", "cannot write `/dev/full`", "No space left"];
        project.run(&["verify", "--junit", "/dev/full"]).says(5, &words);
        let run = project.run(&["verify", "--junit", "/dev/full", "--format", "json"]).expect(5);
        assert!(run.stdout.contains("\"identical\":false"), "{}", run.stdout);
    }
}

#[test]
fn a_rebuild_that_failed_is_in_the_reports() {
    let project = built();
    let lock = project.lock();
    let line = lock.lines().find(|line| line.contains("\"solo ")).unwrap();
    let digest = line.split(' ').find(|word| word.len() == 64).unwrap();
    std::fs::remove_file(project.root.join("cache/blobs/sha256").join(digest)).unwrap();
    let reports = ["--junit", "x.xml", "--summary", "x.md", "--report", "x.html"];
    let words = [&["verify", "data", "--offline"][..], &reports].concat();
    project.run(&words).says(4, &["the rebuild failed"]);
    assert!(
        project.read("x.md").contains("❌ remint verify: 1 of 1 could not be verified"),
        "{}",
        project.read("x.md")
    );
    for file in ["x.xml", "x.md", "x.html"] {
        let text = project.read(file);
        assert!(text.contains("the rebuild failed") && text.contains("is not in the store"), "{file}: {text}");
    }
    assert!(project.read("x.xml").contains("<error message=\"the image could not be verified\""));
    let Some(told) = read(&project, "x.xml") else { return };
    assert!(told.starts_with("1 0 1\n"), "{told}");
}
