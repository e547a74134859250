//! Getting the files of a model: from the cache, or from the hub into it.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};

use hf_hub::api::Progress;
use hf_hub::api::sync::{Api, ApiBuilder, ApiError, ApiRepo};
use hf_hub::{Repo, RepoType};

use super::checks::{Finding, compare, is_commit, is_hexadecimal};
use super::{Hub, HubError, ModelId};
use crate::model::{
    OTHER_TOKENIZERS, OTHER_WEIGHTS, WEIGHTS_INDEX, check_size, no_safetensors, no_tokenizer, weights_files,
};

impl Hub {
    /// The directory of a model's files, all of one commit. What is not in the cache is downloaded; `note` is told of
    /// each file.
    ///
    /// # Errors
    /// [`HubError`], for everything that can go wrong on the way.
    pub fn fetch(&self, id: &ModelId, note: &mut dyn FnMut(String)) -> Result<PathBuf, HubError> {
        if self.is_offline {
            return self.cached(id);
        }
        if is_commit(id.revision())
            && let Ok(directory) = self.cached(id)
        {
            return Ok(directory);
        }
        let request = Request::new(self, id)?;
        let (commit, files) = request.list()?;
        // One commit for all files, whatever happens to the branch meanwhile.
        let repository = Repo::with_revision(id.name().to_owned(), RepoType::Model, commit.clone());
        for file in request.needed(&files)? {
            request.get(&repository, file, note)?;
        }
        let directory = self.cache.repo(repository.clone()).pointer_path(&commit);
        if !files.iter().any(|file| file == "model.safetensors") {
            for file in self.parts(id, &directory)? {
                if !files.contains(&file) {
                    let reason = format!("{WEIGHTS_INDEX} names {file}, which is not there");
                    return Err(request.files_error(reason));
                }
                request.get(&repository, &file, note)?;
            }
        }
        let named =
            self.cache.repo(Repo::with_revision(id.name().to_owned(), RepoType::Model, id.revision().to_owned()));
        named.create_ref(&commit).map_err(|error| self.cache_error(self.cache.path(), &error))?;
        Ok(directory)
    }

    /// The directory of a model that is in the cache, whole.
    fn cached(&self, id: &ModelId) -> Result<PathBuf, HubError> {
        let repository = Repo::with_revision(id.name().to_owned(), RepoType::Model, id.revision().to_owned());
        let repository = self.cache.repo(repository);
        let missing = |missing: &str| HubError::Offline {
            id: id.to_string(),
            cache: self.cache.path().display().to_string(),
            missing: missing.to_owned(),
        };
        let directory = match is_commit(id.revision()) {
            true => repository.pointer_path(id.revision()),
            false => {
                let config = repository.get("config.json").ok_or_else(|| missing("config.json"))?;
                config.parent().map(Path::to_owned).ok_or_else(|| missing("config.json"))?
            }
        };
        let mut files = vec!["config.json".to_owned(), "tokenizer.json".to_owned()];
        if directory.join(WEIGHTS_INDEX).exists() && !directory.join("model.safetensors").exists() {
            self.check(&directory.join(WEIGHTS_INDEX), None)?;
            files.extend(self.parts(id, &directory)?);
        } else {
            files.push("model.safetensors".to_owned());
        }
        for file in files {
            let path = directory.join(&file);
            if !path.exists() {
                return Err(missing(&file));
            }
            self.check(&path, None)?;
        }
        Ok(directory)
    }

    /// The files that the index of weights in a directory names.
    fn parts(&self, id: &ModelId, directory: &Path) -> Result<Vec<String>, HubError> {
        let path = directory.join(WEIGHTS_INDEX);
        let length = path.metadata().map_err(|error| self.cache_error(&path, &error))?.len();
        let index = check_size(WEIGHTS_INDEX, length).and_then(|()| std::fs::read(&path));
        let index = index.map_err(|error| self.cache_error(&path, &error))?;
        let files_error = |reason| HubError::Files { endpoint: self.endpoint.clone(), id: id.to_string(), reason };
        weights_files(&index).map_err(files_error)
    }

