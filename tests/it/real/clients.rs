//! Shipped images in every form of output, read and run by every client: gzip layers, which all of them know, and zstd for those that do.

use super::shipped::{Outputs, Shipped};
use crate::support::containerd::Containerd;
use crate::support::docker_engine::DockerEngine;
use crate::support::judge;
use crate::support::layout::assert_valid;
use crate::support::podman::Podman;
use serde_json::Value;
use std::path::Path;

const LIMITS: [&str; 4] = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096"];

/// An image, a command line in it, and what that prints.
struct Probe {
    image: &'static str,
    compressions: &'static [&'static str],
    program: &'static str,
    arguments: &'static [&'static str],
    prints: &'static str,
}

const PROBES: [Probe; 2] = [
    Probe {
        image: "python",
        compressions: &["gzip", "zstd"],
        program: "/usr/bin/python3",
        arguments: &["-c", "import ssl, sqlite3, ctypes; print('it works')"],
        prints: "it works\n",
    },
    Probe {
        image: "debian",
        compressions: &["gzip"],
        program: "/bin/sh",
        arguments: &["-c", "dpkg --audit; dpkg -V; echo clean"],
        prints: "clean\n",
    },
];

#[test]
fn every_client_runs_every_form() {
    let Some(shipped) = Shipped::get() else { return };
    // podman makes a name out of a layout's path, and names have no capitals.
    let name = format!("remint-clients-{}", std::process::id());
    // Below the store, where blobs can be links; the sockets of the servers need a short path.
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let servers = tempfile::tempdir().unwrap();
    let containerd = Containerd::start(&servers.path().join("containerd"));
    let docker = DockerEngine::start(&servers.path().join("docker"));
    let podman = Podman::find(&servers.path().join("podman"));
    for probe in &PROBES {
        for compression in probe.compressions {
            let dir = place.join(format!("{}-{compression}", probe.image));
            std::fs::create_dir_all(&dir).unwrap();
            let outputs = shipped.write(probe.image, compression, &dir);
            assert_valid(&outputs.layout);
            skopeo(&outputs, probe);
            if let Some(podman) = &podman {
                run_by_podman(podman, &outputs, probe);
            }
            if let Some(containerd) = &containerd {
                run_by_containerd(containerd, &outputs, probe, compression);
            }
            if *compression == "gzip" {
                umoci(&outputs, probe, &dir.join("bundle"));
                if let Some(docker) = &docker {
                    run_by_docker(docker, &outputs, probe);
                }
            }
            std::fs::remove_dir_all(&dir).unwrap();
        }
    }
    std::fs::remove_dir_all(&place).unwrap();
}

fn skopeo(outputs: &Outputs, probe: &Probe) {
    let Some(skopeo) = judge::find("skopeo") else { return };
    let places = [
        format!("oci:{}:{}", outputs.layout.display(), probe.image),
        format!("oci-archive:{}:{}", outputs.oci_archive.display(), probe.image),
        format!("docker-archive:{}", outputs.docker_archive.display()),
    ];
    let counts = places.map(|place| {
        let told: Value = serde_json::from_str(&judge::run(&skopeo, ["inspect", &place])).unwrap();
        assert_eq!(told["Architecture"], super::shipped::native(), "{place}");
        told["Layers"].as_array().unwrap().len()
    });
    assert!(counts.iter().all(|count| *count == counts[0] && *count > 0), "{counts:?}");
}

fn umoci(outputs: &Outputs, probe: &Probe, bundle: &Path) {
    let Some(umoci) = judge::find("umoci") else { return };
    let image = format!("{}:{}", outputs.layout.display(), probe.image);
    judge::run(&umoci, ["unpack", "--rootless", "--image", &image, bundle.to_str().unwrap()]);
    // A link may be absolute: what counts is that it is there.
    let program = bundle.join("rootfs").join(probe.program.trim_start_matches('/'));
    assert!(program.symlink_metadata().is_ok(), "{}", program.display());
}

fn run_by_podman(podman: &Podman, outputs: &Outputs, probe: &Probe) {
    let pull = |place: String| podman.run(&["pull", "--quiet", &place]).trim().to_owned();
    let ids = [
        pull(format!("oci:{}:{}", outputs.layout.display(), probe.image)),
        pull(format!("oci-archive:{}", outputs.oci_archive.display())),
        pull(format!("docker-archive:{}", outputs.docker_archive.display())),
        podman.run(&["import", "--quiet", outputs.flat.to_str().unwrap()]).trim().to_owned(),
    ];
    // All but the flat one are one image by its config's digest.
    assert!(ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3], "{ids:?}");
    for id in [&ids[0], &ids[3]] {
        let mut all = vec!["run", "--rm", "--pull", "never", "--network", "none", "--entrypoint", probe.program];
        all.extend(LIMITS);
        all.push(id);
        all.extend(probe.arguments);
        assert_eq!(podman.run(&all), probe.prints, "{}", probe.image);
    }
    podman.run(&["rmi", "--all", "--force"]);
}

fn run_by_containerd(containerd: &Containerd, outputs: &Outputs, probe: &Probe, compression: &str) {
    let base = format!("test.invalid/{compression}");
    containerd.ctr(&["image", "import", "--base-name", &base, outputs.oci_archive.to_str().unwrap()]);
    let reference = format!("{base}:{}", probe.image);
    let id = format!("remint-real-{}-{}-{compression}", std::process::id(), probe.image);
    let mut all = vec!["run", "--rm", "--snapshotter", "native", &reference, &id, probe.program];
    all.extend(probe.arguments);
    assert_eq!(containerd.ctr(&all), probe.prints, "{reference}");
    containerd.ctr(&["image", "rm", &reference]);
}

fn run_by_docker(docker: &DockerEngine, outputs: &Outputs, probe: &Probe) {
    docker.docker(&["load", "--input", outputs.docker_archive.to_str().unwrap()]);
    let tag = format!("{}:latest", probe.image);
    let mut all = vec!["run", "--rm", "--pull", "never", "--network", "none", "--entrypoint", probe.program];
    all.extend(LIMITS);
    all.push(&tag);
    all.extend(probe.arguments);
    assert_eq!(docker.docker(&all), probe.prints, "{tag}");
    docker.docker(&["image", "rm", &tag]);
}
