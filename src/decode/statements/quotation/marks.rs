//! Quotation marks: their shapes, what stands beside them, and which of them are apostrophes or inches.

use crate::decode::lexicon::lexicon;

/// The shape of a mark, be it a double or a single one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Straight,
    Left,
    Right,
    Low,
    Backtick,
    AngleLeft,
    AngleRight,
}

/// What stands before a run of marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Space,
    Bracket,
    Dash,
    Digit,
    Letter,
    Stop,
}

/// What stands after a run of marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    End,
    Space,
    Word,
    Stop,
}

/// What its surroundings make of a mark, whatever its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    Open,
    Close,
    Unclear,
}

/// A mark of a paragraph. Kept small: a text may consist of little else.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub start: usize,
    length: u8,
    pub double: bool,
    shape: Shape,
    before: Before,
    after: After,
    /// Whether the mark begins its paragraph or follows a comma or a colon, as
    /// the opening mark of whole sentences does.
    leads: bool,
    /// A single mark: whether it may open. A double mark: whether another
    /// double mark follows in the paragraph.
    opens: bool,
    /// A single mark: whether it may close. A double mark: whether the next
    /// double mark of the paragraph looks like a closing one.
    pub closes: bool,
}

impl Mark {
    pub fn end(&self) -> usize {
        self.start + usize::from(self.length)
    }

    pub fn context(&self) -> Context {
        match (self.before, self.after) {
            (Before::Space | Before::Bracket, After::Word) => Context::Open,
            (Before::Space | Before::Bracket, _) | (_, After::Word) => Context::Unclear,
            _ => Context::Close,
        }
    }

    /// Whether the mark opens a quotation where none is open.
    pub fn opens_quotation(&self) -> bool {
        let context = self.context();
        // `He says,” we won.”`: the space is on the wrong side.
        let misplaced = self.leads && self.after == After::Space && self.closes;
        match (self.double, self.shape) {
            (_, Shape::AngleLeft) => true,
            // These need a mark to follow, as they are at odds with their shape.
            (_, Shape::AngleRight) => context == Context::Open && self.opens,
            (false, _) => self.opens,
            (true, Shape::Right) => context == Context::Open && self.opens || misplaced,
            (true, Shape::Low | Shape::Backtick) => true,
            (true, Shape::Left) => context != Context::Close || misplaced,
            (true, Shape::Straight) => match (context, self.before, self.after) {
                (Context::Open, ..) => true,
                (Context::Close, ..) => misplaced,
                (_, Before::Digit, _) => false,
                (_, Before::Letter | Before::Stop, _) | (.., After::Space | After::End) => self.opens,
                _ => true,
            },
        }
    }

    /// Whether the mark closes the quotation that `open` began.
    pub fn closes_quotation(&self, open: &Mark) -> bool {
        let context = self.context();
        if self.double != open.double {
            return false;
        }
        match (open.shape, self.shape) {
            (Shape::AngleLeft, other) => other == Shape::AngleRight,
            (Shape::AngleRight, Shape::AngleLeft) => true,
            (Shape::AngleRight, other) => other == Shape::AngleRight && context == Context::Close,
            (_, Shape::AngleLeft | Shape::AngleRight) => false,
            _ if !self.double => self.closes,
            (_, Shape::Right) => true,
            (Shape::Low, Shape::Left) => context != Context::Open,
            (_, Shape::Left) => context == Context::Close,
            (_, Shape::Low | Shape::Backtick) => false,
            (_, Shape::Straight) => {
                // `"The 5" pipe burst," he said`: inches if a closing mark follows.
                let inches = self.before == Before::Digit && self.after == After::Space && self.closes;
                context != Context::Open && !inches
            }
        }
    }
}

