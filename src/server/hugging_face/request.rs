//! What a caller sends.
//!
//! It is read by hand from any JSON value, because a derived reader would say "data did not match any variant" where
//! a caller needs to know which field is wrong and what it may hold.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::json::kind;

/// The body of a request. Fields that are not named here (`options`, say) are passed over, as the Inference API does.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(try_from = "Value")]
#[schema(as = TokenClassificationInput)]
pub struct Request {
    /// The text, or several.
    pub inputs: Inputs,
    /// How to answer.
    #[serde(default)]
    #[schema(nullable)]
    pub parameters: Parameters,
}

/// One text or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = TokenClassificationTexts)]
pub enum Inputs {
    /// Answered by one list.
    One(String),
    /// Answered by a list of lists.
    Many(Vec<String>),
}

/// How to answer. Each may be left out or null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = TokenClassificationParameters)]
pub struct Parameters {
    /// How tokens become entities.
    #[schema(nullable)]
    pub aggregation_strategy: AggregationStrategy,
    /// What to leave out: tags (`B-PER`) with the strategy `none`, labels (`PER`) with the others.
    #[schema(nullable, default = json!(["O"]))]
    pub ignore_labels: Vec<String>,
    /// Tokens that two windows of a long text share. It is checked and has no effect: a text of any length is read
    /// whole, in windows of the service's own choice.
    pub stride: Option<usize>,
}

/// How tokens become entities.
///
/// The default is `simple`, as on the Inference API and in the examples of its client, although the pipeline of
/// `transformers` by itself does `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = TokenClassificationAggregationStrategy)]
pub enum AggregationStrategy {
    /// No entities, but every token with its tag.
    None,
    /// Neighbouring tokens of one label make an entity; a B tag begins a new one.
    #[default]
    Simple,
    /// As `simple`, over whole words: a word has the tag of its first token.
    First,
    /// As `first`, with the tag that is most probable on average over the word's tokens.
    Average,
    /// As `first`, with the tag of the token that is surest of its own.
    Max,
}

impl AggregationStrategy {
    const ALL: [Self; 5] = [Self::None, Self::Simple, Self::First, Self::Average, Self::Max];

    /// The name that callers use.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Simple => "simple",
            Self::First => "first",
            Self::Average => "average",
            Self::Max => "max",
        }
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Self { aggregation_strategy: AggregationStrategy::default(), ignore_labels: vec!["O".to_owned()], stride: None }
    }
}

impl Parameters {
    /// Checks what the form alone does not tell; `window` is the model's window in tokens, special tokens included.
    ///
    /// # Errors
    /// A message for the caller that names the field and what it may hold.
    pub fn check(&self, window: usize) -> Result<(), String> {
        match self.stride {
            Some(_) if self.aggregation_strategy == AggregationStrategy::None => {
                Err("parameters.stride: needs an aggregation_strategy other than none".to_owned())
            }
            Some(stride) if stride >= window => {
                Err(format!("parameters.stride: must be less than the model's window of {window} tokens, not {stride}"))
            }
            _ => Ok(()),
        }
    }
}

impl TryFrom<Value> for Request {
    /// A message for the caller that names the field and what it may hold.
    type Error = String;

    fn try_from(body: Value) -> Result<Self, String> {
        let mut fields = match body {
            Value::Object(fields) => fields,
            other => return Err(format!("the body must be an object with the field inputs, not {}", kind(&other))),
        };
        let inputs = fields.remove("inputs").ok_or("inputs: missing; it must be a string or a list of strings")?;
        let parameters = match fields.remove("parameters") {
            None | Some(Value::Null) => Parameters::default(),
            Some(value) => read_parameters(value)?,
        };
        Ok(Self { inputs: read_inputs(inputs)?, parameters })
    }
}

fn read_inputs(value: Value) -> Result<Inputs, String> {
    match value {
        Value::String(text) => Ok(Inputs::One(text)),
        Value::Array(values) => Ok(Inputs::Many(strings("inputs", values)?)),
        other => Err(format!("inputs: must be a string or a list of strings, not {}", kind(&other))),
    }
}

/// A name that is not known is refused, since whoever sends one asks for something that would not be done.
fn read_parameters(value: Value) -> Result<Parameters, String> {
    let fields = match value {
        Value::Object(fields) => fields,
        other => return Err(format!("parameters: must be an object, not {}", kind(&other))),
    };
    let mut parameters = Parameters::default();
    for (name, value) in fields {
        match name.as_str() {
            "aggregation_strategy" | "ignore_labels" | "stride" if value.is_null() => {}
            "aggregation_strategy" => parameters.aggregation_strategy = read_strategy(&value)?,
            "ignore_labels" => parameters.ignore_labels = read_labels(value)?,
            "stride" => parameters.stride = Some(read_stride(&value)?),
            _ => {
                // What is no name may be somebody's text.
                let is_name = name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
                let name = if is_name { format!("parameters.{name}") } else { "parameters: a name".to_owned() };
                return Err(format!("{name}: not known; there are aggregation_strategy, ignore_labels and stride"));
            }
        }
    }
    Ok(parameters)
}

