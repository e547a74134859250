//! What kind of mention a mention is, as the coreference head's tables know it.

/// The class of a mention. Its place in [`MentionClass::ALL`] is its row in the head's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "their names say it")]
pub enum MentionClass {
    /// A person's name that tells no gender.
    Person,
    Man,
    Woman,
    Organisation,
    Group,
    Place,
    Building,
    He,
    She,
    They,
    It,
    Who,
    /// I
    FirstPerson,
    /// we
    FirstPersons,
    /// A description that brings somebody new: "a friend".
    Nominal,
    /// A description of somebody who is known by then: "the mayor".
    Definite,
}

impl MentionClass {
    /// Number of classes.
    pub const COUNT: usize = Self::ALL.len();

    /// All of them, in the order of the head's tables.
    pub const ALL: [Self; 16] = [
        Self::Person,
        Self::Man,
        Self::Woman,
        Self::Organisation,
        Self::Group,
        Self::Place,
        Self::Building,
        Self::He,
        Self::She,
        Self::They,
        Self::It,
        Self::Who,
        Self::FirstPerson,
        Self::FirstPersons,
        Self::Nominal,
        Self::Definite,
    ];

    /// Its row in the head's tables.
    pub fn row(self) -> usize {
        self as usize
    }

    /// The name by which configurations and training know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Man => "man",
            Self::Woman => "woman",
            Self::Organisation => "organisation",
            Self::Group => "group",
            Self::Place => "place",
            Self::Building => "building",
            Self::He => "he",
            Self::She => "she",
            Self::They => "they",
            Self::It => "it",
            Self::Who => "who",
            Self::FirstPerson => "I",
            Self::FirstPersons => "we",
            Self::Nominal => "nominal",
            Self::Definite => "definite",
        }
    }
}

/// Written as its row, which is how training reads it.
impl serde::Serialize for MentionClass {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.row() as u64)
    }
}

/// The gender of a person, as a given name or a title tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Gender {
    Man,
    Woman,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_place_among_all() {
        for (row, class) in MentionClass::ALL.into_iter().enumerate() {
            assert_eq!(class.row(), row, "{class:?}");
        }
    }
}
