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
//! 1. The first word of [`THOUGHT`] or of [`SPEECH`] decides, as the head of a
//!    cue comes first: "said he believed" and "expressed fear" are speech,
//!    "wants to talk about" and "is expected to announce" are thought. A pair of
//!    words in [`PAIRS`] goes before its words.
//! 2. Failing that, a word of [`YIELDING`] makes the cue thought.
//! 3. All else is speech. That takes in acts that are themselves on record
//!    ("voted", "signed", "ordered"), and what polls, studies and documents
//!    show or find.
//!
//! Negations, auxiliaries and adverbs are in no list, so "did not expect" is
//! thought as "expected" is. Forms of words are listed one by one: endings
//! mislead.

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
    let cue = cue.to_lowercase();
    let words: Vec<&str> =
        cue.split(|character: char| !character.is_alphabetic()).filter(|word| !word.is_empty()).collect();
    // "For most voters, ..." reports what they hold.
    if words == ["for"] {
        return Act::Thought;
    }
    let mut otherwise = Act::Speech;
    for (index, &word) in words.iter().enumerate() {
        let next = words.get(index + 1).copied().unwrap_or("");
        let pair = PAIRS.binary_search_by(|&(first, second, _)| (first, second).cmp(&(word, next)));
        if let Some(&(_, _, act)) = pair.ok().and_then(|place| PAIRS.get(place)) {
            return act;
        }
        if THOUGHT.binary_search(&word).is_ok() {
            return Act::Thought;
        }
        if SPEECH.binary_search(&word).is_ok() {
            return Act::Speech;
        }
        if YIELDING.binary_search(&word).is_ok() {
            otherwise = Act::Thought;
        }
    }
    otherwise
}

/// Pairs of words that together mean something else than apart: "known as"
/// names, "wondered aloud" is said. Sorted.
pub const PAIRS: &[(&str, &str, Act)] = &[
    ("aim", "at", Act::Speech),
    ("counting", "on", Act::Thought),
    ("determined", "to", Act::Thought),
    ("familiar", "with", Act::Thought),
    ("known", "as", Act::Speech),
    ("known", "for", Act::Speech),
    ("not", "clear", Act::Thought),
    ("open", "to", Act::Thought),
    ("thinking", "aloud", Act::Speech),
    ("thought", "aloud", Act::Speech),
    ("wondered", "aloud", Act::Speech),
    ("wondering", "aloud", Act::Speech),
    ("wonders", "aloud", Act::Speech),
    ("would", "rather", Act::Thought),
];

