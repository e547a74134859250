//! The JSON objects of the protocol, for serde and for the OpenAPI document.
//!
//! Those of a request are for the document, and for whoever writes requests: [`super::parse_infer`] reads a request
//! value by value instead, because that can name the place of a fault.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, Object, Schema, Type};

/// Who answers, and what it can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ServerMetadata {
    /// `onrecord`.
    pub name: String,
    /// The version of the program.
    pub version: String,
    /// The extensions of the protocol that the server speaks: `binary_tensor_data`.
    pub extensions: Vec<String>,
}

/// Whether the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ServerLive {
    /// `true`: a server that does not run cannot answer.
    pub live: bool,
}

/// Whether the server can take requests.
///
/// The text of the protocol calls the field `live` here too, and KServe's own server calls it `ready`: both are given,
/// and say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ServerReady {
    /// The same as `ready`.
    pub live: bool,
    /// Whether requests would be answered.
    pub ready: bool,
}

impl ServerReady {
    /// The answer for a server that is ready, or is not.
    pub fn new(ready: bool) -> Self {
        Self { live: ready, ready }
    }
}

/// Whether a model can take requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ModelReady {
    /// The model's name.
    pub name: String,
    /// Whether requests would be answered.
    pub ready: bool,
}

/// The type of a tensor's elements. There is one: a string of bytes, which has to be UTF-8 here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Datatype {
    /// Bytes of any number.
    Bytes,
}

/// The inputs that the model has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum InputName {
    /// The texts to read.
    Text,
}

/// The outputs that the model has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OutputName {
    /// What was found in each text.
    Result,
}

/// What a model takes or gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TensorMetadata {
    /// Its name in requests and responses.
    pub name: String,
    /// The type of its elements.
    pub datatype: Datatype,
    /// Its dimensions; -1 is any number.
    pub shape: Vec<i64>,
}

/// What a model is, takes and gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ModelMetadata {
    /// The model's name.
    pub name: String,
    /// The versions that can be asked for.
    pub versions: Vec<String>,
    /// What runs it.
    pub platform: String,
    /// The input `text`.
    pub inputs: Vec<TensorMetadata>,
    /// The output `result`.
    pub outputs: Vec<TensorMetadata>,
}

/// Texts to read.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "42",
    "inputs": [{
        "name": "text", "datatype": "BYTES", "shape": [1],
        "data": ["“The pier is beyond repair,” said Claire Moreau."],
    }],
}))]
pub struct InferRequestBody {
    /// A name for the request; the response repeats it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Options, and `binary_data_output`: whether outputs come as binary tensors where `outputs` does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub parameters: Option<Map<String, Value>>,
    /// The one input.
    #[schema(min_items = 1, max_items = 1)]
    pub inputs: Vec<InputTensor>,
    /// The one output, if something has to be said about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 1)]
    pub outputs: Option<Vec<RequestedOutput>>,
}

/// The texts of a request.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct InputTensor {
    /// `text`.
    pub name: InputName,
    /// `BYTES`.
    pub datatype: Datatype,
    /// How many texts there are: `[n]`, `[n, 1]` or `[1, n]`.
    #[schema(min_items = 1, max_items = 2)]
    pub shape: Vec<u64>,
    /// `binary_data_size`, if the texts follow the JSON as a binary tensor: its length in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub parameters: Option<Map<String, Value>>,
    /// The texts, unless they follow the JSON as a binary tensor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = texts, required)]
    pub data: Option<Value>,
}

/// How an output is to come.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RequestedOutput {
    /// `result`.
    pub name: OutputName,
    /// `binary_data`: whether it is to come as a binary tensor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub parameters: Option<Map<String, Value>>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct InferResponse<'a> {
    /// The model's name.
    pub model_name: &'a str,
    /// The model's version.
    pub model_version: &'a str,
    /// The request's name, if it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a str>,
    /// The one output.
    pub outputs: Vec<OutputTensor<'a>>,
}

/// The results of a response, in the order of the texts.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OutputTensor<'a> {
    /// `result`.
    pub name: OutputName,
    /// `BYTES`.
    pub datatype: Datatype,
    /// How many results there are: `[n]`.
    pub shape: Vec<u64>,
    /// `binary_data_size`, if the results follow the JSON as a binary tensor: its length in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub parameters: Option<Map<String, Value>>,
    /// The results, each an object in JSON, unless they follow as a binary tensor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<&'a [String]>,
}

/// Why a request could not be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProtocolError {
    /// The reason, for people.
    pub error: String,
}

/// The texts of a request: a list, or lists within a list if the shape has two dimensions.
fn texts() -> Schema {
    let strings = || ArrayBuilder::new().items(Object::with_type(Type::String));
    let nested = ArrayBuilder::new().items(strings());
    AnyOfBuilder::new()
        .item(strings())
        .item(nested)
        .description(Some("The texts, unless they follow the JSON as a binary tensor"))
        .into()
}
