//! Surnames that several people of a document bear: whom "Clinton" means where it speaks of Bill and of Hillary Clinton.
//!
//! Where the surname alone was used before a second one who bears it came up, it means the first throughout, unless a title tells
//! otherwise ("Mrs. Clinton"): news tells others apart by their full names. Else two things tell: whom the document speaks of most
//! by the full name, and who was named in full just before. Where they do not agree clearly the surname stays by itself.

use super::words::plain;
use crate::decode::lexicon::lexicon;
use crate::model::Gender;
use crate::text::ByteRange;

/// The gender of a person, where the title in or before a mention tells.
pub(in crate::decode::speakers) fn gender_by_title(text: &str, mention: &ByteRange) -> Option<Gender> {
    let by_title = |word: &str| {
        let (lists, word) = (&lexicon().speakers, plain(word));
        if lists.titles_of_men.has(&word) {
            Some(Gender::Man)
        } else {
            lists.titles_of_women.has(&word).then_some(Gender::Woman)
        }
    };
    let mut words = text[mention.clone()].split_whitespace();
    let title = words.next().filter(|_| words.next().is_some()).and_then(by_title);
    let from = text.floor_char_boundary(mention.start.saturating_sub(24));
    title.or_else(|| text[from..mention.start].split_whitespace().next_back().and_then(by_title))
}

/// Somebody who bears the surname.
pub(super) struct Bearer {
    /// Where the given name or a title tells.
    pub gender: Option<Gender>,
    /// Where the full name stands, in text order.
    pub places: Vec<ByteRange>,
}

impl Bearer {
    /// False where a title beside the surname is another gender's.
    fn fits(&self, gender: Option<Gender>) -> bool {
        gender.is_none() || self.gender.is_none() || self.gender == gender
    }
}

/// Bytes over which the memory of a full name fades to a third.
const MEMORY: f64 = 1000.0;

/// One bearer must lead the others by this much: all the full names against none, or one just before against none, counts
/// as 1.
const LEAD: f64 = 0.25;

/// The index of the bearer who was called by the surname alone before another one was named. `alone`: where the surname stands
/// alone, in text order.
pub(super) fn established(text: &str, bearers: &[Bearer], alone: &[&ByteRange]) -> Option<usize> {
    let mut named: Vec<(usize, usize)> =
        bearers.iter().enumerate().filter_map(|(index, bearer)| Some((bearer.places.first()?.start, index))).collect();
    named.sort_unstable();
    let (&(first, index), &(second, _)) = (named.first()?, named.get(1)?);
    let mut between = alone.iter().filter(|place| (first..second).contains(&place.start));
    between.any(|place| bearers[index].fits(gender_by_title(text, place))).then_some(index)
}

/// The index of the bearer whom a mention of the surname means, where that is clear.
pub(super) fn bearer(text: &str, mention: &ByteRange, bearers: &[Bearer], established: Option<usize>) -> Option<usize> {
    let gender = gender_by_title(text, mention);
    if established.is_some_and(|index| bearers[index].fits(gender)) {
        return established;
    }
    let all: usize = bearers.iter().filter(|bearer| bearer.fits(gender)).map(|bearer| bearer.places.len()).sum();
    let score = |bearer: &Bearer| {
        let before = bearer.places.partition_point(|place| place.start < mention.start);
        let last = before.checked_sub(1).map(|last| mention.start - bearer.places[last].start);
        let nearness = last.map_or(0.0, |distance| (-(distance as f64) / MEMORY).exp());
        bearer.places.len() as f64 / all.max(1) as f64 + nearness
    };
    let fitting = bearers.iter().enumerate().filter(|(_, bearer)| bearer.fits(gender));
    let mut scores: Vec<(usize, f64)> = fitting.map(|(index, bearer)| (index, score(bearer))).collect();
    scores.sort_by(|left, right| right.1.total_cmp(&left.1));
    let second = scores.get(1).map_or(0.0, |second| second.1);
    scores.first().filter(|first| first.1 >= second + LEAD).map(|first| first.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bearer meant by the last "Holt" of a text, where Ada (a woman) and Ben (a man) bear it.
    fn meant(text: &str) -> Option<usize> {
        let places = |name: &str| text.match_indices(name).map(|(at, name)| at..at + name.len()).collect();
        let bearers = [
            Bearer { gender: Some(Gender::Woman), places: places("Ada Holt") },
            Bearer { gender: Some(Gender::Man), places: places("Ben Holt") },
        ];
        let is_alone = |at: usize| !text[..at].ends_with("Ada ") && !text[..at].ends_with("Ben ");
        let alone: Vec<ByteRange> =
            text.match_indices("Holt").filter(|(at, _)| is_alone(*at)).map(|(at, name)| at..at + name.len()).collect();
        let established = established(text, &bearers, &alone.iter().collect::<Vec<_>>());
        let last = alone.last().unwrap().clone();
        bearer(text, &last, &bearers, established)
    }

    #[test]
    fn a_title_tells() {
        assert_eq!(meant("Ada Holt met Ben Holt. Mr. Holt laughed."), Some(1));
        assert_eq!(meant("Ben Holt met Ada Holt. Mrs. Holt laughed."), Some(0));
    }

    #[test]
    fn whoever_was_called_by_it_before_the_other_came_up_keeps_it() {
        let text = "Ben Holt won. Holt thanked all. Ada Holt came, and Ada Holt sang. Ada Holt left. Holt laughed.";
        assert_eq!(meant(text), Some(1));
        assert_eq!(meant(&text.replace(" Holt laughed", " Mrs. Holt laughed")), Some(0));
        assert_eq!(meant(&text.replace(" Holt thanked", " Mrs. Holt thanked")), Some(0), "she was meant there, too");
    }

    #[test]
    fn whom_the_document_is_about_tells() {
        let text = "Ada Holt won. Her brother Ben Holt came. Ada Holt thanked him, and Ada Holt left. Holt laughed.";
        assert_eq!(meant(text), Some(0));
    }

    #[test]
    fn order_alone_does_not_tell() {
        assert_eq!(meant("Ada Holt and Ben Holt came. Holt laughed."), None);
        assert_eq!(meant("Ben Holt and Ada Holt came. Holt laughed."), None);
    }
}
