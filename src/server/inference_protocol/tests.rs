use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::elements::{decode, encode};
use super::*;
use crate::text::DocumentError;

/// A request in the binary form, as `tritonclient` writes it, with the length of its JSON.
fn binary_request(texts: &[String], outputs: Option<bool>) -> (Vec<u8>, usize) {
    let tensor = encode(texts).unwrap();
    let input = InputTensor {
        name: InputName::Text,
        datatype: Datatype::Bytes,
        shape: vec![texts.len() as u64],
        parameters: json!({"binary_data_size": tensor.len()}).as_object().cloned(),
        data: None,
    };
    let output = |binary| RequestedOutput {
        name: OutputName::Result,
        parameters: json!({"binary_data": binary}).as_object().cloned(),
    };
    let request = InferRequestBody {
        id: Some("r1".to_owned()),
        parameters: json!({"binary_data_output": true, "min_score": 0.5}).as_object().cloned(),
        inputs: vec![input],
        outputs: outputs.map(|binary| vec![output(binary)]),
    };
    let mut body = serde_json::to_vec(&request).unwrap();
    let length = body.len();
    body.extend(tensor);
    (body, length)
}

fn json_request(input: Value) -> Value {
    json!({"inputs": [input]})
}

fn input(shape: Value, data: Value) -> Value {
    json!({"name": "text", "datatype": "BYTES", "shape": shape, "data": data})
}

fn parse(request: Value) -> Result<InferRequest, InferError> {
    parse_infer(request.to_string().as_bytes(), None)
}

fn texts(request: Result<InferRequest, InferError>) -> Vec<String> {
    request.unwrap().texts.into_iter().map(Result::unwrap).collect()
}

/// What is said of a request in JSON with this input.
fn fault(input: Value) -> String {
    parse(json_request(input)).unwrap_err().to_string()
}

/// A body with this input and these bytes behind its JSON.
fn with_bytes(parameters: Value, shape: u64, bytes: &[u8]) -> Result<InferRequest, InferError> {
    let input = json!({"name": "text", "datatype": "BYTES", "shape": [shape], "parameters": parameters});
    let mut body = json_request(input).to_string().into_bytes();
    let length = body.len();
    body.extend(bytes);
    parse_infer(&body, Some(length))
}

#[test]
fn a_list_of_texts_has_one_dimension_or_one_of_two() {
    for (shape, data) in [
        (json!([2]), json!(["Zoë 🦀", ""])),
        (json!([2, 1]), json!(["Zoë 🦀", ""])),
        (json!([1, 2]), json!(["Zoë 🦀", ""])),
        (json!([2, 1]), json!([["Zoë 🦀"], [""]])),
        (json!([1, 2]), json!([["Zoë 🦀", ""]])),
    ] {
        assert_eq!(texts(parse(json_request(input(shape, data)))), ["Zoë 🦀", ""]);
    }
    assert!(texts(parse(json_request(input(json!([0]), json!([]))))).is_empty());
}

#[test]
fn a_request_keeps_its_id_and_its_parameters() {
    let mut body = json_request(input(json!([1]), json!(["a"])));
    body["id"] = json!("r\u{e9}");
    body["parameters"] = json!({"binary_data_output": true, "offset_unit": "utf16", "priority": 1});
    let request = parse(body).unwrap();
    assert_eq!(request.id.as_deref(), Some("r\u{e9}"));
    assert_eq!(Value::Object(request.parameters), json!({"offset_unit": "utf16", "priority": 1}));
    assert!(request.binary_output);
}

#[test]
fn an_output_overrides_what_is_said_of_all_outputs() {
    for (parameters, outputs, binary) in [
        (json!(null), json!(null), false),
        (json!({}), json!([]), false),
        (json!({"binary_data_output": true}), json!([]), true),
        (json!({"binary_data_output": true}), json!([{"name": "result"}]), true),
        (json!({"binary_data_output": true}), json!([{"name": "result", "parameters": {"binary_data": false}}]), false),
        (json!({"binary_data_output": false}), json!([{"name": "result", "parameters": {"binary_data": true}}]), true),
    ] {
        let mut body = json_request(input(json!([1]), json!(["a"])));
        body["parameters"] = parameters;
        body["outputs"] = outputs;
        assert_eq!(parse(body.clone()).unwrap().binary_output, binary, "{body}");
    }
}

