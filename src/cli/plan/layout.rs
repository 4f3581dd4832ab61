//! Where the nodes of the picture stand: columns from left to right, every action right of what it takes.
//!
//! The method is that of Sugiyama, Tagawa and Toda ("Methods for Visual Understanding of Hierarchical System Structures",
//! IEEE Transactions on Systems, Man, and Cybernetics 11, 1981): columns by the longest path, bends where an edge passes a
//! column, an order in each column by barycentres, and then heights, by isotonic regression instead of their priority method.

use super::{Graph, ordering};
use std::collections::BTreeMap;

/// Where everything stands; heights are of middles, in pixels from 0.
pub(super) struct Layout {
    /// For each node, its column.
    pub(super) column: Vec<usize>,
    /// For each node, then each bend, its height.
    pub(super) height: Vec<f64>,
    /// For each edge `(from, to)`, its bends from left to right: `(column, item of height)`.
    pub(super) bends: BTreeMap<(usize, usize), Vec<(usize, usize)>>,
    /// How many columns there are.
    pub(super) columns: usize,
}

/// The distance in pixels between the middles of two nodes that stand above each other.
const PITCH: f64 = 32.0;
/// The same between a bend and whatever is next to it.
const BEND_PITCH: f64 = 14.0;
/// The space between parts that no edge joins.
const PART_GAP: f64 = 20.0;
/// How often the heights are evened out.
const ROUNDS: usize = 24;

/// The picture's items, nodes first and bends behind, with the edges between neighbouring columns only.
pub(super) struct Items {
    /// How many of them are nodes.
    pub(super) nodes: usize,
    /// For each item, those in the column to the left that it is joined with.
    pub(super) left: Vec<Vec<usize>>,
    /// For each item, those in the column to the right that it is joined with.
    pub(super) right: Vec<Vec<usize>>,
    /// The columns, each from top to bottom.
    pub(super) columns: Vec<Vec<usize>>,
}

pub(super) fn layout(graph: &Graph) -> Layout {
    let column = columns(graph);
    let (mut items, bends) = items(graph, &column);
    let columns = items.columns.len();
    let mut height = vec![0.0; items.left.len()];
    let mut top = 0.0;
    // What is not joined at all stands below each other, as pictures of their own.
    for part in parts(&items) {
        items.columns = part;
        ordering::order(&mut items);
        let own = heights(&items);
        let all = || items.columns.iter().flatten().copied();
        let highest = all().map(|item| own[item]).fold(f64::INFINITY, f64::min);
        let lowest = all().map(|item| own[item]).fold(highest, f64::max);
        for item in all() {
            height[item] = own[item] - highest + top;
        }
        top += lowest - highest + PITCH + PART_GAP;
    }
    Layout { column, height, bends, columns }
}

/// The columns of each part of the picture that no edge joins to another part, in the order of their first images.
fn parts(items: &Items) -> Vec<Vec<Vec<usize>>> {
    let mut part = vec![usize::MAX; items.left.len()];
    let mut count = 0;
    for &image in items.columns.iter().rev().flatten() {
        if part[image] == usize::MAX {
            let mut waiting = vec![image];
            while let Some(item) = waiting.pop() {
                if part[item] == usize::MAX {
                    part[item] = count;
                    waiting.extend(items.left[item].iter().chain(&items.right[item]));
                }
            }
            count += 1;
        }
    }
    let mut parts = vec![vec![Vec::new(); items.columns.len()]; count];
    for (index, column) in items.columns.iter().enumerate() {
        for &item in column {
            parts[part[item]][index].push(item);
        }
    }
    parts
}

/// The images stand in the last column, everything else as far right as what takes it allows, so that edges are short.
fn columns(graph: &Graph) -> Vec<usize> {
    let mut distance = vec![0; graph.nodes.len()];
    for &node in graph.order.iter().rev() {
        distance[node] = graph.users[node].iter().map(|&user| distance[user] + 1).max().unwrap_or(0);
    }
    let last = distance.iter().copied().max().unwrap_or(0);
    distance.into_iter().map(|distance| last - distance).collect()
}

type Bends = BTreeMap<(usize, usize), Vec<(usize, usize)>>;

/// Puts a bend into each column that an edge passes; edges of one node share theirs, as branches share a trunk.
fn items(graph: &Graph, column: &[usize]) -> (Items, Bends) {
    let nodes = graph.nodes.len();
    let count = column.iter().max().map_or(0, |last| last + 1);
    let mut items =
        Items { nodes, left: vec![vec![]; nodes], right: vec![vec![]; nodes], columns: vec![vec![]; count] };
    // From the images down, so that what belongs together starts together.
    let mut seen = vec![false; nodes];
    let mut waiting: Vec<usize> = Vec::new();
    for image in graph.sinks() {
        waiting.push(image);
        while let Some(node) = waiting.pop() {
            if !std::mem::replace(&mut seen[node], true) {
                items.columns[column[node]].push(node);
                waiting.extend(graph.inputs[node].iter().rev());
            }
        }
    }
    let mut bends = Bends::new();
    for (from, users) in graph.users.iter().enumerate() {
        let mut trunk = vec![from];
        for &to in users {
            let passed = column[to] - column[from] - 1;
            while trunk.len() <= passed {
                let bend = items.left.len();
                items.left.push(vec![]);
                items.right.push(vec![]);
                items.columns[column[from] + trunk.len()].push(bend);
                items.join(trunk[trunk.len() - 1], bend);
                trunk.push(bend);
            }
            items.join(trunk[passed], to);
            bends.insert((from, to), (1..=passed).map(|step| (column[from] + step, trunk[step])).collect());
        }
    }
    (items, bends)
}

