//! The kernel starts programs of arm64 by way of qemu, as long as somebody holds this.

use super::judge;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

const FORMATS: &str = "/proc/sys/fs/binfmt_misc";

/// Debian's registration (qemu-user-static). Its flags have the kernel open the emulator now, so that a chroot needs none.
const REGISTRATION: &str = "/usr/lib/binfmt.d/qemu-aarch64.conf";

/// Held by a test that runs programs of arm64; the last one takes the registration away, if a test made it.
pub(crate) struct Emulator(());

struct State {
    holders: u32,
    registered: bool,
    mounted: bool,
}

static STATE: Mutex<State> = Mutex::new(State { holders: 0, registered: false, mounted: false });

impl Emulator {
    /// Sees to it that programs of arm64 run; `None`, with a word about it, where it cannot be and is not required.
    pub(crate) fn find() -> Option<Self> {
        let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = Path::new(FORMATS).join("qemu-aarch64");
        if state.holders == 0 && !cfg!(target_arch = "aarch64") && !entry.exists() {
            if !judge::is_root() {
                return None;
            }
            let Ok(registration) = std::fs::read(REGISTRATION) else {
                judge::missing(&format!("no `{REGISTRATION}`: qemu-user-static is not installed"));
                return None;
            };
            let register = Path::new(FORMATS).join("register");
            if !register.exists() {
                let mount = Command::new("mount").args(["-t", "binfmt_misc", "none", FORMATS]).status();
                state.mounted = mount.is_ok_and(|status| status.success());
            }
            if let Err(why) = std::fs::write(&register, registration) {
                // That no machine need be able to is why nothing fails.
                judge::skipped(&format!("the kernel takes no binary format: {why}"));
                return None;
            }
            state.registered = true;
        }
        state.holders += 1;
        Some(Self(()))
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
        state.holders -= 1;
        if state.holders > 0 {
            return;
        }
        // What cannot be taken away stays until the machine goes, and harms nobody.
        if std::mem::take(&mut state.registered) {
            let _ = std::fs::write(Path::new(FORMATS).join("qemu-aarch64"), "-1");
        }
        if std::mem::take(&mut state.mounted) {
            let _ = Command::new("umount").arg(FORMATS).status();
        }
    }
}