#[test]
fn faults_of_the_input_name_their_place() {
    for (change, message) in [
        (json!({"name": "texts"}), "inputs[0].name must be \"text\", the model's only input"),
        (json!({"datatype": "FP32"}), "inputs[0].datatype must be \"BYTES\", the protocol's type for strings"),
        (json!({"shape": null}), "inputs[0].shape must be a list"),
        (json!({"shape": [-1]}), "inputs[0].shape[0] must be a whole number, not negative"),
        (json!({"shape": [1, 1.5]}), "inputs[0].shape[1] must be a whole number, not negative"),
        (json!({"shape": [2, 2]}), "inputs[0].shape must be [n], [n, 1] or [1, n]"),
        (json!({"shape": []}), "inputs[0].shape must be [n], [n, 1] or [1, n]"),
        (json!({"shape": [u64::MAX, u64::MAX]}), "inputs[0].shape must be [n], [n, 1] or [1, n]"),
        (json!({"shape": [1, u64::MAX]}), "inputs[0].shape tells of 18446744073709551615 texts, but 1 are given"),
        (json!({"shape": [3]}), "inputs[0].shape tells of 3 texts, but 1 are given"),
        (json!({"data": null}), "inputs[0] must have either data or parameters.binary_data_size, and not both"),
        (json!({"data": "a"}), "inputs[0].data must be a list"),
        (json!({"data": [1]}), "inputs[0].data[0] must be a string"),
        (json!({"data": [["a"]]}), "inputs[0].data[0] must be a string"),
        (
            json!({"shape": [1, 2], "data": [["a"]]}),
            "the lists in inputs[0].data are not of the lengths that inputs[0].shape tells of",
        ),
        (
            json!({"parameters": {"binary_data_size": 4}}),
            "inputs[0] must have either data or parameters.binary_data_size, and not both",
        ),
        (
            json!({"data": null, "parameters": {"binary_data_size": 4}}),
            "inputs[0].parameters.binary_data_size needs the HTTP header Inference-Header-Content-Length",
        ),
        (
            json!({"data": null, "parameters": {"shared_memory_region": "r"}}),
            "inputs[0].parameters: shared memory is not supported",
        ),
    ] {
        let mut input = input(json!([1]), json!(["a"]));
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(fault(input.clone()), message, "{input}");
    }
}

#[test]
fn faults_of_the_request_name_their_place() {
    let good = input(json!([1]), json!(["a"]));
    for (request, message) in [
        (json!([]), "the request must be an object"),
        (json!({}), "inputs must be a list"),
        (json!({"inputs": []}), "the model has one input, \"text\", but the request gives 0"),
        (json!({"inputs": [good, good]}), "the model has one input, \"text\", but the request gives 2"),
        (json!({"inputs": ["a"]}), "inputs[0] must be an object"),
        (json!({"id": 7, "inputs": [good]}), "id must be a string"),
        (json!({"parameters": [], "inputs": [good]}), "parameters must be an object"),
        (
            json!({"parameters": {"binary_data_output": 1}, "inputs": [good]}),
            "parameters.binary_data_output must be true or false",
        ),
        (json!({"outputs": {}, "inputs": [good]}), "outputs must be a list"),
        (
            json!({"outputs": [{"name": "entities"}], "inputs": [good]}),
            "outputs[0].name must be \"result\", the model's only output",
        ),
        (
            json!({"outputs": [{"name": "result"}, {"name": "result"}], "inputs": [good]}),
            "the model has one output, \"result\", but the request asks for 2",
        ),
        (
            json!({"outputs": [{"name": "result", "parameters": {"classification": 3}}], "inputs": [good]}),
            "outputs[0].parameters.classification is not supported",
        ),
    ] {
        assert_eq!(parse(request.clone()).unwrap_err().to_string(), message, "{request}");
    }
    assert_eq!(
        parse_infer(b"{", None).unwrap_err().to_string(),
        "the request is not valid JSON: EOF while parsing an object at line 1 column 1"
    );
    assert!(matches!(parse_infer(b"{\"id\": \"\xff\"}", None), Err(InferError::Json(_))));
}

