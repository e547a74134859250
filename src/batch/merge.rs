//! Merging: outputs of all shards of one job become one output, once it is sure that they are all there, each is whole,
//! and none holds what belongs to another.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use super::error::{BatchError, failed};
use super::manifest::{Manifest, Part, checksum, sync_directory, write_whole};
use super::output::{ERRORS, ErrorLog, INPUTS, changed};
use super::progress::Summary;
use super::settings::OutputFormat;
use super::shard::Shard;

/// What merging has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merged {
    /// How many shards there are.
    pub shards: usize,
    /// What they hold together.
    pub summary: Summary,
}

/// The output of one shard.
struct Share<'a> {
    directory: &'a Path,
    manifest: Manifest,
    shard: Shard,
}

/// Checks that these are the outputs of all shards of one job, and nothing else. With `to`, a directory that is empty or
/// not there, puts them together in it, in the order of the shards.
///
/// # Errors
/// [`BatchError::Output`] says which output is not what it should be.
pub fn merge(directories: &[PathBuf], to: Option<&Path>) -> Result<Merged, BatchError> {
    let mut shares: Vec<Share<'_>> = directories.iter().map(|directory| share(directory)).collect::<Result<_, _>>()?;
    shares.sort_by_key(|share| share.shard.index);
    fit_together(&shares)?;
    shares.iter().try_for_each(check_parts)?;
    let summaries: Vec<Summary> = shares.iter().map(|share| share.manifest.summary()).collect();
    let sum = |number: fn(&Summary) -> u64| summaries.iter().map(number).sum();
    let summary = Summary {
        documents: sum(|summary| summary.documents),
        errors: sum(|summary| summary.errors),
        rows: sum(|summary| summary.rows),
        parts: summaries.iter().map(|summary| summary.parts).sum(),
    };
    let read = shares.first().map_or(0, |share| share.manifest.rows_read);
    if summary.documents + summary.errors != read {
        let found = summary.documents + summary.errors;
        return Err(BatchError::Output(format!("the shards hold {found} documents of the {read} in the inputs")));
    }
    shares.iter().try_for_each(check_errors)?;
    if let Some(to) = to {
        put_together(&shares, to)?;
    }
    Ok(Merged { shards: shares.len(), summary })
}

fn share(directory: &Path) -> Result<Share<'_>, BatchError> {
    let unfit = |reason: &str| BatchError::Output(format!("{} {reason}", directory.display()));
    let manifest = Manifest::read(directory)?.ok_or_else(|| unfit("is no output of onrecord batch"))?;
    let shard = manifest.job.options.shard.ok_or_else(|| unfit("was written without --shard"))?;
    if !manifest.complete {
        return Err(unfit("is not complete: go on with it with --resume"));
    }
    Ok(Share { directory, manifest, shard })
}

/// Checks that all are of one job, and each shard is there once.
fn fit_together(shares: &[Share<'_>]) -> Result<(), BatchError> {
    let Some(first) = shares.first() else {
        return Err(BatchError::Usage("name the outputs of all shards".to_owned()));
    };
    for share in shares {
        let mut job = share.manifest.job.clone();
        job.options.shard = first.manifest.job.options.shard;
        if share.shard.count == first.shard.count
            && let Some((name, other, one)) = job.difference(&first.manifest.job)
        {
            let (first, other_directory) = (first.directory.display(), share.directory.display());
            let message = format!("{first} and {other_directory} are of different jobs: {name} is {one} and {other}");
            return Err(BatchError::Output(message));
        }
        if share.manifest.rows_read != first.manifest.rows_read {
            let (one, other) = (first.manifest.rows_read, share.manifest.rows_read);
            let (first, share) = (first.directory.display(), share.directory.display());
            return Err(BatchError::Output(format!("{first} has read {one} rows of the inputs, and {share} {other}")));
        }
    }
    let (found, count): (Vec<u32>, _) = (shares.iter().map(|share| share.shard.index).collect(), first.shard.count);
    if let Some(share) = shares.iter().find(|share| share.shard.count != count) {
        let (one, other) = (first.shard, share.shard);
        return Err(BatchError::Output(format!("the shards {one} and {other} are not of one division")));
    }
    if let Some(missing) = (1..=count).find(|index| !found.contains(index)) {
        return Err(BatchError::Output(format!("shard {missing}/{count} is missing")));
    }
    match found.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(BatchError::Output(format!("shard {}/{count} is there twice", pair[0]))),
        None => Ok(()),
    }
}

/// Checks that no error has been added or lost.
fn check_errors(share: &Share<'_>) -> Result<(), BatchError> {
    let (path, written) = (share.directory.join(ERRORS), share.manifest.errors_bytes());
    let bytes = fs::metadata(&path).map_err(failed("read", &path))?.len();
    if bytes != written {
        let path = path.display();
        return Err(BatchError::Output(format!("{path} has {bytes} bytes, and {written} were written")));
    }
    match share.manifest.errors_sha256() {
        Some(sum) if checksum(&path).map_err(failed("read", &path))? != sum => Err(BatchError::Output(changed(&path))),
        _ => Ok(()),
    }
}