/// In capitals or not, as the pipeline takes it.
fn read_strategy(value: &Value) -> Result<AggregationStrategy, String> {
    let named = |name: &str| AggregationStrategy::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(name));
    value.as_str().and_then(named).ok_or_else(|| {
        let found = value.as_str().map_or(kind(value), |_| "another string");
        format!("parameters.aggregation_strategy: must be none, simple, first, average or max, not {found}")
    })
}

fn read_labels(value: Value) -> Result<Vec<String>, String> {
    match value {
        Value::Array(values) => strings("parameters.ignore_labels", values),
        other => Err(format!("parameters.ignore_labels: must be a list of strings, not {}", kind(&other))),
    }
}

fn read_stride(value: &Value) -> Result<usize, String> {
    let stride = value.as_u64().ok_or_else(|| {
        let found = if value.is_number() { value.to_string() } else { kind(value).to_owned() };
        format!("parameters.stride: must be a whole number from 0 on, not {found}")
    })?;
    Ok(usize::try_from(stride).unwrap_or(usize::MAX))
}

fn strings(field: &str, values: Vec<Value>) -> Result<Vec<String>, String> {
    let string = |(at, value)| match value {
        Value::String(string) => Ok(string),
        other => Err(format!("{field}[{at}]: must be a string, not {}", kind(&other))),
    };
    values.into_iter().enumerate().map(string).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: Value) -> Result<Request, String> {
        serde_json::from_value(body).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_left_out_or_null_has_its_default() {
        let empty = json!({"aggregation_strategy": null, "ignore_labels": null, "stride": null});
        for parameters in [json!(null), json!({}), empty] {
            let request = read(json!({"inputs": "Oslo", "parameters": parameters, "options": {"use_cache": false}}));
            let expected = Request { inputs: Inputs::One("Oslo".to_owned()), parameters: Parameters::default() };
            assert_eq!(request, Ok(expected));
        }
        let request = read(json!({"inputs": ["Oslo", ""]})).unwrap();
        assert_eq!(request.inputs, Inputs::Many(vec!["Oslo".to_owned(), String::new()]));
        assert_eq!(request.parameters.aggregation_strategy, AggregationStrategy::Simple);
        assert_eq!(request.parameters.ignore_labels, ["O"]);
    }

    #[test]
    fn what_is_given_counts() {
        let parameters = json!({"aggregation_strategy": "MAX", "ignore_labels": [], "stride": 255});
        let parameters = read(json!({"inputs": "Oslo", "parameters": parameters})).unwrap().parameters;
        assert_eq!(parameters.aggregation_strategy, AggregationStrategy::Max);
        assert!(parameters.ignore_labels.is_empty());
        assert_eq!(parameters.stride, Some(255));
        assert_eq!(parameters.check(256), Ok(()));
        let message = parameters.check(255).unwrap_err();
        assert!(message.contains("parameters.stride") && message.contains("window of 255"), "{message}");
        let single = Parameters { aggregation_strategy: AggregationStrategy::None, ..parameters };
        assert!(single.check(256).unwrap_err().contains("parameters.stride"));
    }

    #[test]
    fn mistakes_are_named() {
        let with = |parameters: Value| json!({"inputs": "Oslo", "parameters": parameters});
        for (body, expected) in [
            (json!([]), "the body must be an object with the field inputs, not an array"),
            (json!({}), "inputs: missing; it must be a string or a list of strings"),
            (json!({"inputs": null}), "inputs: must be a string or a list of strings, not null"),
            (json!({"inputs": ["a", 1]}), "inputs[1]: must be a string, not a number"),
            (with(json!("none")), "parameters: must be an object, not a string"),
            (
                with(json!({"aggregation_strategy": "last"})),
                "parameters.aggregation_strategy: must be none, simple, first, average or max, not another string",
            ),
            (
                with(json!({"aggregation_strategy": true})),
                "parameters.aggregation_strategy: must be none, simple, first, average or max, not true or false",
            ),
            (with(json!({"ignore_labels": "O"})), "parameters.ignore_labels: must be a list of strings, not a string"),
            (with(json!({"ignore_labels": [null]})), "parameters.ignore_labels[0]: must be a string, not null"),
            (with(json!({"stride": -1})), "parameters.stride: must be a whole number from 0 on, not -1"),
            (with(json!({"stride": 1.5})), "parameters.stride: must be a whole number from 0 on, not 1.5"),
            (with(json!({"stride": "8"})), "parameters.stride: must be a whole number from 0 on, not a string"),
            (
                with(json!({"agregation_strategy": "max"})),
                "parameters.agregation_strategy: not known; there are aggregation_strategy, ignore_labels and stride",
            ),
            (
                with(json!({"other": null})),
                "parameters.other: not known; there are aggregation_strategy, ignore_labels and stride",
            ),
        ] {
            assert_eq!(read(body).unwrap_err(), expected);
        }
    }
}