/// Words for thinking, feeling, perceiving, wanting and intending. To support
/// and to oppose are attitudes and are here, to endorse and to criticize are
/// said. To remember is here, to recall is what news has people do aloud.
/// Sorted.
#[rustfmt::skip]
pub const THOUGHT: &[&str] = &[
    "abhor", "abhorred", "abhors", "admire", "admired", "admires", "admiring", "adore", "adored", "adores", "afraid",
    "anticipate", "anticipated", "anticipates", "anticipating", "assume", "assumed", "assumes", "assuming", "aware",
    "backed", "backing", "backs", "believe", "believed", "believes", "believing", "cared", "cares", "caring",
    "choose", "chooses", "choosing", "chose", "chosen", "concerned", "confident", "conscious", "consider",
    "considered", "considering", "considers", "contemplate", "contemplated", "contemplates", "contemplating",
    "convinced", "covet", "coveted", "covets", "crave", "craved", "craves", "craving", "decide", "decided", "decides",
    "deciding", "deem", "deemed", "deeming", "deems", "desired", "desires", "desiring", "detest", "detested",
    "detests", "disapprove", "disapproved", "disapproves", "disapproving", "discover", "discovered", "discovering",
    "discovers", "disinclined", "dislike", "disliked", "dislikes", "disliking", "distrust", "distrusted",
    "distrusting", "distrusts", "doubt", "doubted", "doubtful", "doubting", "dread", "dreaded", "dreading", "dreads",
    "dream", "dreamed", "dreaming", "dreams", "dreamt", "eager", "enamored", "enjoy", "enjoyed", "enjoying", "enjoys",
    "envision", "envisioned", "envisioning", "envisions", "expect", "expected", "expecting", "expects", "favor",
    "favored", "favoring", "favors", "favour", "favoured", "favouring", "favours", "fear", "feared", "fearing",
    "feel", "feeling", "feels", "felt", "foresaw", "foresee", "foreseeing", "foreseen", "foresees", "forget",
    "forgets", "forgetting", "forgot", "forgotten", "glad", "guess", "guessed", "guesses", "guessing", "happy",
    "hate", "hated", "hates", "hating", "hear", "heard", "hears", "hesitant", "hope", "hoped", "hopeful", "hopes",
    "hoping", "imagine", "imagined", "imagines", "imagining", "inclined", "intend", "intended", "intending",
    "intends", "interested", "interpret", "interpreted", "interpreting", "interprets", "intrigued", "keen", "knew",
    "know", "knowing", "known", "knows", "leaning", "learn", "learned", "learning", "learns", "learnt", "leery",
    "liked", "likes", "liking", "loath", "loathe", "loathed", "loathes", "loathing", "love", "loved", "loves",
    "loving", "mindful", "misunderstand", "misunderstood", "mull", "mulled", "mulling", "mulls", "notice", "noticed",
    "notices", "noticing", "oppose", "opposed", "opposes", "opposing", "opt", "opted", "opting", "opts", "perceive",
    "perceived", "perceives", "perceiving", "plan", "planned", "planning", "plans", "pleased", "prefer", "preferred",
    "preferring", "prefers", "presume", "presumed", "presumes", "presuming", "proud", "realise", "realised",
    "realises", "realising", "realize", "realized", "realizes", "realizing", "reckon", "reckoned", "reckoning",
    "reckons", "recognise", "recognised", "recognises", "recognising", "recognize", "recognized", "recognizes",
    "recognizing", "regard", "regarded", "regards", "regret", "regrets", "regretted", "regretting", "relish",
    "relished", "relishes", "relishing", "reluctant", "remember", "remembered", "remembering", "remembers", "resent",
    "resented", "resenting", "resents", "respect", "respected", "respecting", "respects", "revere", "revered",
    "reveres", "revering", "saw", "scared", "see", "seeing", "seen", "sees", "support", "supported", "supporting",
    "supports", "suppose", "supposed", "supposes", "supposing", "suspect", "suspected", "suspecting", "suspects",
    "sympathize", "sympathized", "sympathizes", "sympathizing", "think", "thinking", "thinks", "thought", "tolerate",
    "tolerated", "tolerates", "tolerating", "trust", "trusted", "trusting", "trusts", "unaware", "uncertain",
    "unclear", "uncomfortable", "unconvinced", "undecided", "understand", "understanding", "understands",
    "understood", "uneasy", "unsure", "unwilling", "view", "viewed", "viewing", "views", "want", "wanted", "wanting",
    "wants", "wary", "watch", "watched", "watches", "watching", "willing", "wish", "wished", "wishes", "wishing",
    "wonder", "wondered", "wondering", "wonders", "worried", "worries", "worry", "worrying", "yearn", "yearned",
    "yearning", "yearns",
];

