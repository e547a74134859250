//! Speakers: whom pronouns, descriptions and floating quotations are given to, and texts that make it hard.

use onrecord::engine::{ExtractedStatement, Extraction};
use onrecord::text::Document;

use crate::support::engine;

fn extract(text: &str) -> Extraction {
    let document = Document::new("d", text).expect("there is text");
    engine().extract(&[document]).remove(0).expect("the text is processed")
}

/// Whom the statement is attributed to whose source, or failing that content, holds these words.
fn speaker<'a>(extraction: &'a Extraction, words: &str) -> (&'a ExtractedStatement, Option<(&'a str, &'a str)>) {
    let holds = |statement: &&ExtractedStatement| statement.content.iter().any(|segment| segment.text.contains(words));
    let statement = extraction.statements.iter().find(holds);
    let statement = statement.unwrap_or_else(|| panic!("no statement says {words:?}: {extraction:?}"));
    (statement, statement.speaker.as_ref().map(|speaker| (speaker.name.as_str(), speaker.via.as_str())))
}

#[test]
fn pronouns_are_whom_they_mean() {
    let found = extract(
        "Claire Moreau, the harbour master of Lysmouth, closed the port on Monday. She said the channel was silting up \
         faster than expected.\n\nTomas Bekker, who owns two ferries, disagreed. “My ships can enter at high water,” he \
         said. Moreau rejected the idea. “A ship that touches the bottom is lost,” she said.",
    );
    assert_eq!(speaker(&found, "silting").1, Some(("Claire Moreau", "pronoun")));
    assert_eq!(speaker(&found, "high water").1, Some(("Tomas Bekker", "pronoun")));
    assert_eq!(speaker(&found, "touches the bottom").1, Some(("Claire Moreau", "pronoun")));
    let moreau = found.speakers.iter().find(|speaker| speaker.name == "Claire Moreau").expect("she speaks");
    assert!(moreau.mentions.iter().any(|mention| mention.text == "She"), "{moreau:?}");
    assert!(moreau.mentions.windows(2).all(|pair| pair[0].start <= pair[1].start));
}

#[test]
fn nobody_is_made_up() {
    let found =
        extract("He said the pier would stay shut. “We have waited long enough,” she added. Experts said so too.");
    assert!(!found.statements.is_empty());
    assert!(found.statements.iter().all(|statement| statement.speaker.is_none()), "{found:?}");
    assert!(found.speakers.is_empty());
}

#[test]
fn a_quotation_that_floats_has_the_speaker_before_it() {
    let text = "“We waited for a whole week,” Claire Moreau said.\n\n“Nobody ever called us back about the pier.”\n\nRain fell.";
    let found = extract(text);
    let (statement, who) = speaker(&found, "Nobody ever");
    assert!(statement.floating && statement.source.is_empty() && statement.cue.is_empty(), "{statement:?}");
    assert_eq!(who, Some(("Claire Moreau", "running")));
    let (before, _) = speaker(&found, "whole week");
    assert!(!before.floating && before.score > statement.score);
}

#[test]
fn what_was_not_said_is_marked() {
    let found = extract("Claire Moreau did not say that the pier was safe. Tomas Bekker denied that he owned it.");
    assert_eq!(speaker(&found, "the pier was safe").0.polarity, "negative");
    assert_eq!(speaker(&found, "owned").0.polarity, "positive");
}

#[test]
fn a_surname_that_two_bear_goes_to_whom_the_text_is_about() {
    let text = "Ada Holt won the vote for mayor of Lysmouth on Monday. Her brother Ben Holt watched from the gallery.\n\n\
                Ada Holt thanked the voters, and Ada Holt embraced the old mayor. “This town is ready,” Holt said.\n\nMr. \
                Holt said he was tired.";
    let found = extract(text);
    assert_eq!(speaker(&found, "This town is ready").1, Some(("Ada Holt", "alias")));
    assert_eq!(speaker(&found, "was tired").1, Some(("Ben Holt", "alias")));
}

#[test]
fn acronyms_stand_for_their_names() {
    let text = "The Coastal Safety Commission closed the pier on Friday.\n\nThe C.S.C. said the planks were rotten. “We had \
                no choice,” the CSC said in a letter.";
    let found = extract(text);
    assert_eq!(speaker(&found, "planks were rotten").1, Some(("Coastal Safety Commission", "alias")));
    assert_eq!(speaker(&found, "no choice").1, Some(("Coastal Safety Commission", "alias")));
}

#[test]
fn a_campaign_is_not_its_candidate() {
    let text = "Ada Holt spoke in Lysmouth on Monday. The Holt campaign said that she would return in May.";
    let found = extract(text);
    let (_, who) = speaker(&found, "she would return");
    assert_eq!(who, Some(("Holt campaign", "name")));
}

#[test]
fn who_and_which_follow_their_name() {
    let text = "The decision surprised Tomas Bekker, who said that his ferries would lie idle.";
    assert_eq!(speaker(&extract(text), "lie idle").1, Some(("Tomas Bekker", "pronoun")));
}

#[test]
fn what_is_quoted_in_the_first_person_is_the_speakers() {
    let text = "“I think the pier is lost,” Claire Moreau said on Friday. “I believe we must build a new one.”";
    let found = extract(text);
    let somebody = found.statements.iter().filter_map(|statement| statement.speaker.as_ref());
    assert!(
        somebody.clone().count() > 0 && somebody.clone().all(|speaker| speaker.name == "Claire Moreau"),
        "{found:?}"
    );
}

/// Texts that have too much or too little of something: each is processed, and every id that is named exists.
#[test]
fn hard_texts_are_processed() {
    let many: String = (0..500)
        .map(|number| {
            let name = |seed: usize| ["Ada", "Ben", "Cem", "Dina", "Egon", "Fay"][seed % 6];
            let family: String =
                (0..3).map(|place| (b'a' + (number / 26usize.pow(place) % 26) as u8) as char).collect();
            format!("{} V{family}son said the road was closed. ", name(number))
        })
        .collect();
    let shared: String = (0..40).map(|number| format!("Ada Holt{} met Ben Holt. Holt said no. ", number % 3)).collect();
    let quotations = "“We have waited a long time for this.”\n".repeat(50);
    let headline = "MOREAU SAYS PIER IS SAFE, BEKKER DOUBTS IT\nSHE TOLD THE BOARD SO ON FRIDAY, HE SAID.";
    let pronouns = "He told her that they said it was him who had told them. ".repeat(100);
    for text in [&many, &shared, &quotations, headline, &pronouns] {
        let found = extract(text);
        for statement in &found.statements {
            let ids = statement.speaker.iter().map(|speaker| &speaker.id).chain(&statement.co_speakers);
            for id in ids {
                let speaker = found.speakers.iter().find(|speaker| &speaker.id == id).expect("the speaker exists");
                assert!(speaker.statements.contains(&statement.id));
            }
            let entity = statement.speaker.as_ref().and_then(|speaker| speaker.entity.as_ref());
            assert!(entity.is_none_or(|id| found.entities.iter().any(|entity| &entity.id == id)));
        }
    }
}