/// Checks that each part is what was written, and that its documents belong to the shard.
fn check_parts(share: &Share<'_>) -> Result<(), BatchError> {
    let options = &share.manifest.job.options;
    let column = if options.flat.is_some() { "document" } else { "id" };
    for part in &share.manifest.parts {
        let path = share.directory.join(&part.file);
        let unfit = |reason: String| BatchError::Output(format!("{} {reason}", path.display()));
        let sum = checksum(&path).map_err(failed("read", &path))?;
        if sum != part.sha256 {
            return Err(BatchError::Output(changed(&path)));
        }
        let mut rows = 0;
        let mut strange = None;
        let each = |id: &str| {
            rows += 1;
            if !share.shard.holds(id) {
                strange.get_or_insert_with(|| id.to_owned());
            }
        };
        ids(&path, options.output_format, column, each).map_err(failed("read", &path))?;
        if let Some(id) = strange {
            return Err(unfit(format!("holds {id:?}, which is not of shard {}", share.shard)));
        }
        if rows != part.rows {
            return Err(unfit(format!("has {rows} rows of {}", part.rows)));
        }
    }
    Ok(())
}

/// The ids of a part's documents, row by row.
fn ids(path: &Path, format: OutputFormat, column: &str, each: impl FnMut(&str)) -> io::Result<()> {
    let file = File::open(path)?;
    match format {
        OutputFormat::Parquet => ids_of_parquet(file, column, each),
        OutputFormat::Jsonl => ids_of_lines(BufReader::new(file), column, each),
        OutputFormat::JsonlZst => ids_of_lines(BufReader::new(zstd::Decoder::new(file)?), column, each),
    }
}

fn ids_of_parquet(file: File, column: &str, mut each: impl FnMut(&str)) -> io::Result<()> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(io::Error::other)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), [column]);
    for batch in builder.with_projection(mask).build().map_err(io::Error::other)? {
        let batch = batch.map_err(io::Error::other)?;
        let ids = batch.column_by_name(column).and_then(|column| column.as_string_opt::<i32>());
        let ids = ids.ok_or_else(|| io::Error::other(format!("it has no column {column:?}")))?;
        ids.iter().flatten().for_each(&mut each);
    }
    Ok(())
}

fn ids_of_lines(reader: impl BufRead, column: &str, mut each: impl FnMut(&str)) -> io::Result<()> {
    for line in reader.lines() {
        let line: Value = serde_json::from_str(&line?)?;
        let id = line[column].as_str();
        each(id.ok_or_else(|| io::Error::other(format!("a line has no {column:?}")))?);
    }
    Ok(())
}

/// Writes the outputs of all shards into one directory.
fn put_together(shares: &[Share<'_>], to: &Path) -> Result<(), BatchError> {
    fs::create_dir_all(to).map_err(failed("make", to))?;
    if fs::read_dir(to).map_err(failed("read", to))?.next().is_some() {
        return Err(BatchError::Output(format!("{} is not empty: name another directory", to.display())));
    }
    let Some(first) = shares.first() else { return Err(BatchError::Fault) };
    let mut manifest = Manifest { parts: Vec::new(), ..first.manifest.clone() };
    manifest.job.options.shard = None;
    manifest.merged = shares.iter().map(|share| share.shard).collect();
    let mut errors = ErrorLog::open(to, 0, None)?;
    for share in shares {
        let path = share.directory.join(ERRORS);
        let mut written = BufReader::new(File::open(&path).map_err(failed("read", &path))?);
        let mut before = 0;
        for part in &share.manifest.parts {
            let number = manifest.parts.len();
            let file = format!("part-{number:05}.{}", share.manifest.job.options.output_format.extension());
            let (from, target) = (share.directory.join(&part.file), to.join(&file));
            // One file under two names, where the system can.
            let linked = fs::hard_link(&from, &target).or_else(|_| {
                fs::copy(&from, &target)?;
                File::open(&target)?.sync_all()
            });
            linked.map_err(failed("write", &target))?;
            copy_errors(&mut written, part.errors_bytes.saturating_sub(before), &mut errors, &path)?;
            before = part.errors_bytes;
            let first = manifest.parts.last().map_or(0, |part: &Part| part.first + part.documents + part.errors);
            let (errors_bytes, errors_sha256) = (errors.bytes(), Some(errors.sha256()));
            manifest.parts.push(Part { file, first, errors_bytes, errors_sha256, ..part.clone() });
        }
    }
    errors.sync()?;
    let from = first.directory.join(INPUTS);
    let listing = fs::read(&from).map_err(failed("read", &from))?;
    write_whole(to, INPUTS, &listing)?;
    sync_directory(to).map_err(failed("write", to))?;
    manifest.write(to)
}

/// Copies so many bytes of errors.
fn copy_errors(from: &mut impl Read, bytes: u64, to: &mut ErrorLog, path: &Path) -> Result<(), BatchError> {
    let mut left = bytes;
    let mut block = vec![0; 64 * 1024];
    while left > 0 {
        let wanted = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        from.read_exact(&mut block[..wanted]).map_err(failed("read", path))?;
        to.write(&block[..wanted])?;
        left -= wanted as u64;
    }
    Ok(())
}