/// Words for states of mind that stand beside a word of speech as often as
/// alone, and then yield to it: "his concerns were voiced", "sought to explain",
/// "seemed to suggest", "angry, he said". Sorted.
#[rustfmt::skip]
pub const YIELDING: &[&str] = &[
    "admiration", "aim", "aimed", "aiming", "aims", "alarmed", "amazed", "ambition", "ambitions", "ambivalent",
    "amused", "anger", "angered", "angry", "anxieties", "anxiety", "anxious", "appalled", "apparent", "apparently",
    "appear", "appeared", "appearing", "appears", "ashamed", "assumption", "assumptions", "astonished", "attitude",
    "attitudes", "baffled", "befuddled", "belief", "beliefs", "bewildered", "care", "certain", "conception",
    "concern", "concerns", "confidence", "confused", "consensus", "conviction", "curious", "decision", "decisions",
    "delight", "delighted", "designed", "desire", "disappointed", "disappointment", "disapproval", "disgruntled",
    "disgusted", "disillusioned", "dismay", "dismayed", "displeased", "disturbed", "divided", "embarrassed",
    "enraged", "enthusiasm", "enthusiastic", "exasperated", "excited", "excitement", "expectation", "expectations",
    "faith", "fan", "fans", "favorable", "favorably", "favorite", "favourite", "fearful", "fears", "feelings",
    "figure", "figured", "figures", "frightened", "frustrated", "frustration", "frustrations", "furious", "goal",
    "goals", "horrified", "hostility", "idea", "ideas", "impressed", "impression", "impressions", "inclination",
    "infuriated", "intent", "intention", "intentions", "interest", "interests", "irritated", "jealous", "like",
    "look", "looked", "looking", "looks", "meant", "mind", "minds", "mystified", "nervous", "notion", "notions",
    "opinion", "opinions", "opponent", "opponents", "opposition", "optimistic", "outraged", "passion", "perception",
    "perceptions", "perplexed", "perspective", "pessimistic", "poised", "position", "positions", "preference",
    "preferences", "puzzled", "ready", "relief", "relieved", "reluctance", "resentful", "resentment", "sad",
    "saddened", "sadness", "satisfied", "sceptical", "scepticism", "seek", "seeking", "seeks", "seem", "seemed",
    "seeming", "seemingly", "seems", "sense", "sentiment", "sentiments", "shocked", "skeptic", "skeptical",
    "skepticism", "skeptics", "sought", "sound", "sounded", "sounds", "split", "stance", "standpoint", "startled",
    "stunned", "supporter", "supporters", "supportive", "sure", "surprise", "surprised", "suspicious", "sympathetic",
    "sympathy", "terrified", "thoughts", "thrilled", "torn", "troubled", "unfavorable", "unhappy", "unimpressed",
    "unwillingness", "upset", "viewpoint", "vision", "willingness",
];

