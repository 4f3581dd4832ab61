//! Changes what this process can change of itself, for a rebuild that must not depend on it.
//!
//! The rest (variables, the current directory, paths) is changed by whoever starts the process.

use super::clock;
use super::command::Invocation;
use crate::event::Event;
use crate::oci::time::format_rfc3339;
use crate::verify::rebuild::Variation;
use rustix::fs::Mode;
use rustix::process::{Signal, getegid, geteuid, set_parent_process_death_signal, umask};
use rustix::thread::UnshareFlags;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Changes what a seed decides, and tells what could be changed; the process must have no second thread yet.
///
/// `sources` is the store that is read and not written, if there is one.
pub(super) fn apply(seed: u64, invocation: Invocation<'_>, sources: Option<&Path>) -> Vec<Event> {
    let variation = Variation::new(seed, invocation.environment.cores.get());
    let mask = format!("{:03o}", variation.umask);
    let before = umask(Mode::from_raw_mode(variation.umask));
    clock::shift(variation.clock);
    let mut all = vec![varied("order", "of actions and of directories' entries, by the seed".to_owned())];
    all.push(if before.as_raw_mode() == variation.umask {
        not_varied("umask", format!("the seed's is {mask}, and so is this machine's"))
    } else {
        varied("umask", mask)
    });
    let shifted = format!(
        "{} is what remint takes for now; file systems go by the kernel's time",
        format_rfc3339(clock::now().as_secs())
    );
    all.push(varied("clock", shifted));
    let project = invocation.places().map(|places| places.project);
    let read: Vec<&Path> = project.as_deref().into_iter().chain(sources).collect();
    let before = geteuid();
    let became = user(variation.user, &read);
    // In a namespace that was made before the rest was refused, this is another user all the same.
    all.push(match became {
        Err(why) if geteuid() == before => not_varied("user", why),
        _ => varied("user", format!("number {}", geteuid().as_raw())),
    });
    match host(&variation.host) {
        Ok(()) => all.push(varied("host name", variation.host.clone())),
        Err(why) => all.push(not_varied("host name", why)),
    }
    die_with_parent();
    all
}

/// Ends this process when the one that started it does, however that ends: nobody would look at what comes out.
///
/// Asked for last, since the kernel forgets it where a process becomes another user (prctl(2), `PR_SET_PDEATHSIG`).
fn die_with_parent() {
    // Where that is not to be had, a rebuild goes on to its end.
    let _ = set_parent_process_death_signal(Some(Signal::TERM));
}

/// Becomes a user of another number, in a namespace of its own; what it may do with files stays.
fn user(number: u32, read: &[&Path]) -> Result<(), String> {
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    let owned = |dir: &&&Path| std::fs::metadata(dir).is_ok_and(|meta| meta.uid() != 0);
    if let Some(others) = read.iter().find(owned).filter(|_| uid == 0) {
        // In a namespace, root may not read what others keep to themselves.
        return Err(format!("this is root, and `{}` is another user's", others.display()));
    }
    unshare(UnshareFlags::NEWUSER).map_err(|error| format!("the kernel allows no user namespace here ({error})"))?;
    let write = |file: &str, text: String| {
        std::fs::write(format!("/proc/self/{file}"), text).map_err(|error| format!("cannot write {file}: {error}"))
    };
    // Without this, the kernel lets nobody map a group (user_namespaces(7)).
    write("setgroups", "deny".to_owned())?;
    write("uid_map", format!("{number} {uid} 1"))?;
    write("gid_map", format!("{number} {gid} 1"))
}

/// Gives the machine another name, in a namespace of its own.
fn host(name: &str) -> Result<(), String> {
    let denied = |error: rustix::io::Errno| format!("the kernel allows no namespace for it here ({error})");
    unshare(UnshareFlags::NEWUTS).map_err(denied)?;
    rustix::system::sethostname(name.as_bytes()).map_err(denied)
}

#[expect(deprecated, reason = "it is unsafe for file descriptors alone, and these are never unshared here")]
fn unshare(what: UnshareFlags) -> rustix::io::Result<()> {
    rustix::thread::unshare(what)
}

/// Says what was changed, and to what.
pub(super) fn varied(what: &str, how: String) -> Event {
    Event::Varied { what: what.to_owned(), how, done: true }
}

/// Says what was not changed, and why not.
pub(super) fn not_varied(what: &str, how: String) -> Event {
    Event::Varied { what: what.to_owned(), how, done: false }
}
