//! Runs a graph of jobs on threads: what is ready runs, the most urgent first; what fails stops only what depends on it.

use crate::digest::Shuffle;
use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex};

/// A job of the graph.
#[derive(Debug, Clone)]
pub(super) struct Job {
    /// The numbers of the jobs that have to be done before; each is smaller than this job's own.
    pub(super) after: Vec<usize>,
    /// Which threads run it.
    pub(super) lane: Lane,
    /// Among ready jobs, those of a higher urgency come first.
    pub(super) urgency: u64,
}

/// Which threads run a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Threads that compute: as many as there are cores to use.
    Compute,
    /// Threads that wait for the network.
    Network,
}

/// How a job ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End<E> {
    /// Well.
    Done,
    /// With an error.
    Failed(E),
    /// It never began, because that job, on which it depends, failed.
    Skipped(usize),
}

/// Gives every job an urgency that a seed decides, so that ready jobs run in another order.
pub(super) fn shuffle(jobs: &mut [Job], order: Shuffle) {
    for (number, job) in jobs.iter_mut().enumerate() {
        job.urgency = order.place(&number.to_le_bytes());
    }
}

struct State<E> {
    /// Ready jobs of the two lanes, by falling urgency, then number.
    ready: [BTreeSet<(std::cmp::Reverse<u64>, usize)>; 2],
    /// For each job, how many of those before it are not over.
    waiting: Vec<usize>,
    ends: Vec<Option<End<E>>>,
    left: usize,
}

/// Runs all jobs and says how each ended.
///
/// `run` is called once for each job that can run, from any of the threads.
pub(super) fn run<E: Send>(
    jobs: &[Job],
    compute: usize,
    network: usize,
    run: impl Fn(usize) -> Result<(), E> + Sync,
) -> Vec<End<E>> {
    let mut dependents = vec![Vec::new(); jobs.len()];
    for (number, job) in jobs.iter().enumerate() {
        for &before in &job.after {
            assert!(before < number, "a job depends only on earlier ones");
            dependents[before].push(number);
        }
    }
    let mut state = State {
        ready: [BTreeSet::new(), BTreeSet::new()],
        waiting: jobs.iter().map(|job| job.after.len()).collect(),
        ends: jobs.iter().map(|_| None).collect(),
        left: jobs.len(),
    };
    for number in 0..jobs.len() {
        if state.waiting[number] == 0 {
            state.ready[lane(&jobs[number])].insert(rank(jobs, number));
        }
    }
    let (state, changed) = (Mutex::new(state), Condvar::new());
    let worker = |lane_number: usize| {
        let mut guard = state.lock().expect("no holder of this lock panics");
        while guard.left > 0 {
            let Some((_, number)) = guard.ready[lane_number].pop_first() else {
                guard = changed.wait(guard).expect("no holder of this lock panics");
                continue;
            };
            drop(guard);
            let end = match run(number) {
                Ok(()) => End::Done,
                Err(error) => End::Failed(error),
            };
            guard = state.lock().expect("no holder of this lock panics");
            guard.finish(number, end, jobs, &dependents);
            changed.notify_all();
        }
    };
    let has = |lane| jobs.iter().any(|job| job.lane == lane);
    std::thread::scope(|scope| {
        let worker = &worker;
        for _ in 0..if has(Lane::Network) { network } else { 0 } {
            scope.spawn(move || worker(1));
        }
        for _ in 1..if has(Lane::Compute) { compute } else { 0 } {
            scope.spawn(move || worker(0));
        }
        // The caller's own thread is one of the workers.
        worker(0);
    });
    let state = state.into_inner().expect("no holder of this lock panics");
    state.ends.into_iter().map(|end| end.expect("every job ended")).collect()
}

impl<E> State<E> {
    fn finish(&mut self, number: usize, end: End<E>, jobs: &[Job], dependents: &[Vec<usize>]) {
        let bad = !matches!(end, End::Done);
        let cause = if let End::Skipped(cause) = end { cause } else { number };
        self.ends[number] = Some(end);
        self.left -= 1;
        for &next in &dependents[number] {
            if self.ends[next].is_some() {
                continue;
            }
            if bad {
                self.finish(next, End::Skipped(cause), jobs, dependents);
                continue;
            }
            self.waiting[next] -= 1;
            if self.waiting[next] == 0 {
                self.ready[lane(&jobs[next])].insert(rank(jobs, next));
            }
        }
    }
}

fn lane(job: &Job) -> usize {
    match job.lane {
        Lane::Compute => 0,
        Lane::Network => 1,
    }
}

fn rank(jobs: &[Job], number: usize) -> (std::cmp::Reverse<u64>, usize) {
    (std::cmp::Reverse(jobs[number].urgency), number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn job(after: &[usize], lane: Lane) -> Job {
        Job { after: after.to_vec(), lane, urgency: 0 }
    }

    #[test]
    fn every_job_runs_once_after_those_it_needs() {
        let mut jobs = Vec::new();
        for number in 0..300_usize {
            let after: Vec<usize> = [number / 2, number / 3, number.saturating_sub(7)]
                .into_iter()
                .filter(|&before| before < number)
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect();
            jobs.push(job(&after, if number % 3 == 0 { Lane::Network } else { Lane::Compute }));
        }
        for threads in [1, 2, 8] {
            let done: Vec<AtomicUsize> = jobs.iter().map(|_| AtomicUsize::new(0)).collect();
            let ends = run(&jobs, threads, threads, |number| {
                for &before in &jobs[number].after {
                    assert_eq!(done[before].load(Ordering::SeqCst), 1);
                }
                done[number].fetch_add(1, Ordering::SeqCst);
                Ok::<(), ()>(())
            });
            assert!(ends.iter().all(|end| *end == End::Done));
            assert!(done.iter().all(|count| count.load(Ordering::SeqCst) == 1));
        }
    }

    #[test]
    fn a_seed_decides_the_order_of_ready_jobs() {
        let order = |seed: Option<u64>| {
            let mut jobs: Vec<Job> = (0..40).map(|_| job(&[], Lane::Compute)).collect();
            if let Some(seed) = seed {
                shuffle(&mut jobs, Shuffle(seed));
            }
            let ran = Mutex::new(Vec::new());
            run(&jobs, 1, 1, |number| {
                ran.lock().unwrap().push(number);
                Ok::<(), ()>(())
            });
            ran.into_inner().unwrap()
        };
        assert_eq!(order(None), (0..40).collect::<Vec<_>>());
        assert_eq!(order(Some(3)), order(Some(3)));
        assert!(order(Some(3)) != order(Some(4)) && order(Some(3)) != order(None));
    }

    #[test]
    fn a_failure_stops_only_what_depends_on_it() {
        let jobs = [
            job(&[], Lane::Compute),
            job(&[0], Lane::Network),
            job(&[0], Lane::Compute),
            job(&[1, 2], Lane::Compute),
            job(&[3], Lane::Network),
            job(&[2], Lane::Compute),
        ];
        let ends = run(&jobs, 2, 2, |number| if number == 1 { Err("broken") } else { Ok(()) });
        let skipped = || End::Skipped(1);
        assert_eq!(ends, [End::Done, End::Failed("broken"), End::Done, skipped(), skipped(), End::Done]);
        assert!(run::<()>(&[], 2, 2, |_| Ok(())).is_empty());
    }
}
