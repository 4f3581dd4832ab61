//! A chunk that whoever comes first compresses: a thread of the pool, or the thread that waits for it.
//!
//! So the waiting thread never sits idle before work that nobody has begun, and a pool of one thread, a full pool and a caller
//! from within the pool are all without deadlock: only a chunk that another thread is compressing at that moment is waited for.

use super::Error;
use super::chunk::Encoder;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// A chunk on its way.
pub(super) struct Job {
    state: Mutex<State>,
    done: Condvar,
}

/// A compressed chunk.
pub(super) struct Compressed {
    /// What goes into the blob.
    pub(super) bytes: Vec<u8>,
    /// The CRC-32 of the chunk.
    pub(super) crc32: u32,
    /// The size of the chunk in bytes.
    pub(super) chunk_size: u64,
}

enum State {
    Waiting(Arc<Vec<u8>>),
    Running,
    Done(Result<Compressed, Error>),
    /// The result was taken, or the job cancelled.
    Gone,
}

impl Job {
    /// Puts a chunk in front of the current rayon pool, if it is to help.
    pub(super) fn start(chunk: Arc<Vec<u8>>, encoder: &Arc<Encoder>) -> Arc<Self> {
        let job = Arc::new(Self { state: Mutex::new(State::Waiting(chunk)), done: Condvar::new() });
        let (for_pool, for_job) = (Arc::clone(&job), Arc::clone(encoder));
        encoder.share(move || for_pool.run(&for_job));
        job
    }

    /// Compresses the chunk if nobody else has begun.
    fn run(&self, encoder: &Encoder) {
        let chunk = {
            let mut state = self.lock();
            if !matches!(*state, State::Waiting(_)) {
                return;
            }
            let State::Waiting(chunk) = std::mem::replace(&mut *state, State::Running) else { return };
            chunk
        };
        let result = encoder.compress(&chunk).map(|bytes| Compressed {
            bytes,
            crc32: crc32fast::hash(&chunk),
            chunk_size: chunk.len() as u64,
        });
        encoder.release(chunk);
        *self.lock() = State::Done(result);
        self.done.notify_one();
    }

    /// Gives the compressed chunk, doing the work here if nobody has begun it. To be called once.
    pub(super) fn finish(&self, encoder: &Encoder) -> Result<Compressed, Error> {
        self.run(encoder);
        let running = |state: &mut State| matches!(state, State::Running);
        let mut state = self.done.wait_while(self.lock(), running).unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Gone) {
            State::Done(result) => result,
            _ => unreachable!("a job's result is taken once"),
        }
    }

    /// Keeps the pool from beginning it.
    pub(super) fn cancel(&self) {
        let mut state = self.lock();
        if matches!(*state, State::Waiting(_)) {
            *state = State::Gone;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
