//! How many connections there are at once: whoever finds no seat waits in the kernel's queue, not in a thread.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// The seats.
#[derive(Debug)]
pub(super) struct Seats {
    taken: Mutex<usize>,
    freed: Condvar,
    all: usize,
}

/// A seat, free again when this is dropped.
#[derive(Debug)]
pub(super) struct Seat(Arc<Seats>);

impl Seats {
    pub(super) fn new(all: usize) -> Self {
        Self { taken: Mutex::new(0), freed: Condvar::new(), all: all.max(1) }
    }

    /// Waits for a seat and takes it.
    pub(super) fn take(self: &Arc<Self>) -> Seat {
        let free = |taken: &mut usize| *taken >= self.all;
        let mut taken = self.freed.wait_while(self.lock(), free).expect("no holder of this lock panics");
        *taken += 1;
        Seat(Arc::clone(self))
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.taken.lock().expect("no holder of this lock panics")
    }
}

impl Seat {
    /// Whether most seats are taken, so that none should be kept by who asks for nothing.
    pub(super) fn crowded(&self) -> bool {
        let taken = *self.0.lock();
        taken * 4 > self.0.all * 3
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_waited_for() {
        let seats = Arc::new(Seats::new(2));
        let (first, second) = (seats.take(), seats.take());
        let other = Arc::clone(&seats);
        let waiting = std::thread::spawn(move || drop(other.take()));
        std::thread::sleep(std::time::Duration::from_millis(30));
        assert!(!waiting.is_finished());
        drop(first);
        waiting.join().unwrap();
        assert_eq!(*seats.lock(), 1);
        drop(second);
    }

    #[test]
    fn it_is_crowded_before_it_is_full() {
        let seats = Arc::new(Seats::new(8));
        let mut held: Vec<Seat> = (0..6).map(|_| seats.take()).collect();
        assert!(!held[0].crowded());
        held.push(seats.take());
        assert!(held[0].crowded());
    }
}