/// The length in bytes, the shape, and whether it is double, of the mark that
/// `character` is or begins.
fn mark_of(character: char, next: Option<char>) -> Option<(u8, bool, Shape)> {
    let mark = match character {
        '"' | '\u{ff02}' => (true, Shape::Straight),
        '“' | '\u{201f}' => (true, Shape::Left),
        '”' => (true, Shape::Right),
        '„' => (true, Shape::Low),
        '«' => (true, Shape::AngleLeft),
        '»' => (true, Shape::AngleRight),
        '\'' if next == Some('\'') => return Some((2, true, Shape::Straight)),
        '`' if next == Some('`') => return Some((2, true, Shape::Backtick)),
        '\'' => (false, Shape::Straight),
        '‘' | '\u{201b}' => (false, Shape::Left),
        '’' => (false, Shape::Right),
        '‚' => (false, Shape::Low),
        '`' => (false, Shape::Backtick),
        '‹' => (false, Shape::AngleLeft),
        '›' => (false, Shape::AngleRight),
        _ => return None,
    };
    // A character of UTF-8 has at most four bytes.
    Some((character.len_utf8() as u8, mark.0, mark.1))
}

/// More marks than this in a row are an ornament, not quotations.
const LONGEST_RUN: usize = 8;

/// The marks of a paragraph, less the apostrophes inside words, the inches of
/// "6'2"" and the marks inside Hebrew acronyms.
///
/// Marks that adjoin share what stands before and after all of them, so that
/// `“‘No` opens twice and `no’”` closes twice.
pub(super) fn marks(paragraph: &str) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    let mut run: Vec<Mark> = Vec::new();
    let mut previous = None;
    let mut previous_printed = None;
    let mut characters = paragraph.char_indices().peekable();
    while let Some((start, character)) = characters.next() {
        if is_invisible(character) {
            continue;
        }
        let next = characters.peek().map(|&(_, next)| next);
        let Some((length, double, shape)) = mark_of(character, next) else {
            end_run(paragraph, &mut run, &mut marks, previous, Some(character));
            previous = Some(character);
            if !character.is_whitespace() {
                previous_printed = previous;
            }
            continue;
        };
        if usize::from(length) > character.len_utf8() {
            characters.next();
        }
        if run.len() > LONGEST_RUN || double && follows_feet(paragraph, start) {
            continue;
        }
        let before = before(previous);
        run.push(Mark {
            start,
            length,
            double,
            shape,
            before,
            after: After::End,
            leads: (before == Before::Space || previous == previous_printed)
                && matches!(previous_printed, None | Some(',' | ':')),
            opens: false,
            closes: false,
        });
    }
    end_run(paragraph, &mut run, &mut marks, previous, None);
    marks
}

/// Moves the marks of a run to the others, now that it is known what follows
/// them. Those that are part of a word are dropped.
fn end_run(paragraph: &str, run: &mut Vec<Mark>, marks: &mut Vec<Mark>, previous: Option<char>, next: Option<char>) {
    let Some(&last) = run.last() else {
        return;
    };
    let after = after(next);
    // Neither letter has a case: `צה"ל`.
    let caseless = [previous, next]
        .iter()
        .all(|neighbour| neighbour.is_some_and(|c| c.is_alphabetic() && !c.is_lowercase() && !c.is_uppercase()));
    let within_word = after == After::Word
        && match last.before {
            Before::Letter | Before::Digit => true,
            // The apostrophe of "Inc.'s".
            Before::Stop => lexicon().statements.contractions.has(&word_after(paragraph, last.end())),
            _ => false,
        };
    let ornament = run.len() > LONGEST_RUN;
    marks.extend(
        run.drain(..)
            .filter(|mark| !(ornament || caseless || within_word && !mark.double))
            .map(|mark| Mark { after, ..mark }),
    );
}

