//! Tells from its cue whether a statement reports something said or something
//! thought.
//!
//! News attributes more than speech: beliefs, hopes, intentions, attitudes and
//! perceptions ("hopes to", "fears", "plans to", "in the view of") stand in the
//! same form as "said" and "announced". A reader who wants what was put on
//! record must be able to leave them out.
//!
//! The rule, word by word from the start of the cue:
//!
//! 1. The first word of thought or of speech decides, as the head of a cue
//!    comes first: "said he believed" and "expressed fear" are speech, "wants to
//!    talk about" and "is expected to announce" are thought.
//! 2. Failing that, a word that yields to others makes the cue thought.
//! 3. All else is speech. That takes in acts that are themselves on record
//!    ("voted", "signed", "ordered"), and what polls, studies and documents
//!    show or find.
//!
//! Negations, auxiliaries and adverbs are in no list, so "did not expect" is
//! thought as "expected" is. The lists are those of the lexicon.

use crate::decode::lexicon::{lexicon, words};

/// What a source did with the content of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Said, wrote, showed or otherwise put it on record.
    Speech,
    /// Thought, felt, perceived, wanted or intended it, or seemed to.
    Thought,
}

impl Act {
    /// The name of the act in output: "speech" or "thought".
    pub fn name(self) -> &'static str {
        match self {
            Act::Speech => "speech",
            Act::Thought => "thought",
        }
    }
}

/// Tells speech from thought by the words of a cue. The spans of a cue in
/// several pieces are to be joined with spaces.
pub fn act(cue: &str) -> Act {
    let lists = &lexicon().statements;
    let mut otherwise = Act::Speech;
    for word in words(cue, "") {
        if lists.thought.has(&word) {
            return Act::Thought;
        }
        if lists.speech.has(&word) {
            return Act::Speech;
        }
        if lists.yielding.has(&word) {
            otherwise = Act::Thought;
        }
    }
    otherwise
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cues_of_speech() {
        let cues = [
            "said",
            "says",
            "told",
            "has announced",
            "tweeted",
            "according to",
            "accused",
            "in a statement",
            "said in an interview",
            "asked about",
            "did not mention",
            "declined",
            "endorsed",
            "criticized",
            "called for",
            "shows",
            "found",
            "voted for",
            "reportedly",
            "recalled",
            "said he believed",
            "told reporters he thinks",
            "expressed concern",
            "announced plans",
            "sought to clarify",
            "would like to thank",
            "seemed to suggest",
            "concerns were raised",
            "voted in favor of",
            "signaled their support",
            "offered his thoughts on",
            "angry, said",
            "convince",
            "pointed out",
            "TOLD",
            "can’t say",
            ":",
            "",
            "сказал",
        ];
        for cue in cues {
            assert_eq!(act(cue), Act::Speech, "{cue}");
        }
    }

    #[test]
    fn cues_of_thought() {
        let cues = [
            "hopes to",
            "believes",
            "wants",
            "fears",
            "is convinced",
            "plans to",
            "knows",
            "feels",
            "thinks",
            "thought",
            "has long considered",
            "was surprised",
            "in the view of",
            "did not expect",
            "is widely expected",
            "doesn’t want",
            "Believes",
            "wants to talk about",
            "is expected to announce",
            "decided not to recommend",
            "was not willing to say",
            "seemed",
            "appeared",
            "would like",
            "saw",
            "is seen as",
            "worried about",
            "opposition to",
            "support",
            "'s decision",
            "is looking for",
            "am glad",
            "point of view",
            "sought",
            "are aware of",
        ];
        for cue in cues {
            assert_eq!(act(cue), Act::Thought, "{cue}");
        }
    }

    #[test]
    fn names() {
        assert_eq!(Act::Speech.name(), "speech");
        assert_eq!(Act::Thought.name(), "thought");
    }
}