    /// Compares a file of the cache with its hash, or with its size, if that is known and the hash is not, and deletes it
    /// where it is another.
    fn check(&self, path: &Path, size: Option<usize>) -> Result<(), HubError> {
        let failed = |error: std::io::Error| self.cache_error(path, &error);
        let blob = path.canonicalize().map_err(failed)?;
        let hash = blob.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let length = blob.metadata().map_err(failed)?.len();
        let reason = match (compare(&blob, &hash).map_err(failed)?, size) {
            (Finding::Wrong(reason), _) => reason,
            (Finding::Unknown, Some(size)) if length != size as u64 => {
                format!("it has {length} bytes, but the hub says {size}")
            }
            _ => return Ok(()),
        };
        for spoilt in [&blob, path] {
            match std::fs::remove_file(spoilt) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
        Err(HubError::Spoilt { path: path.display().to_string(), reason })
    }

    fn cache_error(&self, path: &Path, error: &std::io::Error) -> HubError {
        HubError::Cache { path: path.display().to_string(), reason: error.to_string() }
    }
}

/// One model that is asked for.
struct Request<'hub> {
    hub: &'hub Hub,
    id: &'hub ModelId,
    api: Api,
}

impl<'hub> Request<'hub> {
    fn new(hub: &'hub Hub, id: &'hub ModelId) -> Result<Self, HubError> {
        let api = ApiBuilder::from_cache(hub.cache.clone())
            .with_endpoint(hub.endpoint.clone())
            .with_token(hub.token.clone())
            .with_progress(false)
            .with_user_agent("onrecord", env!("CARGO_PKG_VERSION"))
            .build();
        let api =
            api.map_err(|error| HubError::Environment(format!("the client of the hub does not start: {error}")))?;
        Ok(Self { hub, id, api })
    }

    /// The commit that the revision is now, and its files.
    fn list(&self) -> Result<(String, Vec<String>), HubError> {
        let (name, revision) = (self.id.name().to_owned(), self.id.revision().to_owned());
        let repository = self.api.repo(Repo::with_revision(name, RepoType::Model, revision));
        let what = "the list of files";
        let info = self.watched(what, move |_| repository.info())?.map_err(|error| match status(&error) {
            Some(status @ (401 | 403 | 404)) => HubError::NoModel {
                endpoint: self.hub.endpoint.clone(),
                id: self.id.to_string(),
                status: format!("the hub answered {status}"),
            },
            _ => self.network(what, &error),
        })?;
        let files = info.siblings.into_iter().map(|file| file.rfilename).collect();
        if is_hexadecimal(&info.sha) && (7..=64).contains(&info.sha.len()) {
            return Ok((info.sha, files));
        }
        Err(self.broken(what, format!("it names {:?} as the commit", info.sha)))
    }

