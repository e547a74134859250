//! The Open Inference Protocol (KServe, version 2, REST) with its binary tensor data extension, as far as it needs no
//! network: bytes in, a request out; results in, bytes out.
//!
//! The model has one input, `text`, and one output, `result`, both lists of strings (the protocol's datatype `BYTES`).
//! Result number `i` is the JSON of what was found in text number `i`, or of the error that came in its place.
//!
//! The binary form is what `tritonclient` speaks unless it is told otherwise: a JSON object of as many bytes as the
//! header [`HEADER_LENGTH`] says, and after it the tensors, each element a length of four bytes (little-endian) and
//! then its bytes.

mod elements;
mod request;
mod response;
mod types;

#[cfg(test)]
mod tests;

pub use request::{InferError, InferRequest, parse_infer};
pub use response::render_infer;
pub use types::{
    Datatype, InferRequestBody, InferResponse, InputName, InputTensor, ModelMetadata, ModelReady, OutputName,
    OutputTensor, ProtocolError, RequestedOutput, ServerLive, ServerMetadata, ServerReady, TensorMetadata,
};

/// The HTTP header of requests and responses that hold binary tensors: the length of the JSON before them, in bytes.
pub const HEADER_LENGTH: &str = "Inference-Header-Content-Length";

/// The extension of the protocol that this server speaks.
const BINARY_EXTENSION: &str = "binary_tensor_data";

/// What runs the model, in the protocol's form `<project>_<format>`.
const PLATFORM: &str = "onrecord_safetensors";

/// The answer to `GET /v2`.
pub fn server_metadata() -> ServerMetadata {
    ServerMetadata {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        extensions: vec![BINARY_EXTENSION.to_owned()],
    }
}

/// The answer to `GET /v2/models/{name}`, for the one version that is loaded.
pub fn model_metadata(name: &str, version: &str) -> ModelMetadata {
    ModelMetadata {
        name: name.to_owned(),
        versions: vec![version.to_owned()],
        platform: PLATFORM.to_owned(),
        inputs: vec![TensorMetadata { name: "text".to_owned(), datatype: Datatype::Bytes, shape: vec![-1] }],
        outputs: vec![TensorMetadata { name: "result".to_owned(), datatype: Datatype::Bytes, shape: vec![-1] }],
    }
}
