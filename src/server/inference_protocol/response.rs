//! From results to the bytes of a response.

use super::elements::encode;
use super::request::InferRequest;
use super::types::{Datatype, InferResponse, OutputName, OutputTensor};

/// The body of a response, and, if binary tensors follow its JSON, the length of that JSON.
///
/// Where there is a length, the response has to say so in the header [`super::HEADER_LENGTH`], and its content type is
/// `application/octet-stream`; otherwise it is `application/json`. The results stand in one dimension, `[n]`, whatever
/// the shape of the texts was: that is what the model's metadata promise.
///
/// # Errors
/// What serde_json reports, which for these types would be a fault of the program.
pub fn render_infer(
    request: &InferRequest,
    model_name: &str,
    model_version: &str,
    results: &[String],
) -> serde_json::Result<(Vec<u8>, Option<usize>)> {
    // A result too long for the binary form can still be given in JSON, which every client reads.
    let tensor = if request.binary_output { encode(results) } else { None };
    let parameters = tensor.as_ref().map(|tensor| [("binary_data_size".to_owned(), tensor.len().into())]);
    let output = OutputTensor {
        name: OutputName::Result,
        datatype: Datatype::Bytes,
        shape: vec![results.len() as u64],
        parameters: parameters.map(|entries| entries.into_iter().collect()),
        data: tensor.is_none().then_some(results),
    };
    let id = request.id.as_deref();
    let mut body = serde_json::to_vec(&InferResponse { model_name, model_version, id, outputs: vec![output] })?;
    let header_length = tensor.is_some().then_some(body.len());
    body.extend(tensor.unwrap_or_default());
    Ok((body, header_length))
}
