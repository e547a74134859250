//! What the skins that read JSON share. No key of an object may come twice where its value counts: which of the two is meant
//! nobody can tell.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

/// What a JSON value is, for messages.
#[cfg(feature = "server")]
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The same of a value that has not been read.
pub(crate) fn kind_of(json: &str) -> &'static str {
    match json.bytes().next() {
        Some(b'n') => "null",
        Some(b't' | b'f') => "true or false",
        Some(b'"') => "a string",
        Some(b'[') => "an array",
        Some(b'{') => "an object",
        _ => "a number",
    }
}

/// What is wrong with a line of JSON. Which line it is, is known better outside: to serde_json each is the first.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    reason_after(0, error)
}

/// The same, where these bytes of the line came before.
fn reason_after(bytes: usize, error: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = error.to_string();
    format!("{} at column {}", message.strip_suffix(&place).unwrap_or(&message), bytes + error.column())
}

/// Whether a key looks like the name of a field; anything else may be somebody's text.
pub(crate) fn is_field_name(name: &str) -> bool {
    name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn twice<E: Error>(key: &str) -> E {
    match is_field_name(key) {
        true => E::custom(format_args!("the key {key:?} comes twice in an object")),
        false => E::custom("a key comes twice in an object"),
    }
}

/// A value of a field that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Field {
    Null,
    Text(String),
    /// Its digits as they stand: ids that differ in them stay two.
    Number(String),
    Other {
        kind: &'static str,
        /// Without white space between its parts.
        json: String,
    },
}

impl Field {
    fn read(json: &str) -> Result<Self, serde_json::Error> {
        Ok(match json.bytes().next() {
            Some(b'n') => Self::Null,
            Some(b'"') => Self::Text(serde_json::from_str(json)?),
            Some(b'-' | b'0'..=b'9') => Self::Number(json.to_owned()),
            _ => {
                serde_json::from_str::<Unambiguous>(json)?;
                Self::Other { kind: kind_of(json), json: compact(json) }
            }
        })
    }

    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Text(_) => "a string",
            Self::Number(_) => "a number",
            Self::Other { kind, .. } => kind,
        }
    }
}

/// JSON without the white space between its parts.
fn compact(json: &str) -> String {
    let (mut inside, mut escaped) = (false, false);
    let stays = |c: &char| {
        let stays = inside || !c.is_ascii_whitespace();
        match c {
            '"' if !escaped => inside = !inside,
            _ => {}
        }
        escaped = inside && *c == '\\' && !escaped;
        stays
    };
    json.chars().filter(stays).collect()
}

/// The fields of these names of an object, in the order of the names; all others are passed over. An error says what is wrong
/// with the line that the object is.
pub(crate) fn fields(line: &str, names: &[impl AsRef<str>]) -> Result<Vec<Option<Field>>, String> {
    let mut parser = serde_json::Deserializer::from_str(line);
    let values = Wanted(names).deserialize(&mut parser);
    let values = values.and_then(|values| parser.end().map(|()| values)).map_err(|error| reason(&error))?;
    let read = |value: &RawValue| {
        let before = (value.get().as_ptr() as usize).saturating_sub(line.as_ptr() as usize);
        Field::read(value.get()).map_err(|error| reason_after(before, &error))
    };
    values.into_iter().map(|value| value.map(read).transpose()).collect()
}

struct Wanted<'names, N>(&'names [N]);

impl<'de, N: AsRef<str>> DeserializeSeed<'de> for Wanted<'_, N> {
    type Value = Vec<Option<&'de RawValue>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, N: AsRef<str>> Visitor<'de> for Wanted<'_, N> {
    type Value = Vec<Option<&'de RawValue>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = vec![None; self.0.len()];
        while let Some(name) = map.next_key::<String>()? {
            // Who keeps the text or the id too wants it twice.
            let mut places = (0..values.len()).filter(|&place| self.0[place].as_ref() == name).peekable();
            match places.peek() {
                None => drop(map.next_value::<IgnoredAny>()?),
                Some(&first) if values[first].is_some() => {
                    return Err(A::Error::custom(format_args!("the key {name:?} comes twice")));
                }
                Some(_) => {
                    let value = map.next_value()?;
                    places.for_each(|place| values[place] = Some(value));
                }
            }
        }
        Ok(values)
    }
}

/// Any value, in whose objects no key comes twice.
#[derive(Debug)]
pub(crate) struct Unambiguous(pub Value);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any).map(Self)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any valid JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unambiguous(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = fields.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(twice(&key));
            }
            let Unambiguous(value) = fields.next_value()?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn number(digits: &str) -> Option<Field> {
        Some(Field::Number(digits.to_owned()))
    }

    #[test]
    fn numbers_keep_their_digits() {
        for digits in ["18446744073709551616", "18446744073709551617", "1e2", "1.50", "-0", "1E+400", "7"] {
            let line = format!(r#"{{"id" : {digits} , "more": [1], "text": "x"}}"#);
            let found = fields(&line, &["text", "id", "none", "id"]).unwrap();
            assert_eq!(found, [Some(Field::Text("x".to_owned())), number(digits), None, number(digits)], "{line}");
        }
    }

    #[test]
    fn other_values_are_told_and_kept() {
        let line = r#"{"a": null, "b": true, "c": [ "x \" y", 1e2,{ "d" :"\\" , "e": 1 } ], "\u0066": "\ud83d\ude00"}"#;
        let other = |kind, json: &str| Some(Field::Other { kind, json: json.to_owned() });
        let expected = [
            Some(Field::Null),
            other("true or false", "true"),
            other("an array", r#"["x \" y",1e2,{"d":"\\","e":1}]"#),
            Some(Field::Text("\u{1f600}".to_owned())),
        ];
        assert_eq!(fields(line, &["a", "b", "c", "f"]).unwrap(), expected);
    }

    #[test]
    fn a_key_that_comes_twice_is_told() {
        for (line, message) in [
            (r#"{"id": 1, "text": "x", "id": 1}"#, r#"the key "id" comes twice at column 27"#),
            (r#"{"id": 1, "\u0069d": 1}"#, r#"the key "id" comes twice at column 19"#),
            (r#"{"id": {"a": 1, "a": 1}}"#, r#"the key "a" comes twice in an object at column 19"#),
            (r#"{"id": [{"A man": 1, "A man": 1}]}"#, "a key comes twice in an object at column 28"),
            (r#"{"text": "\ud800"}"#, "unexpected end of hex escape at column 17"),
            (r#"{"text": "x"} {}"#, "trailing characters at column 15"),
        ] {
            assert_eq!(fields(line, &["id", "text"]).unwrap_err(), message, "{line}");
        }
        // What nobody reads cannot be misunderstood.
        assert!(fields(r#"{"more": 1, "more": {"a": 1, "a": 2}}"#, &["id"]).is_ok());
        let read = |text: &str| serde_json::from_str::<Unambiguous>(text).map(|read| read.0);
        let sound = r#"{"a": [1, -1, 1.5, null, true, "x"], "b": {"a": {"a": 18446744073709551615}}}"#;
        assert_eq!(read(sound).unwrap(), serde_json::from_str::<Value>(sound).unwrap());
        assert_eq!(read("[]").unwrap(), json!([]));
        assert!(read(r#"{"a": 1, "a": 1}"#).is_err() && read(&"[".repeat(1000)).is_err());
    }
}