/// Words for speech, writing and other communication. As speech is what a cue
/// means unless something says otherwise, these matter before a word of
/// thought: "told", "has expressed". Nouns that begin a phrase of time or place
/// ("at this point") are left out. Sorted.
#[rustfmt::skip]
pub const SPEECH: &[&str] = &[
    "according", "accusation", "accusations", "accuse", "accused", "accuses", "accusing", "acknowledge",
    "acknowledged", "acknowledgement", "acknowledges", "acknowledging", "acknowledgment", "add", "added", "adding",
    "address", "addressed", "addresses", "addressing", "adds", "admission", "admit", "admits", "admitted",
    "admitting", "advice", "advise", "advised", "advises", "advising", "advocate", "advocated", "advocates",
    "advocating", "affirm", "affirmed", "affirming", "affirms", "agree", "agreed", "agreeing", "agrees", "allegation",
    "allegations", "allege", "alleged", "alleges", "alleging", "allude", "alluded", "alludes", "alluding", "announce",
    "announced", "announcement", "announces", "announcing", "answer", "answered", "answering", "answers", "apologise",
    "apologised", "apologize", "apologized", "apologizes", "apologizing", "appeal", "appealed", "appealing",
    "appeals", "applaud", "applauded", "argue", "argued", "argues", "arguing", "argument", "arguments", "article",
    "articulate", "articulated", "ask", "asked", "asking", "asks", "assail", "assailed", "assailing", "assails",
    "assert", "asserted", "asserting", "assertion", "asserts", "assure", "assured", "assures", "assuring", "attack",
    "attacked", "attacking", "attacks", "attribute", "attributed", "attributes", "bash", "bashed", "bashing",
    "bemoan", "bemoaned", "bemoaning", "blame", "blamed", "blames", "blaming", "blast", "blasted", "blasting",
    "blasts", "boast", "boasted", "boasting", "boasts", "brag", "bragged", "bragging", "brags", "call", "called",
    "calling", "calls", "caution", "cautioned", "cautioning", "cautions", "challenge", "challenged", "challenges",
    "challenging", "chant", "chanted", "chanting", "chants", "characterise", "characterised", "characterize",
    "characterized", "characterizes", "characterizing", "charged", "charges", "charging", "chide", "chided", "chides",
    "chiding", "cite", "cited", "cites", "citing", "claim", "claimed", "claiming", "claims", "clarified", "clarifies",
    "clarify", "clarifying", "comment", "commented", "commenting", "comments", "compare", "compared", "compares",
    "comparing", "complain", "complained", "complaining", "complains", "complaint", "complaints", "concede",
    "conceded", "concedes", "conceding", "conclude", "concluded", "concludes", "concluding", "conclusion", "condemn",
    "condemned", "condemning", "condemns", "confess", "confessed", "confesses", "confessing", "confirm", "confirmed",
    "confirming", "confirms", "congratulate", "congratulated", "congratulating", "contend", "contended", "contending",
    "contends", "contention", "convey", "conveyed", "conveying", "conveys", "convince", "convinces", "convincing",
    "counter", "countered", "countering", "counters", "credited", "crediting", "credits", "critic", "critical",
    "criticise", "criticised", "criticises", "criticising", "criticism", "criticisms", "criticize", "criticized",
    "criticizes", "criticizing", "critics", "critique", "debate", "debated", "debates", "debating", "declaration",
    "declare", "declared", "declares", "declaring", "decline", "declined", "declines", "declining", "decried",
    "decries", "decry", "decrying", "defend", "defended", "defending", "defends", "deliver", "delivered",
    "delivering", "delivers", "demand", "demanded", "demanding", "demands", "denied", "denies", "denounce",
    "denounced", "denounces", "denouncing", "deny", "denying", "depict", "depicted", "depicting", "depicts",
    "describe", "described", "describes", "describing", "description", "detailed", "detailing", "disagree",
    "disagreed", "disagrees", "disclose", "disclosed", "discloses", "disclosing", "discuss", "discussed", "discusses",
    "discussing", "discussion", "dismiss", "dismissed", "dismisses", "dismissing", "dispute", "disputed", "disputes",
    "disputing", "downplay", "downplayed", "downplaying", "downplays", "dub", "dubbed", "dubs", "echo", "echoed",
    "echoes", "echoing", "elaborate", "elaborated", "email", "emailed", "emails", "emphasise", "emphasised",
    "emphasises", "emphasising", "emphasize", "emphasized", "emphasizes", "emphasizing", "encourage", "encouraged",
    "encourages", "encouraging", "endorse", "endorsed", "endorsement", "endorsements", "endorses", "endorsing",
    "exclaim", "exclaimed", "exclaims", "explain", "explained", "explaining", "explains", "explanation", "express",
    "expressed", "expresses", "expressing", "forecast", "forecasts", "hail", "hailed", "hailing", "hails",
    "highlight", "highlighted", "highlighting", "highlights", "hint", "hinted", "hinting", "hints", "identified",
    "identifies", "identify", "identifying", "implied", "implies", "imply", "implying", "indicate", "indicated",
    "indicates", "indicating", "inform", "informed", "informing", "informs", "inquire", "inquired", "inquires",
    "insist", "insisted", "insistence", "insisting", "insists", "insult", "insulted", "insults", "interject",
    "interjected", "interview", "interviews", "issued", "issuing", "joke", "joked", "jokes", "joking", "label",
    "labeled", "labeling", "labels", "lambaste", "lambasted", "lambasting", "lament", "lamented", "lamenting",
    "laments", "lash", "lashed", "lashing", "letter", "lie", "lied", "liken", "likened", "listed", "listing", "lists",
    "maintain", "maintained", "maintaining", "maintains", "mention", "mentioned", "mentioning", "mentions", "message",
    "messages", "mock", "mocked", "mocking", "mocks", "muse", "mused", "muses", "musing", "named", "naming", "note",
    "noted", "notes", "noting", "objected", "observe", "observed", "observes", "observing", "offer", "offered",
    "offering", "offers", "opine", "opined", "opines", "ordered", "outline", "outlined", "outlines", "outlining",
    "pledge", "pledged", "pledges", "pledging", "pointed", "pointing", "points", "portray", "portrayed", "portraying",
    "portrays", "post", "posted", "posting", "posts", "praise", "praised", "praises", "praising", "predict",
    "predicted", "predicting", "prediction", "predictions", "predicts", "proclaim", "proclaimed", "proclaiming",
    "proclaims", "projected", "projecting", "promise", "promised", "promises", "promising", "pronounce", "pronounced",
    "proposal", "proposals", "propose", "proposed", "proposes", "proposing", "protest", "protested", "protesting",
    "protests", "queried", "query", "question", "questioned", "questioning", "questions", "quip", "quipped", "quips",
    "quote", "quoted", "quotes", "quoting", "rail", "railed", "rails", "raise", "raised", "raises", "raising", "rant",
    "ranted", "rants", "rebuke", "rebuked", "rebukes", "recall", "recalled", "recalling", "recalls", "recommend",
    "recommended", "recommending", "recommends", "recount", "recounted", "recounting", "recounts", "refer",
    "reference", "referenced", "references", "referencing", "referred", "referring", "refers", "refusal", "refuse",
    "refused", "refuses", "refusing", "reiterate", "reiterated", "reiterates", "reiterating", "reject", "rejected",
    "rejecting", "rejects", "remark", "remarked", "remarking", "remarks", "remind", "reminded", "reminding",
    "reminds", "repeat", "repeated", "repeating", "repeats", "replied", "replies", "reply", "replying", "report",
    "reported", "reportedly", "reporting", "reports", "request", "requested", "requesting", "requests", "respond",
    "responded", "responding", "responds", "response", "retort", "retorted", "retweeted", "reveal", "revealed",
    "revealing", "reveals", "ruled", "said", "say", "saying", "says", "scold", "scolded", "scolding", "share",
    "shared", "shares", "sharing", "shout", "shouted", "shouting", "shouts", "signal", "signaled", "signaling",
    "signals", "slam", "slammed", "slamming", "slams", "speak", "speaking", "speaks", "speculate", "speculated",
    "speculates", "speculating", "speech", "speeches", "spoke", "spoken", "stated", "statement", "statements",
    "states", "stating", "stress", "stressed", "stresses", "stressing", "suggest", "suggested", "suggesting",
    "suggestion", "suggestions", "suggests", "summarize", "summarized", "summarizes", "summarizing", "talk", "talked",
    "talking", "talks", "tease", "teased", "tell", "telling", "tells", "testified", "testifies", "testify",
    "testifying", "testimony", "thank", "thanked", "thanking", "thanks", "threaten", "threatened", "threatening",
    "threatens", "titled", "told", "tout", "touted", "touting", "touts", "tweet", "tweeted", "tweeting", "tweets",
    "urge", "urged", "urges", "urging", "utter", "uttered", "vent", "vented", "voice", "voiced", "voices", "voicing",
    "vote", "voted", "votes", "voting", "vow", "vowed", "vowing", "vows", "warn", "warned", "warning", "warns",
    "weigh", "weighed", "welcome", "welcomed", "welcomes", "welcoming", "whisper", "whispered", "write", "writes",
    "writing", "written", "wrote", "yell", "yelled", "yelling",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_apart() {
        for table in [THOUGHT, YIELDING, SPEECH] {
            assert!(table.is_sorted_by(|first, second| first < second));
            assert!(table.iter().all(|word| word.chars().all(|c| c.is_ascii_lowercase())));
        }
        assert!(PAIRS.is_sorted_by(|first, second| (first.0, first.1) < (second.0, second.1)));
        for word in THOUGHT {
            assert!(SPEECH.binary_search(word).is_err(), "{word} is in two tables");
        }
        for word in YIELDING {
            assert!(SPEECH.binary_search(word).is_err(), "{word} is in two tables");
            assert!(THOUGHT.binary_search(word).is_err(), "{word} is in two tables");
        }
    }

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
            "wondered aloud",
            "known as",
            "is best known for",
            "took aim at",
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
            "determined to",
            "is counting on",
            "am glad",
            "it's not clear",
            "for",
            "point of view",
            "sought",
            "would rather",
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
