//! From the bytes of a request to texts.

use serde_json::{Map, Value};

use super::elements::decode;
use crate::json::Unambiguous;
use crate::text::DocumentError;

/// A request, ready to be answered.
#[derive(Debug, Clone, PartialEq)]
pub struct InferRequest {
    /// The caller's name for the request, to be repeated in the response.
    pub id: Option<String>,
    /// The texts, in order. One that is not UTF-8 is an error in its place and leaves the others alone; only the
    /// binary form can hold such a text.
    pub texts: Vec<Result<String, DocumentError>>,
    /// The request's parameters, without `binary_data_output`. Beside options of ours, clients may send those that the
    /// protocol's extensions define, such as `priority` and `timeout`.
    pub parameters: Map<String, Value>,
    /// Whether the results are to come as a binary tensor.
    pub binary_output: bool,
}

/// What is wrong with a request. What the caller wrote is never repeated: it can be of any length.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InferError {
    /// The JSON cannot be as long as the header says.
    #[error("Inference-Header-Content-Length is {header_length}, but the body has only {body_length} bytes")]
    HeaderLength {
        /// What the header says.
        header_length: usize,
        /// The length of the body.
        body_length: usize,
    },
    /// It is not JSON, for the reason given.
    #[error("the request is not valid JSON: {0}")]
    Json(String),
    /// A value is missing, or not what it has to be.
    #[error("{place} must be {expected}")]
    Value {
        /// Where it is, as in `inputs[0].name`.
        place: String,
        /// What it has to be.
        expected: &'static str,
    },
    /// There is no input, or more than one.
    #[error("the model has one input, \"text\", but the request gives {0}")]
    Inputs(usize),
    /// The shape is not one of a list.
    #[error("inputs[0].shape must be [n], [n, 1] or [1, n]")]
    Shape,
    /// Shape and data disagree.
    #[error("inputs[0].shape tells of {told} texts, but {given} are given")]
    Count {
        /// How many the shape tells of.
        told: u64,
        /// How many there are, as far as was counted: "3", "more".
        given: String,
    },
    /// The lists within `data` are not those that the shape tells of.
    #[error("the lists in inputs[0].data are not of the lengths that inputs[0].shape tells of")]
    Nesting,
    /// The texts are given twice, or not at all.
    #[error("inputs[0] must have either data or parameters.binary_data_size, and not both")]
    Data,
    /// Binary data are announced, but nothing says where they begin.
    #[error("inputs[0].parameters.binary_data_size needs the HTTP header Inference-Header-Content-Length")]
    NoHeaderLength,
    /// The body ends too early.
    #[error("inputs[0].parameters.binary_data_size is {size}, but only {available} bytes follow the JSON")]
    BinarySize {
        /// What the request says.
        size: u64,
        /// What there is.
        available: usize,
    },
    /// There is more than the tensors.
    #[error("{0} bytes follow the last tensor")]
    Trailing(usize),
    /// An element's length runs past the end of the tensor.
    #[error("text {0} runs past the end of the binary data of inputs[0]")]
    Element(usize),
    /// An output is asked for twice.
    #[error("the model has one output, \"result\", but the request asks for {0}")]
    Outputs(usize),
    /// A parameter asks for something that this server does not do.
    #[error("{0} is not supported")]
    Unsupported(String),
}

/// Reads a request. `header_length` is the value of the HTTP header [`super::HEADER_LENGTH`], if there is one; the
/// content type does not matter, and `tritonclient` sends none.
///
/// # Errors
/// An [`InferError`] that says what is wrong; the protocol's status for it is 400.
pub fn parse_infer(body: &[u8], header_length: Option<usize>) -> Result<InferRequest, InferError> {
    let (json, binary) = match header_length {
        None => (body, None),
        Some(length) => {
            let (json, tensors) = body
                .split_at_checked(length)
                .ok_or(InferError::HeaderLength { header_length: length, body_length: body.len() })?;
            (json, Some(tensors))
        }
    };
    let Unambiguous(request) = serde_json::from_slice(json).map_err(|error| InferError::Json(error.to_string()))?;
    let mut request = object(request, "the request")?;
    let id = match present(&mut request, "id") {
        None => None,
        Some(Value::String(id)) => Some(id),
        Some(_) => return Err(must("id", "a string")),
    };
    let mut parameters = parameters(&mut request, "parameters")?;
    let all_binary = boolean(&mut parameters, "binary_data_output", "parameters.binary_data_output")?;
    let output_binary = requested_output(&mut request)?;
    let texts = texts(&mut request, binary)?;
    Ok(InferRequest { id, texts, parameters, binary_output: output_binary.or(all_binary).unwrap_or(false) })
}