#[test]
fn faults_of_the_binary_form_say_what_does_not_fit() {
    let tensor = encode(&["ab".to_owned()]).unwrap();
    let size = |size: Value| json!({"binary_data_size": size});
    for (parameters, shape, bytes, message) in [
        (size(json!(-1)), 1, &tensor[..], "inputs[0].parameters.binary_data_size must be a whole number, not negative"),
        (size(json!(7)), 1, &tensor, "inputs[0].parameters.binary_data_size is 7, but only 6 bytes follow the JSON"),
        (
            size(json!(u64::MAX)),
            1,
            &tensor,
            "inputs[0].parameters.binary_data_size is 18446744073709551615, but only 6 bytes follow the JSON",
        ),
        (size(json!(5)), 1, &tensor, "1 bytes follow the last tensor"),
        (size(json!(5)), 1, &tensor[..5], "text 0 runs past the end of the binary data of inputs[0]"),
        (size(json!(3)), 1, &tensor[..3], "text 0 runs past the end of the binary data of inputs[0]"),
        (size(json!(6)), 2, &tensor, "inputs[0].shape tells of 2 texts, but 1 are given"),
        (size(json!(6)), 0, &tensor, "inputs[0].shape tells of 0 texts, but more are given"),
        (json!({}), 1, &tensor, "inputs[0] must have either data or parameters.binary_data_size, and not both"),
    ] {
        assert_eq!(with_bytes(parameters, shape, bytes).unwrap_err().to_string(), message);
    }
    assert_eq!(parse_infer(b"{}", Some(3)), Err(InferError::HeaderLength { header_length: 3, body_length: 2 }));
    let mut body = json_request(input(json!([1]), json!(["a"]))).to_string();
    let length = body.len();
    assert_eq!(texts(parse_infer(body.as_bytes(), Some(length))), ["a"]);
    body.push('x');
    assert_eq!(parse_infer(body.as_bytes(), Some(length)), Err(InferError::Trailing(1)));
}

#[test]
fn a_text_that_is_not_utf8_costs_its_own_error() {
    let mut tensor = encode(&["a".to_owned()]).unwrap();
    tensor.extend([4, 0, 0, 0, b'c', b'a', b'f', 0xe9, 1, 0, 0, 0, b'b']);
    let request = with_bytes(json!({"binary_data_size": tensor.len()}), 3, &tensor).unwrap();
    assert_eq!(request.texts[1], Err(DocumentError::InvalidUtf8 { at: 3 }));
    assert_eq!((&request.texts[0], &request.texts[2]), (&Ok("a".to_owned()), &Ok("b".to_owned())));
}

#[test]
fn a_response_in_json_is_what_the_protocol_shows() {
    let mut body = json_request(input(json!([1, 2]), json!(["a", "b"])));
    body["id"] = json!("42");
    let request = parse(body).unwrap();
    let results = ["{\"id\":\"0\"}".to_owned(), "{\"error\":{}}".to_owned()];
    let (body, length) = render_infer(&request, "small", "5f0c", &results).unwrap();
    assert_eq!(length, None);
    let expected = json!({
        "model_name": "small", "model_version": "5f0c", "id": "42",
        "outputs": [{"name": "result", "datatype": "BYTES", "shape": [2], "data": results}],
    });
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected);
}

