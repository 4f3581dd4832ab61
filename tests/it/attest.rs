//! Bills of materials and signatures: what the program writes, and what judges from elsewhere say of it.

mod judges;
mod same;
mod schemas;
mod signatures;

use crate::support::archive::{File, Package};
use crate::support::project::{FIRST, Project, archive};

/// Where DEP-5 is.
const FORMAT: &str = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n";

/// Packages with everything that a bill tells, and some with nothing of it.
fn packages() -> Vec<Package> {
    let free = format!(
        "{FORMAT}Upstream-Name: free\n\nFiles: *\nCopyright: 2020 Somebody\nLicense: GPL-2+\n\nFiles: lib/*\nCopyright: x\n\
         License: Expat or mine\n\nLicense: GPL-2+\n See /usr/share/common-licenses/GPL-2.\n\nLicense: mine\n Do what\n .\n you like.\n"
    );
    let mut all = crate::support::project::packages("1.0-1");
    all.extend([
        Package::new("libfree1", "2:1.0-1+b1")
            .field("Source", "free (2:1.0-1)")
            .field("Homepage", "https://free.example/")
            .file("usr/lib/libfree.so.1", "library\n")
            .file("usr/share/doc/libfree1/copyright", free),
        Package::new("free-tools", "2:1.0-1")
            .field("Source", "free")
            .field("Depends", "none | libfree1 (>= 1), any-mail")
            .file("usr/bin/free", "program\n")
            .entry("usr/share/doc/free-tools", File::Link { target: "libfree1".to_owned() }),
        Package::new("odd+mail", "0~git1")
            .field("Provides", "any-mail")
            .file("usr/share/doc/odd+mail/copyright", "It is free, the author said.\n"),
        Package::new("release-files", "13")
            .file("usr/lib/os-release", "ID=debian\nVERSION_ID=\"13\"\n")
            .file("usr/share/doc/release-files/copyright", format!("{FORMAT}\nFiles: *\nLicense: public-domain\n")),
    ]);
    all
}

/// The project of these tests, built: images with a dpkg database and without one, over another and from nothing.
fn built() -> Project {
    let project = Project::new(&archive(packages(), FIRST));
    project.write(
        "recipes/whole/recipe.toml",
        "platforms = [\"linux/amd64\"]\n\n[[layer]]\npackages = [\"free-tools\", \"odd+mail\", \"release-files\"]\n\n\
         [[layer]]\ncopy = \"app\"\nto = \"/srv\"\nowner = \"app\"\n\n[[layer]]\n[layer.write]\n\"/etc/motd\" = \"hello\\n\"\n\
         \"/srv/over\" = \"written\\n\"\n\n[users.app]\nuid = 10001\n",
    );
    project.write("recipes/whole/app/over", "copied\n");
    project.write("recipes/whole/app/a b/ü", "deep\n");
    project.write(
        "recipes/bare/recipe.toml",
        "platforms = [\"linux/amd64\"]\n\n[[layer]]\npackages = [\"libfree1\"]\nconfigure = \"none\"\n",
    );
    project.write(
        "recipes/empty/recipe.toml",
        "platforms = [\"linux/amd64\"]\n\n[[layer]]\n[layer.write]\n\"/hello\" = \"hello\\n\"\n",
    );
    project.run(&["build"]).expect(0);
    project
}

/// A document of an image for one platform.
fn sbom(project: &Project, image: &str, format: &str) -> serde_json::Value {
    let run = project.run(&["sbom", image, "--format", format]).expect(0);
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stdout))
}

/// The names of all images of the project, each with a platform.
const IMAGES: [&str; 6] = [
    "whole@linux/amd64",
    "bare@linux/amd64",
    "empty@linux/amd64",
    "site@linux/arm64",
    "data@linux/amd64",
    "both@linux/amd64",
];
