//! The order of each column from top to bottom: few crossings.

use super::layout::{Items, float};

/// How many times the columns are gone through, from the left and from the right in turn.
const SWEEPS: usize = 16;

/// Sorts each column by the mean place of what its items are joined with, again and again, and keeps the best order seen.
pub(super) fn order(items: &mut Items) {
    let mut place = vec![0; items.left.len()];
    for column in &items.columns {
        settle(column, &mut place);
    }
    let mut best = items.columns.clone();
    let mut fewest = crossings(items, &place);
    for sweep in 0..SWEEPS {
        if fewest == 0 {
            break;
        }
        let from_left = sweep % 2 == 1;
        let count = items.columns.len();
        for step in 1..count {
            let index = if from_left { step } else { count - 1 - step };
            let beside = if from_left { &items.left } else { &items.right };
            let column = &mut items.columns[index];
            let mut keyed: Vec<(f64, usize)> =
                column.iter().map(|&item| (middle(&beside[item], &place, place[item]), item)).collect();
            // The sort is stable: what has no reason to move stays.
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            *column = keyed.into_iter().map(|(_, item)| item).collect();
            settle(column, &mut place);
        }
        let now = crossings(items, &place);
        if now < fewest {
            fewest = now;
            best.clone_from(&items.columns);
        }
    }
    items.columns = best;
}

fn settle(column: &[usize], place: &mut [usize]) {
    for (index, &item) in column.iter().enumerate() {
        place[item] = index;
    }
}

fn middle(of: &[usize], place: &[usize], otherwise: usize) -> f64 {
    if of.is_empty() {
        return float(otherwise);
    }
    float(of.iter().map(|&item| place[item]).sum()) / float(of.len())
}

/// How many pairs of edges cross, by inversions counted in a Fenwick tree (Barth, Mutzel and Jünger, "Simple and efficient
/// bilayer cross counting", 2004).
fn crossings(items: &Items, place: &[usize]) -> usize {
    let mut crossings = 0;
    for pair in items.columns.windows(2) {
        let mut tree = vec![0_usize; pair[1].len() + 1];
        let mut edges = 0;
        for &item in &pair[0] {
            let mut ends: Vec<usize> = items.right[item].iter().map(|&to| place[to]).collect();
            ends.sort_unstable();
            // Edges of one item do not cross each other: all are counted before any is entered.
            for &end in &ends {
                let (mut index, mut above) = (end + 1, 0);
                while index > 0 {
                    above += tree[index];
                    index &= index - 1;
                }
                crossings += edges - above;
            }
            edges += ends.len();
            for end in ends {
                let mut index = end + 1;
                while index < tree.len() {
                    tree[index] += 1;
                    index += index & index.wrapping_neg();
                }
            }
        }
    }
    crossings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two columns of three, joined crosswise.
    fn crossed() -> Items {
        let right = vec![vec![5], vec![4], vec![3], vec![], vec![], vec![]];
        let left = vec![vec![], vec![], vec![], vec![2], vec![1], vec![0]];
        Items { nodes: 6, left, right, columns: vec![vec![0, 1, 2], vec![3, 4, 5]] }
    }

    #[test]
    fn crossings_are_counted_and_undone() {
        let mut items = crossed();
        let place = [0, 1, 2, 0, 1, 2];
        assert_eq!(crossings(&items, &place), 3);
        order(&mut items);
        let mut place = [0; 6];
        for column in &items.columns {
            settle(column, &mut place);
        }
        assert_eq!(crossings(&items, &place), 0);
    }
}