#[test]
fn metadata_are_those_of_the_protocol() {
    let model = json!({
        "name": "small", "versions": ["5f0c"], "platform": "onrecord_safetensors",
        "inputs": [{"name": "text", "datatype": "BYTES", "shape": [-1]}],
        "outputs": [{"name": "result", "datatype": "BYTES", "shape": [-1]}],
    });
    assert_eq!(serde_json::to_value(model_metadata("small", "5f0c")).unwrap(), model);
    assert_eq!(server_metadata().extensions, ["binary_tensor_data"]);
    assert_eq!(serde_json::to_value(ServerReady::new(true)).unwrap(), json!({"live": true, "ready": true}));
}

#[test]
fn the_schema_of_a_request_asks_for_what_the_parser_asks_for() {
    let schema = |schema: utoipa::openapi::RefOr<utoipa::openapi::Schema>| serde_json::to_value(schema).unwrap();
    assert_eq!(schema(InferRequestBody::schema())["required"], json!(["inputs"]));
    assert_eq!(schema(InputTensor::schema())["required"], json!(["name", "datatype", "shape", "data"]));
    assert_eq!(schema(RequestedOutput::schema())["required"], json!(["name"]));
    assert_eq!(schema(Datatype::schema())["enum"], json!(["BYTES"]));
}

proptest! {
    #[test]
    fn the_binary_form_round_trips(texts in prop::collection::vec("(\\PC|[\\r\\n\\x00🦀]){0,40}", 0..6)) {
        let (body, length) = binary_request(&texts, None);
        let request = parse_infer(&body, Some(length)).unwrap();
        prop_assert_eq!(&request.texts, &texts.iter().cloned().map(Ok).collect::<Vec<_>>());
        prop_assert_eq!(Value::Object(request.parameters.clone()), json!({"min_score": 0.5}));

        let (body, length) = render_infer(&request, "small", "1", &texts).unwrap();
        let (header, tensor) = body.split_at(length.unwrap());
        let header: Value = serde_json::from_slice(header).unwrap();
        prop_assert_eq!(&header["id"], "r1");
        prop_assert_eq!(&header["outputs"][0]["shape"], &json!([texts.len()]));
        prop_assert_eq!(&header["outputs"][0]["parameters"]["binary_data_size"], &json!(tensor.len()));
        let results = decode(tensor).map(|element| str::from_utf8(element.unwrap()).unwrap());
        prop_assert_eq!(results.collect::<Vec<_>>(), texts);
    }

    #[test]
    fn json_and_binary_say_the_same(texts in prop::collection::vec("\\PC{0,20}", 0..6), nested: bool) {
        let rows: Value = texts.iter().map(|text| if nested { json!([text]) } else { json!(text) }).collect();
        let shape = if nested { json!([texts.len(), 1]) } else { json!([texts.len()]) };
        let in_json = parse(json_request(input(shape, rows))).unwrap();
        let (body, length) = binary_request(&texts, Some(false));
        let in_binary = parse_infer(&body, Some(length)).unwrap();
        prop_assert!(!in_json.binary_output && !in_binary.binary_output);
        prop_assert_eq!(in_json.texts, in_binary.texts);
    }

    #[test]
    fn arbitrary_bytes_are_refused_without_panic(body: Vec<u8>, length: Option<u16>) {
        prop_assert!(parse_infer(&body, length.map(usize::from)).is_err());
    }

    #[test]
    fn requests_that_were_damaged_never_panic(
        texts in prop::collection::vec("\\PC{0,8}", 0..4),
        damage in prop::collection::vec((any::<Index>(), any::<u8>()), 0..4),
        cut: Index,
        length in prop::option::of(any::<usize>()),
    ) {
        let (mut body, header) = binary_request(&texts, Some(true));
        for (place, byte) in damage {
            let place = place.index(body.len());
            body[place] = byte;
        }
        // Whatever the outcome, there is one.
        let _ = parse_infer(&body, Some(header));
        let _ = parse_infer(&body, length);
        body.truncate(cut.index(body.len()));
        let _ = parse_infer(&body, Some(header));
    }
}
