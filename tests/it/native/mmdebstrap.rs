//! The judge: a real system made by mmdebstrap, with the package files that it was made from.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// One set's real system.
pub(crate) struct Judge {
    place: PathBuf,
}

/// Held while a system is made: several tests may ask for the same.
static MAKING: Mutex<()> = Mutex::new(());

impl Judge {
    /// Takes the system from where systems are kept between runs (`REMINT_TEST_JUDGE_CACHE`, else below `target`), or makes it where
    /// judges are required. `None`, with a word about it, where it is neither kept nor required: making it takes the network and root.
    pub(crate) fn find(name: &str, suite: &str, include: &[&str]) -> Option<Self> {
        Self::find_for(name, suite, include, None)
    }

    /// The same for another architecture, whose scripts the kernel has to be able to run.
    #[expect(clippy::disallowed_methods, reason = "tests decide by the environment whether they need their judges")]
    pub(crate) fn find_for(name: &str, suite: &str, include: &[&str], arch: Option<&str>) -> Option<Self> {
        let kept = std::env::var_os("REMINT_TEST_JUDGE_CACHE").map(PathBuf::from);
        let judge =
            Self { place: kept.unwrap_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("judges")).join(name) };
        let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        if judge.tree().join("var/lib/dpkg/status").is_file() {
            return Some(judge);
        }
        if std::env::var_os("REMINT_TEST_REQUIRE_JUDGES").is_none() {
            super::note("skipped: REMINT_TEST_REQUIRE_JUDGES=1 makes the real system with mmdebstrap, as root");
            return None;
        }
        if let Err(why) = judge.make(suite, include, arch) {
            panic!("mmdebstrap is required: {why}");
        }
        Some(judge)
    }

    /// The system's root.
    pub(crate) fn tree(&self) -> PathBuf {
        self.place.join("tree")
    }

    /// The package files, by name.
    pub(crate) fn debs(&self) -> Vec<PathBuf> {
        files(&self.place.join("debs"))
    }

    /// The files of the same packages for another architecture, fetched by apt with a configuration of its own.
    pub(crate) fn debs_for(&self, name: &str, suite: &str, arch: &str) -> Option<Vec<PathBuf>> {
        let place = self.place.with_file_name(name);
        let debs = place.join("debs");
        let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        if !debs.is_dir() {
            let (main, security) = mirrors()?;
            let status = std::fs::read_to_string(self.tree().join("var/lib/dpkg/status")).unwrap();
            let names = status.lines().filter_map(|line| line.strip_prefix("Package: "));
            for directory in
                ["debs", "etc/apt/sources.list.d", "var/lib/apt/lists/partial", "var/cache/apt/archives/partial"]
            {
                std::fs::create_dir_all(place.join(directory)).unwrap();
            }
            let keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
            let lines = [(&main, ""), (&main, "-updates"), (&security, "-security")]
                .map(|(mirror, tail)| format!("deb [signed-by={keyring}] {mirror} {suite}{tail} main\n"));
            std::fs::write(place.join("etc/apt/sources.list"), lines.concat()).unwrap();
            let dir = place.display();
            let settings = format!(
                "Dir \"{dir}\";\nDir::Etc \"etc/apt\";\nDir::State::status \"/dev/null\";\nAPT::Architecture \"{arch}\";\nAPT::Architectures {{ \"{arch}\"; }};\nAPT::Sandbox::User \"root\";\n"
            );
            std::fs::write(place.join("apt.conf"), settings).unwrap();
            let apt = || {
                let mut command = Command::new("apt-get");
                command.env("APT_CONFIG", place.join("apt.conf")).arg("-q").current_dir(&debs);
                command
            };
            assert!(apt().arg("update").status().is_ok_and(|status| status.success()), "apt-get update for {arch}");
            assert!(
                apt().arg("download").args(names).status().is_ok_and(|status| status.success()),
                "apt-get download for {arch}"
            );
        }
        Some(files(&debs))
    }

    fn make(&self, suite: &str, include: &[&str], arch: Option<&str>) -> Result<(), String> {
        if !rustix::process::geteuid().is_root() {
            return Err("mmdebstrap has to run as root".to_owned());
        }
        let keyring = Path::new("/usr/share/keyrings/debian-archive-keyring.gpg");
        if !keyring.exists() {
            return Err(format!("{} is missing", keyring.display()));
        }
        let (main, security) = mirrors().ok_or("the host's apt sources name no Debian mirror")?;
        let debs = self.place.join("debs");
        std::fs::create_dir_all(&debs).map_err(|e| format!("cannot create {}: {e}", debs.display()))?;
        let mut command = Command::new("mmdebstrap");
        command.args(["--quiet", "--mode=root", "--variant=minbase", "--skip=essential/unlink"]);
        command.arg("--aptopt=Apt::Install-Recommends false");
        if let Some(arch) = arch {
            // mmdebstrap would ask a program of its own whether the kernel runs them.
            command.args(["--skip=check/qemu", &format!("--architectures={arch}")]);
        }
        if !include.is_empty() {
            command.arg(format!("--include={}", include.join(",")));
        }
        command.arg(format!("--customize-hook=cp \"$1\"/var/cache/apt/archives/*.deb '{}'", debs.display()));
        command.arg(suite).arg(self.tree());
        for (mirror, suite) in
            [(&main, suite.to_owned()), (&main, format!("{suite}-updates")), (&security, format!("{suite}-security"))]
        {
            command.arg(format!("deb [signed-by={}] {mirror} {suite} main", keyring.display()));
        }
        let output = command.output().map_err(|e| format!("cannot run mmdebstrap: {e}"))?;
        if output.status.success() {
            return Ok(());
        }
        let _ = std::fs::remove_dir_all(&self.place);
        Err(format!("mmdebstrap failed: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "deb"));
    files.sort();
    files
}

/// The host's mirrors of the main and the security archive.
fn mirrors() -> Option<(String, String)> {
    let text = std::fs::read_to_string("/etc/apt/sources.list.d/debian.sources").ok()?;
    let uris: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("URIs:")).map(|uri| uri.trim().to_owned()).collect();
    let security = uris.iter().find(|uri| uri.contains("security"))?.clone();
    Some((uris.into_iter().find(|uri| !uri.contains("security"))?, security))
}
