//! A registry in this process: as the OCI distribution-spec 1.1 wants it, or as docker's 2.8 is; and with everything that can go
//! wrong, when told.

mod access;
mod blobs;
mod manifests;
pub(crate) mod wire;

use remint::registry::AnyDigest;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;
pub(crate) use wire::Seen;

/// How a registry behaves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// As docker's 2.8: no SHA-512, no referrers, and an upload is lost with its connection.
    pub(crate) old: bool,
    /// The smallest chunk that it takes, but for the last.
    pub(crate) least: u64,
    /// Who may do what.
    pub(crate) access: Access,
    /// Blobs are read elsewhere: `http://host:port`, and their path is added.
    pub(crate) elsewhere: Option<String>,
    /// How many tags a page has.
    pub(crate) page: Option<usize>,
}

/// Who may do what.
#[derive(Debug, Clone, Default)]
pub(crate) enum Access {
    /// Everybody everything.
    #[default]
    Open,
    /// Whoever shows these with each request.
    Basic(&'static str, &'static str),
    /// Whoever shows a token, which this user gets, and which lives for so many requests.
    Token(&'static str, &'static str, u64),
}

/// What goes wrong with a request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// An answer of that status, with `Retry-After` if given, and nothing done.
    Status(u16, Option<u32>),
    /// A page for people with this status, as from a portal, and nothing done.
    Page(u16),
    /// Some text with status 200 for whatever is asked, and nothing done.
    Words,
    /// An answer of that status with that code of an error, and nothing done.
    Code(u16, &'static str),
    /// The connection ends before anything is done.
    Reset,
    /// It is done, and the connection ends before the answer.
    Lost,
    /// The connection ends after so many bytes of what is sent.
    CutIn(usize),
    /// The connection ends after so many bytes of the answer's body.
    CutOut(usize),
    /// One byte of the answer's body is another.
    Flip,
    /// The answer promises another digest.
    OtherDigest,
    /// The answer promises so many bytes more than there are.
    Longer,
    /// The answer comes in pieces, with pauses.
    Slow(Duration),
    /// The whole of a blob, although a part was asked for.
    NoRange,
    /// Another part than was asked for.
    OtherRange,
    /// What a tag means is that manifest.
    Means(AnyDigest),
    /// All tokens are void.
    Expire,
    /// All uploads are forgotten.
    Forget,
}

/// Decides what goes wrong.
type Plan = Box<dyn FnMut(&Seen) -> Option<Fault> + Send>;

/// A registry; it stops when the test's process ends.
#[derive(Clone)]
pub(crate) struct Registry {
    /// `127.0.0.1:<port>`.
    pub(crate) address: String,
    shared: Arc<Shared>,
}

struct Shared {
    address: String,
    options: Options,
    state: Mutex<State>,
    plan: Mutex<Plan>,
    numbers: AtomicU64,
}

#[derive(Default)]
struct State {
    repositories: BTreeMap<String, Repository>,
    uploads: BTreeMap<u64, Upload>,
    /// Tokens: what each allows, and for how many requests.
    tokens: BTreeMap<String, (Vec<String>, u64)>,
    seen: Vec<Seen>,
}

/// What a repository holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repository {
    pub(crate) blobs: BTreeMap<AnyDigest, Arc<Vec<u8>>>,
    pub(crate) manifests: BTreeMap<AnyDigest, (String, Vec<u8>)>,
    pub(crate) tags: BTreeMap<String, AnyDigest>,
}

struct Upload {
    repository: String,
    bytes: Vec<u8>,
    /// Whether a chunk was shorter than it may be, so that it has to be the last.
    short: bool,
}

impl Registry {
    /// Starts a registry.
    pub(crate) fn start(options: Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Shared {
            address: address.clone(),
            options,
            state: Mutex::default(),
            plan: Mutex::new(Box::new(|_| None)),
            numbers: AtomicU64::new(1),
        });
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&served);
                thread::spawn(move || wire::serve(&stream, &shared));
            }
        });
        Self { address, shared }
    }

    /// Lets a function decide for each request what goes wrong.
    pub(crate) fn plan(&self, plan: impl FnMut(&Seen) -> Option<Fault> + Send + 'static) {
        *self.shared.plan.lock().unwrap() = Box::new(plan);
    }

    /// Lets these go wrong, each with the next request of its method.
    pub(crate) fn faults(&self, faults: &[(&'static str, Fault)]) {
        let mut faults = faults.to_vec();
        self.plan(move |seen| {
            let at = faults.iter().position(|(method, _)| *method == seen.method)?;
            Some(faults.remove(at).1)
        });
    }

    /// What a repository holds.
    pub(crate) fn holds(&self, name: &str) -> Repository {
        self.shared.state().repositories.get(name).cloned().unwrap_or_default()
    }

    /// The requests since the last time.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.shared.state().seen)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }
}
