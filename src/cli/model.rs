//! Which model: the one inside the binary, a directory, or a name on Hugging Face's hub.

use std::path::PathBuf;

use clap::Args;

use super::ending::Failure;
#[cfg(feature = "hub")]
use crate::model::ModelFiles;
use crate::model::{Arithmetic, Model, ModelError, Precision};

/// Names of this program's own models. A directory of such a name is `./small`.
const OWN: [&str; 2] = ["small", "base"];

/// Which model, and where it runs.
#[derive(Debug, Args)]
pub(super) struct ModelArguments {
    /// Another model than the embedded one (which is called small): a directory with config.json, tokenizer.json and
    /// model.safetensors; owner/name on Hugging Face's hub, with @revision if need be; or base, for a directory
    /// onrecord-base. Token classifiers, as directories or on the hub, find entities only (docs/models.md)
    #[arg(long, value_name = "MODEL", env = "ONRECORD_MODEL")]
    model: Option<PathBuf>,

    /// Directory in which base (onrecord-base) is looked for first; then beside the program, and in models/ here
    #[arg(long, value_name = "DIRECTORY", env = "ONRECORD_MODELS")]
    models: Option<PathBuf>,

    /// Branch, tag or commit of a model on the hub [default: main]
    #[arg(long, value_name = "REVISION", env = "ONRECORD_MODEL_REVISION")]
    model_revision: Option<String>,

    /// Numbers of the encoder's matrix products: int8, or f32, which is exact and takes up to three times as long
    /// [default: int8 where the machine has instructions for it]. The kernels are the fastest that the machine has;
    /// ONRECORD_KERNELS=portable, avx2, avx-vnni, avx512 or amx forces others
    #[arg(long, value_name = "PRECISION", env = "ONRECORD_PRECISION")]
    precision: Option<Precision>,
}

/// Where a model is to be got from.
enum Source {
    Embedded,
    Directory(PathBuf),
    #[cfg(feature = "hub")]
    Hub(crate::hub::ModelId),
}

impl ModelArguments {
    /// Loads the model; downloads it first, if need be.
    pub(super) fn load(&self) -> Result<Model, Failure> {
        let source = self.source()?;
        Ok(self.load_from(&source)?)
    }

    /// What is wrong with the flags is told at once, all the rest when the result is called.
    #[cfg(feature = "server")]
    pub(super) fn loader(self) -> Result<impl Fn() -> Result<Model, ModelError> + Send + Sync + 'static, Failure> {
        let source = self.source()?;
        Ok(move || self.load_from(&source))
    }

    fn load_from(&self, source: &Source) -> Result<Model, ModelError> {
        let arithmetic = Arithmetic::new(self.precision)?;
        match source {
            Source::Embedded => Model::embedded(arithmetic),
            Source::Directory(directory) => Model::load(directory, arithmetic),
            #[cfg(feature = "hub")]
            Source::Hub(id) => Model::from_files(&downloaded(id)?, arithmetic),
        }
    }

    /// A directory that is there wins over a name of the same form.
    fn source(&self) -> Result<Source, Failure> {
        let source = match &self.model {
            None => Source::Embedded,
            Some(path) if path.is_dir() => Source::Directory(path.clone()),
            Some(path) => match path.to_str() {
                Some("small") if cfg!(feature = "embedded-model") => Source::Embedded,
                Some(name) if OWN.contains(&name) => self.own(name)?,
                Some(name) => self.by_name(name, path)?,
                None => Source::Directory(path.clone()),
            },
        };
        match (&source, &self.model_revision) {
            (Source::Embedded | Source::Directory(_), Some(revision)) => {
                let message = format!("--model-revision {revision}: only models on the hub have revisions");
                Err(Failure::Usage(message))
            }
            _ => Ok(source),
        }
    }

    /// One of this program's own models that is not inside the binary.
    fn own(&self, name: &str) -> Result<Source, Failure> {
        let directory = format!("onrecord-{name}");
        let program = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.to_owned()));
        let beside = program.iter().flat_map(|program| [program.clone(), program.join("models")]);
        let places = self.models.iter().cloned().chain(beside).chain([PathBuf::from("models")]);
        let places: Vec<PathBuf> = places.map(|place| place.join(&directory)).collect();
        if let Some(found) = places.iter().find(|place| place.is_dir()) {
            return Ok(Source::Directory(found.clone()));
        }
        let places: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
        Err(Failure::Usage(format!(
            "--model {name}: not found. A model of that name is a directory {directory}; looked for it at {}. Put it at one of \
             these, or name the directory that it is in: --models, or ONRECORD_MODELS",
            places.join(", ")
        )))
    }

    #[cfg(feature = "hub")]
    fn by_name(&self, name: &str, path: &std::path::Path) -> Result<Source, Failure> {
        let wrong = |error: crate::hub::HubError| Failure::Usage(format!("--model {name}: {error}"));
        if path.exists() {
            return Ok(Source::Directory(path.to_owned()));
        }
        let Some(id) = crate::hub::ModelId::parse(name).map_err(wrong)? else {
            return Ok(Source::Directory(path.to_owned()));
        };
        match &self.model_revision {
            None => Ok(Source::Hub(id)),
            Some(revision) if name.contains('@') && id.revision() != revision => {
                let message = format!("--model-revision {revision}: --model names {} already", id.revision());
                Err(Failure::Usage(message))
            }
            Some(revision) => id.at(revision).map(Source::Hub).map_err(|error| Failure::Usage(error.to_string())),
        }
    }

    #[cfg(not(feature = "hub"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as in builds with the hub")]
    fn by_name(&self, _name: &str, path: &std::path::Path) -> Result<Source, Failure> {
        Ok(Source::Directory(path.to_owned()))
    }
}

/// The files of a model on the hub.
#[cfg(feature = "hub")]
fn downloaded(id: &crate::hub::ModelId) -> Result<ModelFiles, ModelError> {
    let unavailable = |error: crate::hub::HubError| ModelError::Unavailable(error.to_string());
    let hub = crate::hub::Hub::new(|name| std::env::var(name).ok()).map_err(unavailable)?;
    let directory = hub.fetch(id, &mut |note| super::complaints::complain(&note)).map_err(unavailable)?;
    // The directory is called like a commit.
    Ok(ModelFiles { name: id.name().to_owned(), ..ModelFiles::read(&directory)? })
}
