//! What one document says.

use super::reading::Reading;
use super::spans::Entity;
use super::speakers::{Attribution, Mention, Speaker, resolve_speakers};
use super::statements::Statement;

/// What one document says: entities, statements and mentions, each in text order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Annotations {
    /// Named entities.
    pub entities: Vec<Entity>,
    /// Statements.
    pub statements: Vec<Statement>,
    /// Where the document speaks of somebody.
    pub mentions: Vec<Mention>,
}

impl Annotations {
    /// Leaves out entities and statements that score below a limit, and mentions that rest on them.
    pub fn keep(&mut self, min_score: f32) {
        let mut kept = 0;
        let places: Vec<Option<usize>> = (self.entities.iter())
            .map(|entity| {
                let place = (entity.score >= min_score).then_some(kept);
                kept += usize::from(place.is_some());
                place
            })
            .collect();
        self.entities.retain(|entity| entity.score >= min_score);
        self.statements.retain(|statement| statement.score >= min_score);
        self.mentions.retain_mut(|mention| {
            let Some(entity) = mention.entity else { return true };
            mention.entity = places[entity];
            mention.entity.is_some()
        });
    }

    /// Who speaks: everybody in the order in which they first do, and for each statement whom it is attributed to.
    pub async fn speakers(&self, reading: Reading<'_>) -> (Vec<Speaker>, Vec<Vec<Attribution>>) {
        resolve_speakers(reading, &self.entities, &self.statements, &self.mentions).await
    }
}
