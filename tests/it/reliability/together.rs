//! Several processes on one store at once: each action is done once, and nobody waits for ever.

use crate::support::project::{Files, Project, files};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// No build of so small a project takes this long: whoever is not done by then waits for ever.
const FOR_EVER: Duration = Duration::from_secs(120);

/// How often each piece of work was done, by what it was.
type Work = BTreeMap<String, usize>;

/// Counts in a run's events what it fetched and did itself.
fn count(log: &str, work: &mut Work) {
    for line in log.lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let what = match event["event"].as_str().unwrap() {
            "fetch-done" => format!("fetch {}", event["name"]),
            // Without its key: layers of equal bytes are packed once, under whichever's name comes first.
            "action-done" if event["cached"] == false => event["name"].to_string(),
            "error" => panic!("{line}"),
            _ => continue,
        };
        *work.entry(what).or_default() += 1;
    }
}

/// Starts builds at once, and gives the files of each one's layout and all work that was done.
fn build(project: &Project, processes: usize) -> (Vec<Files>, Work) {
    let place = |number: usize, name: &str| project.root.with_file_name(format!("{name}{number}"));
    let start = |number: usize| -> Child {
        let output = format!("oci:{}", place(number, "layout").display());
        let mut command = project.command(&["build", "--format", "json", "--output", &output]);
        command.stdout(File::create(place(number, "log")).unwrap()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut children: Vec<Child> = (0..processes).map(start).collect();
    let begun = Instant::now();
    for child in &mut children {
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < FOR_EVER, "a process waits for ever");
            std::thread::sleep(Duration::from_millis(5));
        };
        assert!(status.success(), "{status}");
    }
    let mut work = Work::new();
    let mut layouts = Vec::new();
    for number in 0..processes {
        count(&std::fs::read_to_string(place(number, "log")).unwrap(), &mut work);
        layouts.push(files(&place(number, "layout")));
        std::fs::remove_dir_all(place(number, "layout")).unwrap();
    }
    (layouts, work)
}

#[test]
fn no_work_is_done_twice() {
    let project = Project::first();
    project.run(&["lock"]).expect(0);
    project.forget();
    let (alone, expected) = build(&project, 1);
    assert!(expected.len() > 15, "{expected:?}");
    for processes in [2, 4, 8] {
        project.forget();
        let (layouts, work) = build(&project, processes);
        assert!(layouts.iter().all(|layout| *layout == alone[0]), "{processes} processes");
        assert_eq!(work, expected, "{processes} processes");
        super::faults::assert_clean(&project, "builds at once");
    }
}
