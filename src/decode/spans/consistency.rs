//! One name, one kind: within a document a name nearly always means the same, so where it was labelled in two ways, the
//! mentions that the model is less sure of follow the others.
//!
//! The older idea, of penalties inside the model's search, is Finkel, Grenager and Manning's (ACL 2005); here every mention
//! votes, once, with its probability. What it gains is in docs/accuracy.md.

use std::collections::HashMap;

use super::span::Entity;

/// From this probability on, a label stays, whatever the other mentions say: Washington may be a city here and a government
/// there. Anything from 0.7 to 0.99 gains about the same (docs/accuracy.md).
const SURE: f32 = 0.95;

/// True of an entity whose label may yet be settled otherwise.
pub(in crate::decode) fn is_open(entity: &Entity) -> bool {
    entity.score < SURE
}

/// What the mentions of a name were labelled.
#[derive(Default)]
struct Votes<'labels> {
    /// Labels in the order in which they came, each with the sum of its mentions' probabilities.
    sums: Vec<(&'labels str, f32)>,
    mentions: f32,
}

impl<'labels> Votes<'labels> {
    fn add(&mut self, label: &'labels str, score: f32) {
        self.mentions += 1.0;
        match self.sums.iter_mut().find(|(other, _)| *other == label) {
            Some((_, sum)) => *sum += score,
            None => self.sums.push((label, score)),
        }
    }

    fn of(&self, label: &str) -> f32 {
        self.sums.iter().find(|(other, _)| *other == label).map_or(0.0, |(_, sum)| *sum)
    }

    /// The label that has more votes than this one, if there is any, with its share of all.
    fn better_than(&self, label: &str) -> Option<(&'labels str, f32)> {
        let (best, sum) = self.sums.iter().copied().reduce(|best, next| if next.1 > best.1 { next } else { best })?;
        (sum > self.of(label)).then_some((best, sum / self.mentions))
    }
}

/// Gives mentions of a name the label that most mentions of it have. A person's full name counts for the surname, too. The
/// score of what is changed is the share of votes for its new label.
pub(in crate::decode) fn settle_labels(text: &str, entities: &mut [Entity]) {
    let names: Vec<String> = entities.iter().map(|entity| key(&text[entity.bytes.clone()])).collect();
    let mut votes: HashMap<&str, Votes<'_>> = HashMap::new();
    for (name, entity) in names.iter().zip(&*entities) {
        votes.entry(name).or_default().add(&entity.label, entity.score);
    }
    for (name, entity) in names.iter().zip(&*entities).filter(|(_, entity)| entity.label == "PER") {
        if let Some((_, surname)) = name.rsplit_once(' ')
            && let Some(votes) = votes.get_mut(surname)
        {
            votes.add(&entity.label, entity.score);
        }
    }
    let settled = |(name, entity): (&String, &Entity)| {
        let (label, share) = is_open(entity).then(|| votes[name.as_str()].better_than(&entity.label)).flatten()?;
        Some((label.to_owned(), share))
    };
    let settled: Vec<_> = names.iter().zip(&*entities).map(settled).collect();
    for (entity, settled) in entities.iter_mut().zip(settled) {
        if let Some((label, share)) = settled {
            (entity.label, entity.score) = (label, share);
        }
    }
}

/// What two mentions of the same name have in common: words, whatever their case and the space between them.
fn key(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The labels and scores that names come out with.
    fn settled(names: &[(&str, &str, f32)]) -> Vec<(String, f32)> {
        let (mut text, mut entities) = (String::new(), Vec::new());
        for &(name, label, score) in names {
            let start = text.len();
            text.push_str(name);
            entities.push(Entity { label: label.to_owned(), bytes: start..text.len(), score });
            text.push_str(". ");
        }
        settle_labels(&text, &mut entities);
        entities.into_iter().map(|entity| (entity.label, entity.score)).collect()
    }

    fn labels(names: &[(&str, &str, f32)]) -> Vec<String> {
        settled(names).into_iter().map(|(label, _)| label).collect()
    }

    #[test]
    fn the_less_sure_follow_the_others() {
        let found = settled(&[("Velmouth", "LOC", 0.9), ("VELMOUTH", "ORG", 0.6), ("Velmouth", "LOC", 0.9)]);
        assert_eq!(found[1].0, "LOC");
        assert!((found[1].1 - 0.6).abs() < 1e-6, "1.8 of three votes: {found:?}");
        assert_eq!(found[0], ("LOC".to_owned(), 0.9), "what stays keeps its score");
        assert_eq!(labels(&[("Velmouth", "LOC", 0.9), ("Velmouth", "ORG", 0.97), ("Velmouth", "LOC", 0.9)])[1], "ORG");
    }

    #[test]
    fn equal_votes_change_nothing() {
        assert_eq!(labels(&[("Ardal", "LOC", 0.8), ("Ardal", "PER", 0.8)]), ["LOC", "PER"]);
        assert_eq!(labels(&[("Ardal", "LOC", 0.8), ("Ardal Town", "ORG", 0.8)]), ["LOC", "ORG"]);
        assert!(labels(&[]).is_empty());
    }

    #[test]
    fn a_full_name_votes_for_the_surname() {
        assert_eq!(labels(&[("Ada  Holt", "PER", 0.99), ("Holt", "LOC", 0.7)]), ["PER", "PER"]);
        // Not for what it is not the last word of, and only persons have surnames.
        assert_eq!(labels(&[("Holt Ada", "PER", 0.99), ("Holt", "LOC", 0.7)])[1], "LOC");
        assert_eq!(labels(&[("Bank of Velmouth", "ORG", 0.99), ("Velmouth", "LOC", 0.7)])[1], "LOC");
    }
}