    /// The files that are needed, as far as the list tells; an error where one of them is not there.
    fn needed(&self, files: &[String]) -> Result<[&'static str; 3], HubError> {
        let has = |name: &str| files.iter().any(|file| file == name);
        let other = |names: &[&'static str]| names.iter().copied().find(|name| has(name));
        if !has("config.json") {
            return Err(self.files_error("there is no config.json".to_owned()));
        }
        if !has("tokenizer.json") {
            return Err(self.files_error(match other(&OTHER_TOKENIZERS) {
                Some(other) => no_tokenizer(other, self.id.name()),
                None => "there is no tokenizer.json".to_owned(),
            }));
        }
        if has("model.safetensors") {
            return Ok(["config.json", "tokenizer.json", "model.safetensors"]);
        }
        if has(WEIGHTS_INDEX) {
            return Ok(["config.json", "tokenizer.json", WEIGHTS_INDEX]);
        }
        Err(self.files_error(match other(&OTHER_WEIGHTS) {
            Some(other) => no_safetensors(other, self.id.name()),
            None => "there is no model.safetensors".to_owned(),
        }))
    }

    /// Downloads a file of a commit, unless it is there, and checks it.
    fn get(&self, repository: &Repo, file: &str, note: &mut dyn FnMut(String)) -> Result<(), HubError> {
        let cached = self.hub.cache.repo(repository.clone());
        let path = cached.pointer_path(repository.revision()).join(file);
        if path.exists() {
            return self.hub.check(&path, None);
        }
        let remote = self.api.repo(repository.clone());
        let (api, url) = (self.api.clone(), remote.url(file));
        let metadata = self.watched(file, move |_| api.metadata(&url))?.map_err(|error| self.network(file, &error))?;
        // Both become names in the cache.
        let tag = metadata.etag().strip_prefix("W/").unwrap_or(metadata.etag());
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if !tag.chars().all(plain) || tag.is_empty() || metadata.commit_hash() != repository.revision() {
            let found = format!("it has the tag {:?} and the commit {:?}", metadata.etag(), metadata.commit_hash());
            return Err(self.broken(file, found));
        }
        let size = metadata.size();
        check_size(file, size as u64).map_err(|error| self.broken(file, error.to_string()))?;
        let unfinished = cached.blob_path(metadata.etag()).with_extension("part");
        if unfinished.metadata().is_ok_and(|part| part.len() > size as u64) {
            std::fs::remove_file(&unfinished).map_err(|error| self.hub.cache_error(&unfinished, &error))?;
        }
        note(format!("downloading {file} of {} ({size} bytes)", self.id));
        self.hub.check(&self.download(remote, file)?, Some(size))
    }

    fn download(&self, remote: ApiRepo, file: &str) -> Result<PathBuf, HubError> {
        let name = file.to_owned();
        let found = self.watched(file, move |ticks| remote.download_with_progress(&name, ticks))?;
        found.map_err(|error| self.network(file, &error))
    }

    /// Does what waits for the network on a thread of its own: the client has no limits of time, and ends the thread
    /// at some answers that make no sense.
    fn watched<T: Send + 'static>(
        &self,
        what: &str,
        work: impl FnOnce(Ticks) -> T + Send + 'static,
    ) -> Result<T, HubError> {
        let (sender, ticks) = channel();
        let worker = std::thread::spawn(move || work(Ticks(sender)));
        loop {
            match ticks.recv_timeout(self.hub.patience) {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let seconds = self.hub.patience.as_secs();
                    return Err(self.broken(what, format!("nothing came for {seconds} s (HF_HUB_DOWNLOAD_TIMEOUT)")));
                }
            }
        }
        worker.join().map_err(|_| self.broken(what, "the hub's answer makes no sense".to_owned()))
    }

    fn network(&self, what: &str, error: &ApiError) -> HubError {
        let is_cached = self.hub.cached(self.id).is_ok();
        let hint = if is_cached { "; the cache has the model: HF_HUB_OFFLINE=1 uses it" } else { "" };
        self.broken(what, format!("{error}{hint}"))
    }

    fn broken(&self, what: &str, reason: String) -> HubError {
        let (id, endpoint) = (self.id.to_string(), self.hub.endpoint.clone());
        HubError::Network { what: what.to_owned(), id, endpoint, reason }
    }

    fn files_error(&self, reason: String) -> HubError {
        HubError::Files { endpoint: self.hub.endpoint.clone(), id: self.id.to_string(), reason }
    }
}

/// The status that the hub answered with, if that is what went wrong.
fn status(error: &ApiError) -> Option<u16> {
    match error {
        ApiError::RequestError(error) => match error.as_ref() {
            ureq::Error::StatusCode(status) => Some(*status),
            _ => None,
        },
        _ => None,
    }
}

/// Tells that a download goes on. When it is dropped, the work has ended.
struct Ticks(Sender<()>);

impl Ticks {
    fn tick(&self) {
        // Nobody listens any more where patience has run out.
        let _ = self.0.send(());
    }
}

impl Progress for Ticks {
    fn init(&mut self, _size: usize, _filename: &str) {
        self.tick();
    }

    fn update(&mut self, _size: usize) {
        self.tick();
    }

    fn finish(&mut self) {
        self.tick();
    }
}