/// Fills in what can only be known of a mark from those after it.
///
/// A single mark opens if another closes it, and if the double marks between
/// them come in pairs. One that may be the apostrophe of a plural (`the
/// workers’ union`) closes only if no better mark follows before the next
/// opening one.
pub(super) fn look_ahead(paragraph: &str, marks: &mut [Mark]) {
    let mut doubles = 0_usize;
    let mut double_closes = false;
    let mut sure_single = false;
    let mut closing_single: Option<(usize, bool)> = None;
    for mark in marks.iter_mut().rev() {
        let context = mark.context();
        if mark.double {
            mark.opens = doubles > 0;
            mark.closes = double_closes;
            double_closes = context == Context::Close && mark.before != Before::Digit;
            doubles += 1;
            continue;
        }
        if matches!(mark.shape, Shape::AngleLeft | Shape::AngleRight) {
            mark.opens = true;
            continue;
        }
        let straight = matches!(mark.shape, Shape::Straight | Shape::Backtick);
        let may_open = match mark.shape {
            Shape::Right => false,
            Shape::Left => context != Context::Close,
            _ => context == Context::Open || mark.after != After::Space && context == Context::Unclear,
        };
        if may_open {
            let elided = is_elided(paragraph, mark.end());
            mark.opens = match closing_single {
                Some((behind, after_stop)) => {
                    (!straight || (doubles - behind).is_multiple_of(2)) && (!elided || mark.leads && after_stop)
                }
                None => {
                    let looks_opening = mark.shape == Shape::Left || mark.shape == Shape::Straight && mark.leads;
                    looks_opening && !elided && doubles == 0
                }
            };
            if mark.opens {
                sure_single = false;
                closing_single = None;
            }
        }
        let may_close = match mark.shape {
            Shape::Left => context == Context::Close,
            Shape::Straight | Shape::Right => context != Context::Open,
            _ => false,
        };
        if may_close {
            let sure = !may_be_plural(paragraph, mark);
            if sure || !sure_single {
                mark.closes = true;
                closing_single = Some((doubles, mark.before == Before::Stop));
                sure_single = sure;
            }
        }
    }
}

/// Whether an apostrophe that ends at `end` may stand for the beginning of a
/// word or of a year: `’em`, `’90s`, `’16`.
fn is_elided(paragraph: &str, end: usize) -> bool {
    let word = word_after(paragraph, end);
    let year = word.strip_suffix('s').unwrap_or(&word);
    lexicon().statements.elisions.has(&word) || year.len() == 2 && year.parse::<u8>().is_ok()
}

/// Whether a closing mark may be the apostrophe of a word instead: `workers’
/// union`, `nothin’ but`, `6' tall`.
fn may_be_plural(paragraph: &str, mark: &Mark) -> bool {
    let before = paragraph.get(..mark.start).unwrap_or("");
    let mut words = before.rsplit(|character: char| !character.is_alphanumeric());
    let word = words.next().unwrap_or("").to_ascii_lowercase();
    mark.after == After::Space
        && (mark.before == Before::Digit
            || word.len() > 1 && word.ends_with('s')
            || word.len() > 3 && word.ends_with("in")
            || lexicon().statements.clipped.has(&word))
}

/// Whether the text before `start` ends with feet and a number of inches:
/// `6'2`, `5’ 11`.
fn follows_feet(paragraph: &str, start: usize) -> bool {
    let is_digit = |character: char| character.is_ascii_digit();
    let before = paragraph.get(..start).unwrap_or("");
    let feet = before.trim_end_matches(is_digit);
    let number = feet.strip_suffix(' ').unwrap_or(feet).strip_suffix(['\'', '’', '′']);
    before.ends_with(is_digit) && number.is_some_and(|number| number.ends_with(is_digit))
}

/// The letters and digits from `start`, in lower case.
fn word_after(paragraph: &str, start: usize) -> String {
    let after = paragraph.get(start..).unwrap_or("");
    let mut words = after.split(|character: char| !character.is_alphanumeric());
    words.next().unwrap_or("").to_ascii_lowercase()
}

/// Whether a character directs or joins text and leaves no trace of its own.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{feff}')
}

fn before(previous: Option<char>) -> Before {
    match previous {
        None => Before::Space,
        Some(character) if character.is_whitespace() => Before::Space,
        Some('(' | '[' | '{' | '¿' | '¡') => Before::Bracket,
        Some('-' | '–' | '—' | '―' | '/' | '=' | '>') => Before::Dash,
        Some(character) if character.is_numeric() => Before::Digit,
        Some(character) if character.is_alphabetic() => Before::Letter,
        Some(_) => Before::Stop,
    }
}

fn after(next: Option<char>) -> After {
    match next {
        None => After::End,
        Some(character) if character.is_whitespace() => After::Space,
        // These begin a quotation more often than they follow one.
        Some('(' | '[' | '{' | '$' | '#' | '@') => After::Word,
        Some('–' | '—' | '―' | '…') => After::Stop,
        Some(character) if character.is_ascii_punctuation() => After::Stop,
        Some(_) => After::Word,
    }
}
