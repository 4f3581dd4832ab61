//! The lines in which two texts differ, found without keeping any.

use super::first_difference;
use memchr::{memchr, memchr_iter, memrchr};

/// How many common lines are kept in front of the changed ones and behind them.
const CONTEXT: usize = 2;

/// Lines that stand one behind the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines<'a> {
    text: &'a str,
    /// How many; a text of no bytes may be one empty line, or none.
    pub(super) count: usize,
}

impl<'a> Lines<'a> {
    fn of(text: Option<&'a str>) -> Self {
        text.map_or(Self { text: "", count: 0 }, |text| Self { text, count: newlines(text) + 1 })
    }

    /// Each line, without its end.
    pub(super) fn iter(self) -> impl Iterator<Item = &'a str> {
        self.text.split('\n').take(self.count)
    }
}

/// Two texts' lines but for those with which both begin and end.
#[derive(Debug)]
pub(super) struct Changed<'a> {
    /// How many lines both begin with.
    pub(super) before: usize,
    /// The last of these.
    pub(super) context: Vec<&'a str>,
    /// What the first text has then.
    pub(super) a: Lines<'a>,
    /// What the second text has then.
    pub(super) b: Lines<'a>,
    /// The first lines of those with which both end.
    pub(super) after: Vec<&'a str>,
}

impl<'a> Changed<'a> {
    /// Compares two texts.
    pub(super) fn of(a: &'a str, b: &'a str) -> Self {
        // Behind the last line's end there is no further line.
        let (a, b) = a.strip_suffix('\n').zip(b.strip_suffix('\n')).unwrap_or((a, b));
        let common = usize::try_from(first_difference(a.as_bytes(), b.as_bytes())).unwrap_or(usize::MAX);
        // The line in which the first difference lies.
        let start = memrchr(b'\n', &a.as_bytes()[..common]).map_or(0, |at| at + 1);
        let mut before = newlines(&a[..start]);
        let (mut rest_a, mut rest_b) = (Some(&a[start..]), Some(&b[start..]));
        while let (Some((first_a, next_a)), Some((first_b, next_b))) = (rest_a.map(first), rest_b.map(first))
            && first_a == first_b
        {
            before += 1;
            (rest_a, rest_b) = (next_a, next_b);
        }
        // Without the end of the line in front of the rest.
        let head = rest_a.map_or(a, |rest| &a[..(a.len() - rest.len()).saturating_sub(1)]);
        let mut context: Vec<&str> = head.rsplit('\n').take(CONTEXT.min(before)).collect();
        context.reverse();
        let mut tail = None;
        if let (Some(one), Some(other)) = (rest_a, rest_b) {
            (rest_a, rest_b, tail) = without_common_end(one, other);
        }
        let after = tail.into_iter().flat_map(|tail| tail.split('\n')).take(CONTEXT).collect();
        Self { before, context, a: Lines::of(rest_a), b: Lines::of(rest_b), after }
    }
}

/// Takes off the lines with which both end; gives these too.
fn without_common_end<'a>(a: &'a str, b: &'a str) -> (Option<&'a str>, Option<&'a str>, Option<&'a str>) {
    let common = common_end(a.as_bytes(), b.as_bytes());
    let (mut rest_a, mut rest_b) = (Some(a), Some(b));
    let mut tail = None;
    // Behind a line's end that both have, all lines are whole.
    if let Some(at) = memchr(b'\n', &a.as_bytes()[a.len() - common..]) {
        let left = common - at;
        (rest_a, rest_b) = (Some(&a[..a.len() - left]), Some(&b[..b.len() - left]));
        tail = Some(a.len() - left + 1);
    }
    while let (Some((last_a, next_a)), Some((last_b, next_b))) = (rest_a.map(last), rest_b.map(last))
        && last_a == last_b
    {
        tail = Some(next_a.map_or(0, |next| next.len() + 1));
        (rest_a, rest_b) = (next_a, next_b);
    }
    (rest_a, rest_b, tail.map(|at| &a[at..]))
}

/// How many bytes both end with.
pub(super) fn common_end(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.rchunks(4096).zip(b.rchunks(4096)).take_while(|(a, b)| a == b).count() * 4096;
    let done = blocks.min(a.len()).min(b.len());
    let rest = a[..a.len() - done].iter().rev().zip(b[..b.len() - done].iter().rev());
    done + rest.take_while(|(a, b)| a == b).count()
}

/// The first line, and the lines behind it.
fn first(text: &str) -> (&str, Option<&str>) {
    text.split_once('\n').map_or((text, None), |(line, rest)| (line, Some(rest)))
}

/// The last line, and the lines in front of it.
fn last(text: &str) -> (&str, Option<&str>) {
    text.rsplit_once('\n').map_or((text, None), |(rest, line)| (line, Some(rest)))
}

fn newlines(text: &str) -> usize {
    memchr_iter(b'\n', text.as_bytes()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, by lists of lines.
    fn plainly(a: &str, b: &str) -> (usize, Vec<String>, Vec<String>, Vec<String>, Vec<String>) {
        let (a, b) = a.strip_suffix('\n').zip(b.strip_suffix('\n')).unwrap_or((a, b));
        let (a, b): (Vec<&str>, Vec<&str>) = (a.split('\n').collect(), b.split('\n').collect());
        let before = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
        let most = a.len().min(b.len()) - before;
        let after = a.iter().rev().zip(b.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
        let text = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let end = a.len() - after;
        (
            before,
            text(&a[before.saturating_sub(CONTEXT)..before]),
            text(&a[before..end]),
            text(&b[before..b.len() - after]),
            text(&a[end..a.len().min(end + CONTEXT)]),
        )
    }

    #[test]
    fn what_differs_is_what_lists_of_lines_say() {
        let mut state = 0x9e37_79b9_0000_0021_u64;
        let mut next = |limit: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % limit).unwrap()
        };
        for _ in 0..20_000 {
            let mut text = || (0..next(9)).map(|_| ["\n", "a", "b", "é", "\n"][next(5)]).collect::<String>();
            let (head, tail) = (text(), text());
            let [a, b] = [text(), text()].map(|middle| format!("{head}{middle}{tail}"));
            let found = Changed::of(&a, &b);
            let text = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
            let lists = [found.a, found.b].map(|lines| lines.iter().map(str::to_owned).collect::<Vec<_>>());
            let [changed_a, changed_b] = lists;
            assert_eq!((changed_a.len(), changed_b.len()), (found.a.count, found.b.count), "{a:?} {b:?}");
            let found = (found.before, text(&found.context), changed_a, changed_b, text(&found.after));
            assert_eq!(found, plainly(&a, &b), "{a:?} {b:?}");
        }
    }
}
