//! `config.json` of any model that can be read: of this program's own, or of a token classifier.

use serde_json::Value;

use super::config::ModelConfig;
use super::hugging_face;

/// Reads and checks `config.json`. A token classifier is known by a name from elsewhere. An error says what is wrong with
/// which field.
pub(super) fn read(json: &[u8], name: &str) -> Result<ModelConfig, String> {
    let fields: Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let Value::Object(fields) = fields else { return Err("it must hold an object".to_owned()) };
    if fields.get("model_type").is_some_and(|kind| kind != "onrecord") || fields.contains_key("architectures") {
        let config = hugging_face::config(&fields, name)?;
        config.encoder.check()?;
        return Ok(config);
    }
    let config: ModelConfig = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    config.check()?;
    Ok(config)
}
