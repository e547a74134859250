//! The house: rooms know only those before them, no files know each other in circles, and code that the compiler does not
//! check stays in its room.

mod circles;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a directory of this repository, with their paths in it.
fn files(directory: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![root().join(directory)];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).expect("it can be listed") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).expect("it is in the repository").display().to_string();
                found.insert(name, std::fs::read_to_string(path).expect("it can be read"));
            }
        }
    }
    assert!(!found.is_empty(), "{directory} holds no code");
    found
}

/// Lines of code, without those that are nothing but a comment.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.starts_with("//"))
}

/// Words of a line: what stands between signs.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|character: char| !character.is_alphanumeric() && character != '_')
}

#[test]
fn unsafe_code_is_counted_and_confined() {
    let mut count = 0;
    for (name, text) in ["src", "python/src", "examples", "benches"].iter().flat_map(|directory| files(directory)) {
        // 'unsafe-inline' is a word of Content-Security-Policy.
        let here = code(&text).filter(|line| !line.contains("'unsafe-inline'"));
        let here = here.filter(|line| words(line).any(|word| word == "unsafe")).count();
        let confined = Path::new(&name).starts_with("src/model/kernels");
        assert!(here == 0 || confined, "{name} has {here} lines with unsafe code: its room is src/model/kernels");
        count += here;
    }
    let manual = std::fs::read_to_string(root().join("docs/safety.md")).expect("it can be read");
    let told = format!("{count} lines of code have the word `unsafe`");
    assert!(manual.contains(&told), "docs/safety.md must say that {told}, and why the new ones are sound");
}

#[test]
fn a_room_knows_only_the_rooms_before_it() {
    const ROOMS: [(&str, &[&str]); 9] = [
        ("text", &[]),
        ("model", &["text"]),
        ("decode", &["text", "model"]),
        ("engine", &["text", "model", "decode"]),
        ("eval", &["text", "model", "decode", "engine", "json"]),
        ("export", &["text", "engine"]),
        ("hub", &["text", "model"]),
        ("batch", &["text", "model", "decode", "engine", "export", "json"]),
        ("server", &["text", "model", "decode", "engine", "export", "json"]),
    ];
    for (room, may_know) in ROOMS {
        for (name, text) in files(&format!("src/{room}")) {
            if name.ends_with("fuzzing.rs") {
                continue;
            }
            for line in code(&text) {
                for known in line.split("crate::").skip(1).filter_map(|rest| words(rest).next()) {
                    let fits = known.is_empty() || known == room || may_know.contains(&known) || known == "fuzzing";
                    assert!(fits, "{name} knows of {known}: {line}");
                }
            }
        }
    }
}

#[test]
fn no_http_in_the_engine_no_tensors_in_the_skins() {
    let foreign: [(&str, &[&str]); 6] = [
        ("text", &["candle_core", "actix_web", "arrow_array", "clap"]),
        ("model", &["actix_web", "arrow_array", "clap"]),
        ("decode", &["actix_web", "arrow_array", "parquet", "clap"]),
        ("engine", &["actix_web", "arrow_array", "clap", "candle_core"]),
        ("server", &["candle_core", "arrow_array"]),
        ("cli", &["candle_core", "actix_web"]),
    ];
    for (room, words_of_others) in foreign {
        for (name, text) in files(&format!("src/{room}")) {
            let found = code(&text).find(|line| words(line).any(|word| words_of_others.contains(&word)));
            assert_eq!(found, None, "{name}");
        }
    }
}

#[test]
fn spans_know_no_statements_and_statements_no_speakers() {
    const ROOMS: [(&str, &[&str]); 3] = [
        ("spans", &["lexicon", "reading", "spans", "steps"]),
        ("statements", &["lexicon", "reading", "spans", "statements", "steps"]),
        ("speakers", &["lexicon", "reading", "spans", "statements", "speakers", "steps"]),
    ];
    let decode = files("src/decode");
    let mut outside: Vec<&str> = Vec::new();
    for name in decode.keys() {
        let place = name.trim_start_matches("src/decode/").split('/').next().unwrap_or_default();
        outside.push(place.trim_end_matches(".rs"));
    }
    for (room, may_know) in ROOMS {
        let here: Vec<_> = decode.iter().filter(|(name, _)| name.starts_with(&format!("src/decode/{room}/"))).collect();
        assert!(!here.is_empty(), "no room {room}");
        for (name, text) in here {
            for line in code(text) {
                // What a path says behind `decode::`, or behind `super::` where that leads out of the room.
                let by_path = line.split("decode::").skip(1).map(|rest| words(rest).next().unwrap_or_default());
                let by_parent = line.split("super::").skip(1).map(|rest| words(rest).next().unwrap_or_default());
                let by_parent = by_parent.filter(|known| outside.contains(known) && *known != room);
                for known in by_path.chain(by_parent) {
                    assert!(may_know.contains(&known), "{name} knows of {known:?} in `decode`: {line}");
                }
            }
        }
    }
}

/// Whoever calls the library from Rust or Python knows no flags; skins do, and name them.
#[test]
fn the_library_speaks_of_no_flags() {
    for room in ["text", "model", "decode", "engine", "eval", "export", "hub"] {
        for (name, text) in files(&format!("src/{room}")) {
            let program = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            let is_flag = |part: &str| part.starts_with(|first: char| first.is_ascii_lowercase());
            let found = code(program).find(|line| line.contains('"') && line.split("--").skip(1).any(is_flag));
            assert_eq!(found, None, "{name} names a flag");
        }
    }
}

#[test]
fn no_files_know_each_other_in_circles() {
    for directory in ["src", "python/src"] {
        let within = |name: String| name.strip_prefix(directory).map_or(name.clone(), |name| name[1..].to_owned());
        let needs = circles::needs(&files(directory).into_iter().map(|(name, text)| (within(name), text)).collect());
        let circles = circles::circles(&needs);
        let told = circles.iter().flat_map(|circle| {
            let needs = circle.iter().flat_map(|file| needs[*file].iter().map(move |need| (file, need)));
            let needs = needs.filter(|(_, (other, _))| circle.contains(other.as_str()));
            needs.map(|(file, (other, path))| format!("{file} needs {other}, for {path}"))
        });
        let told: Vec<String> = told.collect();
        assert!(
            told.is_empty(),
            "files of {directory} know each other in a circle: put what two of them need where both may look\n{}",
            told.join("\n")
        );
    }
}