/// What the list of requested outputs says of the form of the one there is. A list without anything in it is the same
/// as none: the protocol gives all outputs then.
fn requested_output(request: &mut Map<String, Value>) -> Result<Option<bool>, InferError> {
    let mut outputs = match present(request, "outputs") {
        None => return Ok(None),
        Some(outputs) => list(outputs, "outputs")?,
    };
    let Some(output) = outputs.pop() else { return Ok(None) };
    if !outputs.is_empty() {
        return Err(InferError::Outputs(outputs.len() + 1));
    }
    let mut output = object(output, "outputs[0]")?;
    constant(&mut output, "name", "outputs[0].name", "result", "\"result\", the model's only output")?;
    let mut parameters = parameters(&mut output, "outputs[0].parameters")?;
    supported(&parameters, "outputs[0].parameters")?;
    boolean(&mut parameters, "binary_data", "outputs[0].parameters.binary_data")
}

/// The texts, from `data` or from the bytes that follow the JSON.
fn texts(
    request: &mut Map<String, Value>,
    binary: Option<&[u8]>,
) -> Result<Vec<Result<String, DocumentError>>, InferError> {
    let mut inputs = list(request.remove("inputs").unwrap_or_default(), "inputs")?;
    let number = inputs.len();
    let (Some(input), true) = (inputs.pop(), number == 1) else { return Err(InferError::Inputs(number)) };
    let mut input = object(input, "inputs[0]")?;
    constant(&mut input, "name", "inputs[0].name", "text", "\"text\", the model's only input")?;
    constant(&mut input, "datatype", "inputs[0].datatype", "BYTES", "\"BYTES\", the protocol's type for strings")?;
    let shape = Shape::new(input.remove("shape").unwrap_or_default())?;
    let mut parameters = parameters(&mut input, "inputs[0].parameters")?;
    supported(&parameters, "inputs[0].parameters")?;
    match (present(&mut input, "data"), present(&mut parameters, "binary_data_size")) {
        (Some(data), None) => match binary {
            Some(rest) if !rest.is_empty() => Err(InferError::Trailing(rest.len())),
            _ => texts_of_json(list(data, "inputs[0].data")?, &shape),
        },
        (None, Some(size)) => {
            let place = "inputs[0].parameters.binary_data_size";
            let size = size.as_u64().ok_or_else(|| must(place, "a whole number, not negative"))?;
            let binary = binary.ok_or(InferError::NoHeaderLength)?;
            let available = binary.len();
            let (tensor, rest) = usize::try_from(size)
                .ok()
                .and_then(|size| binary.split_at_checked(size))
                .ok_or(InferError::BinarySize { size, available })?;
            if !rest.is_empty() {
                return Err(InferError::Trailing(rest.len()));
            }
            texts_of_tensor(tensor, &shape)
        }
        _ => Err(InferError::Data),
    }
}

/// The shape of the texts: one dimension, or two of which one is 1.
struct Shape {
    rows: u64,
    columns: Option<u64>,
}

impl Shape {
    fn new(shape: Value) -> Result<Self, InferError> {
        let dimensions = list(shape, "inputs[0].shape")?;
        let dimension = |index: usize| {
            let place = || format!("inputs[0].shape[{index}]");
            dimensions[index].as_u64().ok_or_else(|| must(place(), "a whole number, not negative"))
        };
        match dimensions.len() {
            1 => Ok(Self { rows: dimension(0)?, columns: None }),
            2 => match (dimension(0)?, dimension(1)?) {
                (rows, columns) if rows == 1 || columns == 1 => Ok(Self { rows, columns: Some(columns) }),
                _ => Err(InferError::Shape),
            },
            _ => Err(InferError::Shape),
        }
    }

    /// How many texts it tells of. There is nothing to overflow: one of two factors is 1.
    fn count(&self) -> u64 {
        self.rows * self.columns.unwrap_or(1)
    }
}

