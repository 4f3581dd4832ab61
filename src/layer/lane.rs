//! A hash that is computed beside other work: bytes go in from one thread, and whoever is free hashes them, in order.
//!
//! A layer has two such hashes, of its tar and of its blob. One behind the other they would be what a layer waits for that is mostly
//! reused. As for a [`super::job::Job`], the calling thread does what nobody has begun.

use super::chunk::Encoder;
use crate::digest::{Digest, HashState, Hasher};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The most pieces that wait to be hashed before the calling thread helps.
const WAITING: usize = 4;

/// A hash in the making.
pub(super) struct Lane {
    encoder: Arc<Encoder>,
    state: Mutex<State>,
    progress: Condvar,
}

struct State {
    queue: VecDeque<Piece>,
    /// Away while somebody hashes.
    hasher: Option<Hasher>,
    /// How the hash stood at each mark.
    marks: Vec<HashState>,
    /// Whether the pool was asked to help and has not come yet.
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
        let state = State { queue: VecDeque::new(), hasher: Some(hasher), marks: Vec::new(), called: false };
        Arc::new(Self { encoder: Arc::clone(encoder), state: Mutex::new(state), progress: Condvar::new() })
    }

    /// Adds bytes behind those before.
    pub(super) fn put(self: &Arc<Self>, bytes: &Arc<Vec<u8>>) {
        let mut state = self.lock();
        state.queue.push_back(Piece::Bytes(Arc::clone(bytes)));
        let full = state.queue.len() > WAITING;
        let call = state.hasher.is_some() && !state.called && !full;
        state.called |= call;
        drop(state);
        if call {
            let lane = Arc::clone(self);
            rayon::spawn(move || {
                lane.lock().called = false;
                lane.run();
            });
        }
        if full {
            self.run();
            drop(self.wait(|state| state.queue.len() > WAITING));
        }
    }

    /// Marks a place behind all bytes so far.
    pub(super) fn mark(&self) {
        self.lock().queue.push_back(Piece::Mark);
    }

    /// The digest of all bytes, and the state of the hash at each mark. To be called once.
    pub(super) fn finish(&self) -> (Digest, Vec<HashState>) {
        self.run();
        let mut state = self.wait(|state| state.hasher.is_none());
        let hasher = state.hasher.take().expect("nobody hashes");
        (hasher.finish(), std::mem::take(&mut state.marks))
    }

    /// Hashes what waits, unless somebody is at it.
    fn run(&self) {
        let Some(mut hasher) = self.lock().hasher.take() else { return };
        loop {
            let mut state = self.lock();
            self.progress.notify_one();
            match state.queue.pop_front() {
                Some(Piece::Bytes(bytes)) => {
                    drop(state);
                    hasher.update(&bytes);
                    self.encoder.release(bytes);
                }
                Some(Piece::Mark) => state.marks.push(hasher.state()),
                None => {
                    state.hasher = Some(hasher);
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
    use crate::layer::Codec;

    #[test]
    fn a_lane_names_what_went_in() {
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let encoder = Arc::new(Encoder::new(Codec::Gzip).unwrap());
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
