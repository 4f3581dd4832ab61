//! A hash that is computed beside other work: bytes go in from one thread, and whoever is free hashes them, in order.
//!
//! A layer has two such hashes, of its tar and of its blob. One behind the other they would be what a layer waits for that is mostly
//! reused. As for a [`super::job::Job`], the calling thread does what nobody has begun.

use super::chunk::{CHUNK, Encoder};
use crate::digest::{Digest, HashState, Hasher};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The most bytes that wait to be hashed before the calling thread helps.
const WAITING: usize = CHUNK;

/// As many are left when it goes on: who hashes wakes it seldom, and has something to do until more come.
const LEFT: usize = WAITING / 2;

/// A hash in the making.
pub(super) struct Lane {
    encoder: Arc<Encoder>,
    state: Mutex<State>,
    progress: Condvar,
}

struct State {
    queue: VecDeque<Piece>,
    /// How many bytes are in it.
    waiting: usize,
    /// Away while somebody hashes.
    hasher: Option<Hasher>,
    /// How the hash stood at each mark.
    marks: Vec<HashState>,
    /// Whether the pool was asked to help, if it is to, and has not come yet.
    called: bool,
}

enum Piece {
    Bytes(Arc<Vec<u8>>),
    /// A place at which the state of the hash is wanted.
    Mark,
}

impl Lane {
    /// Begins behind the bytes that a hasher has had.
    pub(super) fn new(encoder: &Arc<Encoder>, hasher: Hasher) -> Arc<Self> {
        let state =
            State { queue: VecDeque::new(), waiting: 0, hasher: Some(hasher), marks: Vec::new(), called: false };
        Arc::new(Self { encoder: Arc::clone(encoder), state: Mutex::new(state), progress: Condvar::new() })
    }

    /// Adds bytes behind those before.
    pub(super) fn put(self: &Arc<Self>, bytes: &Arc<Vec<u8>>) {
        let mut state = self.lock();
        state.queue.push_back(Piece::Bytes(Arc::clone(bytes)));
        state.waiting += bytes.len();
        let full = state.waiting > WAITING;
        let call = state.hasher.is_some() && !state.called && !full;
        state.called |= call;
        drop(state);
        if call {
            let lane = Arc::clone(self);
            self.encoder.share(move || {
                lane.lock().called = false;
                lane.run(0);
            });
        }
        if full {
            self.run(LEFT);
            drop(self.wait(|state| state.waiting > LEFT));
        }
    }

    /// Marks a place behind all bytes so far.
    pub(super) fn mark(&self) {
        self.lock().queue.push_back(Piece::Mark);
    }

    /// The digest of all bytes, and the state of the hash at each mark. To be called once.
    pub(super) fn finish(&self) -> (Digest, Vec<HashState>) {
        self.run(0);
        let mut state = self.wait(|state| state.hasher.is_none());
        let hasher = state.hasher.take().expect("nobody hashes");
        (hasher.finish(), std::mem::take(&mut state.marks))
    }

    /// Hashes what waits, but for so many bytes that others may hash as well, unless somebody is at it.
    fn run(&self, left: usize) {
        let Some(mut hasher) = self.lock().hasher.take() else { return };
        loop {
            let mut state = self.lock();
            let next = if left == 0 || state.waiting > left { state.queue.pop_front() } else { None };
            match next {
                Some(Piece::Bytes(bytes)) => {
                    let before = state.waiting;
                    state.waiting -= bytes.len();
                    if before > LEFT && state.waiting <= LEFT {
                        self.progress.notify_one();
                    }
                    drop(state);
                    hasher.update(&bytes);
                    self.encoder.release(bytes);
                }
                Some(Piece::Mark) => state.marks.push(hasher.state()),
                None => {
                    state.hasher = Some(hasher);
                    self.progress.notify_one();
                    return;
                }
            }
        }
    }

    fn wait(&self, while_: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        self.progress.wait_while(self.lock(), |state| while_(state)).unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Codec, Threads};

    #[test]
    fn a_lane_names_what_went_in() {
        for (threads, helpers) in [(1, Threads::Pool), (3, Threads::Pool), (3, Threads::Caller)] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let encoder = Arc::new(Encoder::new(Codec::Gzip, helpers).unwrap());
            let through = |hasher: Hasher, pieces: std::ops::Range<u8>| {
                pool.install(|| {
                    let lane = Lane::new(&encoder, hasher);
                    for n in pieces {
                        lane.mark();
                        lane.put(&Arc::new(vec![n; 1000]));
                    }
                    lane.finish()
                })
            };
            let whole: Vec<u8> = (0..100).flat_map(|n| [n; 1000]).collect();
            assert_eq!(through(Hasher::new(), 0..0), (Digest::of(b""), vec![]));
            let (digest, marks) = through(Hasher::new(), 0..100);
            assert_eq!((digest, marks.len()), (Digest::of(&whole), 100));
            let (again, later) = through(Hasher::resume(&marks[70]).unwrap(), 70..100);
            assert_eq!((again, &later[..]), (digest, &marks[70..]));
        }
    }
}
