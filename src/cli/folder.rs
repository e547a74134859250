//! A directory of exported files, one for each document or one for all.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::ending::Failure;
use crate::export::{Annotated, BRAT_CONFIGURATION, Format, Joins};

/// Longest stem of a file's name, in characters: with its ending it fits every common file system.
const STEM: usize = 60;

pub(super) struct Folder {
    path: PathBuf,
    format: Format,
    /// The file that all documents are in.
    together: Option<BufWriter<File>>,
    /// Stems that are taken, in lower case, since some file systems know no other.
    taken: HashSet<String>,
}

impl Folder {
    /// Makes the directory; one that is there must be empty.
    pub fn create(path: &Path, format: Format) -> Result<Self, Failure> {
        let unusable = |error: io::Error| Failure::Unusable(format!("--output {}: {error}", path.display()));
        fs::create_dir_all(path).map_err(unusable)?;
        if fs::read_dir(path).map_err(unusable)?.next().is_some() {
            let reason = "it is not empty; name a new directory, or empty this one";
            return Err(Failure::Unusable(format!("--output {}: {reason}", path.display())));
        }
        let mut folder = Self { path: path.to_owned(), format, together: None, taken: HashSet::new() };
        if format.joins() == Joins::InOneFile {
            let name = if format == Format::Csv { "statements" } else { "documents" };
            folder.together = Some(folder.new_file(&format!("{name}{}", format.suffix()))?);
        }
        if format == Format::Brat {
            folder.write_file("annotation.conf", |file| file.write_all(BRAT_CONFIGURATION.as_bytes()))?;
        }
        Ok(folder)
    }

    pub fn write_head(&mut self) -> Result<(), Failure> {
        match &mut self.together {
            Some(file) => self.format.write_head(file).map_err(|error| Failure::output(&error)),
            None => Ok(()),
        }
    }

    pub fn write(&mut self, document: &Annotated<'_>) -> Result<(), Failure> {
        if let Some(file) = &mut self.together {
            return self.format.write(document, file).map_err(|error| Failure::output(&error));
        }
        let stem = self.stem(&document.found.id);
        if self.format == Format::Brat {
            self.write_file(&format!("{stem}.txt"), |file| file.write_all(document.text.as_bytes()))?;
        }
        let format = self.format;
        self.write_file(&format!("{stem}{}", format.suffix()), |file| format.write(document, file))
    }

    pub fn finish(self) -> Result<(), Failure> {
        match self.together {
            Some(mut file) => file.flush().map_err(|error| Failure::output(&error)),
            None => Ok(()),
        }
    }

    fn new_file(&self, name: &str) -> Result<BufWriter<File>, Failure> {
        let path = self.path.join(name);
        let file = File::create_new(&path);
        let file = file.map_err(|error| Failure::Unusable(format!("cannot write {}: {error}", path.display())))?;
        Ok(BufWriter::new(file))
    }

    fn write_file(
        &self,
        name: &str,
        write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let mut file = self.new_file(name)?;
        write(&mut file).and_then(|()| file.flush()).map_err(|error| Failure::output(&error))
    }

    /// A name for a document's files: what of its id can be in one; with a number where others have that name.
    fn stem(&mut self, id: &str) -> String {
        let id = [".txt", ".text", ".md"].iter().find_map(|ending| id.strip_suffix(ending)).unwrap_or(id);
        let fits = |character: char| character.is_alphanumeric() || "._-".contains(character);
        let parts = id.split(|character| !fits(character)).filter(|part| !part.is_empty());
        let name = parts.collect::<Vec<_>>().join("-");
        let name: String = name.trim_start_matches(['.', '-']).chars().take(STEM).collect();
        let name = if name.is_empty() { "article".to_owned() } else { name };
        let mut stem = name.clone();
        let mut number = 1;
        while !self.taken.insert(stem.to_lowercase()) {
            number += 1;
            stem = format!("{name}-{number}");
        }
        stem
    }
}
