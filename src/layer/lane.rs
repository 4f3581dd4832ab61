//! A hash that is computed beside other work: bytes go in from one thread, and whoever is free hashes them, in order.
//!
//! A layer has two such hashes, of its tar and of its blob. One behind the other they would be what a layer waits for that is mostly
//! reused. As for a [`super::job::Job`], the calling thread does what nobody has begun.

use super::chunk::Encoder;
use crate::digest::{Digest, Hasher};
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
    queue: VecDeque<Arc<Vec<u8>>>,
    /// Away while somebody hashes.
    hasher: Option<Hasher>,
    /// Whether the pool was asked to help and has not come yet.
    called: bool,
}

impl Lane {
    pub(super) fn new(encoder: &Arc<Encoder>) -> Arc<Self> {
        let state = State { queue: VecDeque::new(), hasher: Some(Hasher::new()), called: false };
        Arc::new(Self { encoder: Arc::clone(encoder), state: Mutex::new(state), progress: Condvar::new() })
    }

    /// Adds bytes behind those before.
    pub(super) fn put(self: &Arc<Self>, bytes: &Arc<Vec<u8>>) {
        let mut state = self.lock();
        state.queue.push_back(Arc::clone(bytes));
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

    /// The digest of all bytes since the last call.
    pub(super) fn finish(&self) -> Digest {
        self.run();
        let mut state = self.wait(|state| state.hasher.is_none());
        state.hasher.replace(Hasher::new()).expect("nobody hashes").finish()
    }

    /// Hashes what waits, unless somebody is at it.
    fn run(&self) {
        let Some(mut hasher) = self.lock().hasher.take() else { return };
        loop {
            let mut state = self.lock();
            self.progress.notify_one();
            match state.queue.pop_front() {
                Some(bytes) => {
                    drop(state);
                    hasher.update(&bytes);
                    self.encoder.release(bytes);
                }
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
            let digests = pool.install(|| {
                let lane = Lane::new(&Arc::new(Encoder::new(Codec::Gzip).unwrap()));
                let empty = lane.finish();
                for n in 0..100_u8 {
                    lane.put(&Arc::new(vec![n; 1000]));
                }
                [empty, lane.finish()]
            });
            let whole: Vec<u8> = (0..100).flat_map(|n| [n; 1000]).collect();
            assert_eq!(digests, [Digest::of(b""), Digest::of(&whole)]);
        }
    }
}