impl Items {
    fn join(&mut self, left: usize, right: usize) {
        self.right[left].push(right);
        self.left[right].push(left);
    }

    /// The distance that two neighbours of a column keep.
    fn pitch(&self, above: usize, below: usize) -> f64 {
        match (above < self.nodes, below < self.nodes) {
            (true, true) => PITCH,
            (false, false) => BEND_PITCH / 2.0,
            _ => f64::midpoint(PITCH, BEND_PITCH),
        }
    }
}

/// Moves each item towards the middle of those that it is joined with, as far as the order and the distances allow.
fn heights(items: &Items) -> Vec<f64> {
    let mut height = vec![0.0; items.left.len()];
    for column in &items.columns {
        let mut at = 0.0;
        for (place, &item) in column.iter().enumerate() {
            at += if place > 0 { items.pitch(column[place - 1], item) } else { 0.0 };
            height[item] = at;
        }
        // Columns begin around one middle line.
        for &item in column {
            height[item] -= at / 2.0;
        }
    }
    for round in 0..ROUNDS {
        let toward = |item: usize| match round % 3 {
            _ if round + 1 == ROUNDS => [items.left[item].as_slice(), &items.right[item]].concat(),
            0 | 2 if !items.right[item].is_empty() => items.right[item].clone(),
            1 if !items.left[item].is_empty() => items.left[item].clone(),
            _ => [items.left[item].as_slice(), &items.right[item]].concat(),
        };
        let mut order: Vec<usize> = (0..items.columns.len()).collect();
        if round % 3 != 1 {
            order.reverse();
        }
        for column in order {
            let column = &items.columns[column];
            let wanted: Vec<f64> = column.iter().map(|&item| mean(&toward(item), &height, height[item])).collect();
            let pitches: Vec<f64> = column.windows(2).map(|pair| items.pitch(pair[0], pair[1])).collect();
            // A bend that does not move keeps a long edge straight.
            let weights: Vec<f64> = column.iter().map(|&item| if item < items.nodes { 1.0 } else { 4.0 }).collect();
            for (&item, at) in column.iter().zip(nearest(&wanted, &weights, &pitches)) {
                height[item] = at;
            }
        }
    }
    height
}

fn mean(of: &[usize], height: &[f64], otherwise: f64) -> f64 {
    if of.is_empty() {
        return otherwise;
    }
    of.iter().map(|&item| height[item]).sum::<f64>() / float(of.len())
}

/// A count as a float; exact below 2^53.
#[expect(clippy::cast_precision_loss, reason = "a picture of that many nodes is no picture")]
pub(super) fn float(count: usize) -> f64 {
    count as f64
}

/// The heights nearest to those that are wanted, by weighted least squares, that keep the order and the distances.
///
/// Without the distances this is isotonic regression, solved by pooling adjacent violators (Ayer and others, "An empirical
/// distribution function for sampling with incomplete information", Annals of Mathematical Statistics 26, 1955); taking the
/// sum of the distances above each item away makes it so.
fn nearest(wanted: &[f64], weights: &[f64], pitches: &[f64]) -> Vec<f64> {
    // Pools from top to bottom: sum of weighted wishes, sum of weights, number of items.
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    let mut offsets = Vec::with_capacity(wanted.len());
    let mut offset = 0.0;
    for (place, (&wish, &weight)) in wanted.iter().zip(weights).enumerate() {
        offset += if place > 0 { pitches[place - 1] } else { 0.0 };
        offsets.push(offset);
        let mut pool = ((wish - offset) * weight, weight, 1);
        while let Some(&(sum, weights, count)) = pools.last() {
            if sum / weights <= pool.0 / pool.1 {
                break;
            }
            pool = (pool.0 + sum, pool.1 + weights, pool.2 + count);
            pools.pop();
        }
        pools.push(pool);
    }
    let levels = pools.into_iter().flat_map(|(sum, weights, count)| std::iter::repeat_n(sum / weights, count));
    levels.zip(offsets).map(|(level, offset)| level + offset).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn wishes_are_met_where_there_is_room() {
        let near = |wanted: &[f64]| nearest(wanted, &vec![1.0; wanted.len()], &vec![10.0; wanted.len() - 1]);
        assert_eq!(near(&[0.0, 50.0]), [0.0, 50.0]);
        assert_eq!(near(&[5.0, 5.0]), [0.0, 10.0]);
        assert_eq!(near(&[30.0, 0.0, 100.0]), [10.0, 20.0, 100.0]);
        assert_eq!(nearest(&[0.0, 0.0], &[1.0, 3.0], &[10.0]), [-7.5, 2.5]);
    }

    #[test]
    fn every_action_stands_right_of_what_it_takes_and_nothing_overlaps() {
        let graph = sample::images(3, 10);
        let layout = layout(&graph);
        for (node, inputs) in graph.inputs.iter().enumerate() {
            assert!(inputs.iter().all(|&input| layout.column[input] < layout.column[node]));
        }
        for column in 0..layout.columns {
            let mut heights: Vec<f64> =
                (0..graph.nodes.len()).filter(|&n| layout.column[n] == column).map(|n| layout.height[n]).collect();
            heights.sort_by(f64::total_cmp);
            assert!(heights.windows(2).all(|pair| pair[1] - pair[0] > PITCH - 0.01), "column {column}: {heights:?}");
        }
    }
}