/// Texts in JSON: one list, or, where the shape has two dimensions, lists within a list.
fn texts_of_json(data: Vec<Value>, shape: &Shape) -> Result<Vec<Result<String, DocumentError>>, InferError> {
    let data = match shape.columns {
        Some(columns) if matches!(data.first(), Some(Value::Array(_))) => flatten(data, shape.rows, columns)?,
        _ => data,
    };
    if data.len() as u64 != shape.count() {
        return Err(InferError::Count { told: shape.count(), given: data.len().to_string() });
    }
    let text = |(number, value)| match value {
        Value::String(text) => Ok(Ok(text)),
        _ => Err(must(format!("inputs[0].data[{number}]"), "a string")),
    };
    data.into_iter().enumerate().map(text).collect()
}

/// One list of the lists within `data`, which have to be as many and as long as told.
fn flatten(data: Vec<Value>, rows: u64, columns: u64) -> Result<Vec<Value>, InferError> {
    if data.len() as u64 != rows {
        return Err(InferError::Nesting);
    }
    let mut flat = Vec::new();
    for row in data {
        match row {
            Value::Array(row) if row.len() as u64 == columns => flat.extend(row),
            _ => return Err(InferError::Nesting),
        }
    }
    Ok(flat)
}

/// Texts in binary. No more are read than the shape tells of, and nothing is reserved on its word.
fn texts_of_tensor(tensor: &[u8], shape: &Shape) -> Result<Vec<Result<String, DocumentError>>, InferError> {
    let told = shape.count();
    let mut texts = Vec::new();
    for element in decode(tensor) {
        let element = element.map_err(InferError::Element)?;
        if texts.len() as u64 == told {
            return Err(InferError::Count { told, given: "more".to_owned() });
        }
        let text = str::from_utf8(element).map(str::to_owned);
        texts.push(text.map_err(|error| DocumentError::InvalidUtf8 { at: error.valid_up_to() }));
    }
    if (texts.len() as u64) < told {
        return Err(InferError::Count { told, given: texts.len().to_string() });
    }
    Ok(texts)
}

/// Refuses what other extensions of the protocol would do, and what must not be passed over: the caller would wait
/// for results in the wrong place, or get others than those asked for.
fn supported(parameters: &Map<String, Value>, place: &str) -> Result<(), InferError> {
    let unsupported = |name: &&String| name.starts_with("shared_memory_") || name.as_str() == "classification";
    match parameters.keys().find(unsupported) {
        Some(name) if name == "classification" => Err(InferError::Unsupported(format!("{place}.classification"))),
        Some(_) => Err(InferError::Unsupported(format!("{place}: shared memory"))),
        None => Ok(()),
    }
}

fn must(place: impl Into<String>, expected: &'static str) -> InferError {
    InferError::Value { place: place.into(), expected }
}

/// Takes a value that may be missing; null is the same as missing.
fn present(map: &mut Map<String, Value>, name: &str) -> Option<Value> {
    map.remove(name).filter(|value| !value.is_null())
}

fn object(value: Value, place: &str) -> Result<Map<String, Value>, InferError> {
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(must(place, "an object")),
    }
}

fn list(value: Value, place: &str) -> Result<Vec<Value>, InferError> {
    match value {
        Value::Array(list) => Ok(list),
        _ => Err(must(place, "a list")),
    }
}

/// Takes the parameters of a request, an input or an output.
fn parameters(map: &mut Map<String, Value>, place: &str) -> Result<Map<String, Value>, InferError> {
    present(map, "parameters").map_or_else(|| Ok(Map::new()), |parameters| object(parameters, place))
}

fn boolean(map: &mut Map<String, Value>, name: &str, place: &str) -> Result<Option<bool>, InferError> {
    match present(map, name) {
        None => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(value)),
        Some(_) => Err(must(place, "true or false")),
    }
}

/// Takes a string of which there is one possible value.
fn constant(
    map: &mut Map<String, Value>,
    name: &str,
    place: &str,
    value: &str,
    expected: &'static str,
) -> Result<(), InferError> {
    match map.remove(name) {
        Some(Value::String(given)) if given == value => Ok(()),
        _ => Err(must(place, expected)),
    }
}
