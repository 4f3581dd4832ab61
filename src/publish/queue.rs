//! The same deed for many things, some at once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Does a deed for each thing, `parallel` at once and in their order; gives the results in that order, or the first error. After an
/// error nothing more is begun.
pub(super) fn each<T: Sync, R: Send, E: Send>(
    parallel: usize,
    things: &[T],
    deed: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let results: Vec<Mutex<Option<Result<R, E>>>> = things.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..parallel.min(things.len()) {
            scope.spawn(|| {
                while !failed.load(Ordering::Relaxed) {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some((thing, place)) = things.get(at).zip(results.get(at)) else { return };
                    let result = deed(thing);
                    failed.fetch_or(result.is_err(), Ordering::Relaxed);
                    *place.lock().expect("no holder of this lock panics") = Some(result);
                }
            });
        }
    });
    results.into_iter().filter_map(|result| result.into_inner().expect("no holder of this lock panics")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order_and_an_error_ends_it() {
        let things: Vec<u32> = (0..100).collect();
        assert_eq!(each(7, &things, |n| Ok::<_, ()>(n * 2)).unwrap(), things.iter().map(|n| n * 2).collect::<Vec<_>>());
        assert_eq!(each(3, &things, |n| if *n == 5 { Err(*n) } else { Ok(()) }), Err(5));
        assert_eq!(each(3, &[], |n: &u32| Ok::<_, ()>(*n)), Ok(vec![]));
    }
}
